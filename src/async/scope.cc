#include "async/scope.h"

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include "base/check.h"
#include "base/strings.h"

namespace cubelet::async {
namespace {

bool IsCancellation(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const boost::system::system_error& e) {
    return e.code() == boost::asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

std::string Describe(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an exception of unknown type";
  }
}

}  // namespace

TaskScope::TaskScope(Loop& loop, std::string name)
    : loop_(loop), name_(std::move(name)), ended_(loop) {
  loop_.scopes_.push_back(this);
}

TaskScope::~TaskScope() {
  CHECK(tasks_.empty());
  std::erase(loop_.scopes_, this);
}

TaskScope::TaskId TaskScope::Spawn(std::string name, Task<void> task) {
  if (closing_) return 0;
  const TaskId id = ++last_id_;
  Running& running = tasks_.emplace_back();
  running.id = id;
  running.name = std::move(name);
  running.started = loop_.Monotonic();
  boost::asio::co_spawn(
      loop_.executor(), std::move(task),
      boost::asio::bind_cancellation_slot(
          running.cancel.slot(), [this, id](std::exception_ptr error) { Ended(id, error); }));
  return id;
}

void TaskScope::Ended(TaskId id, std::exception_ptr error) {
  auto it = std::find_if(tasks_.begin(), tasks_.end(),
                         [&](const Running& running) { return running.id == id; });
  CHECK(it != tasks_.end());
  if (error && !IsCancellation(error))
    BUG(StrCat("task ", name_, "/", it->name, " ended by an exception: ", Describe(error)));
  tasks_.erase(it);
  ended_.Notify();
}

void TaskScope::Cancel(TaskId id) {
  // Emitted from a turn of its own: a task may cancel a sibling, or itself, without being resumed
  // inside the call.
  boost::asio::post(loop_.executor(), [this, id, scope = name_] {
    auto it = std::find_if(tasks_.begin(), tasks_.end(),
                           [&](const Running& running) { return running.id == id; });
    if (it != tasks_.end() && !it->cancelled) {
      it->cancelled = true;
      it->cancel.emit(boost::asio::cancellation_type::terminal);
    }
  });
}

void TaskScope::CancelAll() {
  for (Running& running : tasks_) {
    if (running.cancelled) continue;
    running.cancelled = true;
    running.cancel.emit(boost::asio::cancellation_type::terminal);
  }
}

Task<void> TaskScope::Close() {
  closing_ = true;
  CancelAll();
  co_await Join();
}

Task<void> TaskScope::Join() {
  while (!tasks_.empty()) co_await ended_.Wait();
}

void TaskScope::AppendTasks(std::vector<Loop::TaskInfo>& tasks) const {
  for (const Running& running : tasks_)
    tasks.push_back({name_, running.name, loop_.Monotonic() - running.started});
}

}  // namespace cubelet::async
