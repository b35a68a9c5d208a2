// Every coroutine has an owner. Only TaskScope::Spawn starts one.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <cstdint>
#include <exception>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "async/loop.h"
#include "async/signal.h"
#include "async/task.h"

namespace cubelet::async {

// Owns running tasks. An exception that ends a task is a bug and is reported with the task's name,
// except the cancellation that Close or Cancel caused. The destructor checks that nothing runs any
// more.
class TaskScope {
 public:
  TaskScope(Loop& loop, std::string name);
  ~TaskScope();
  TaskScope(const TaskScope&) = delete;
  TaskScope& operator=(const TaskScope&) = delete;

  using TaskId = uint64_t;

  // Starts `task` in the next turn. 0, with the task dropped unstarted, once the scope is closing.
  TaskId Spawn(std::string name, Task<void> task);

  // Asks one task, or all, to end: their next suspension throws. A task that has ended is ignored.
  void Cancel(TaskId id);
  void CancelAll();

  // Refuses new tasks, cancels all and waits until they have ended. Must not be awaited from one of
  // its own tasks.
  Task<void> Close();

  // Waits until no task is left, without cancelling.
  Task<void> Join();

  size_t size() const { return tasks_.size(); }
  void AppendTasks(std::vector<Loop::TaskInfo>& tasks) const;

 private:
  struct Running {
    TaskId id;
    std::string name;
    absl::Duration started;
    bool cancelled = false;
    boost::asio::cancellation_signal cancel;
  };
  void Ended(TaskId id, std::exception_ptr error);

  Loop& loop_;
  const std::string name_;
  std::list<Running> tasks_;
  TaskId last_id_ = 0;
  bool closing_ = false;
  Signal ended_;
};

}  // namespace cubelet::async
