// Deadlines. The awaited task is cancelled and waited for: it must end soon after its cancellation,
// which everything that suspends through this folder does.
#pragma once

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "async/loop.h"
#include "async/task.h"
#include "base/strings.h"

namespace cubelet::async {

// Awaits `task` under a cancellation of its own: `canceller` ends it, and so does the cancellation
// of the awaiting task. A cancelled task gives CANCELLED.
class Canceller;
template <typename T>
Task<T> WithCancel(Loop& loop, Task<T> task, std::shared_ptr<Canceller> canceller);

// Awaits `task` for at most `timeout`. T is absl::Status or absl::StatusOr<...>: after the timeout
// the result is DEADLINE_EXCEEDED, "<what>: timed out after <timeout>".
template <typename T>
Task<T> WithTimeout(Loop& loop, Task<T> task, absl::Duration timeout, std::string what);

class Canceller {
 public:
  void Cancel() {
    cancelled_ = true;
    signal_.emit(boost::asio::cancellation_type::terminal);
  }
  bool cancelled() const { return cancelled_; }

 private:
  template <typename T>
  friend Task<T> CancellableTask(Loop* loop, Task<T> task, std::shared_ptr<Canceller> canceller);
  boost::asio::cancellation_signal signal_;
  bool cancelled_ = false;
};

// The coroutines behind the two functions: their parameters are values, also the loop's address.
template <typename T>
Task<T> CancellableTask(Loop* loop, Task<T> task, std::shared_ptr<Canceller> canceller) {
  using Signature = void(std::exception_ptr, T);
  auto initiate = [loop](auto handler, Task<T> inner, std::shared_ptr<Canceller> stop) {
    auto slot = boost::asio::get_associated_cancellation_slot(handler);
    if (slot.is_connected()) {
      slot.assign([weak = std::weak_ptr<Canceller>(stop)](boost::asio::cancellation_type type) {
        if (auto alive = weak.lock()) alive->signal_.emit(type);
      });
    }
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    boost::asio::co_spawn(
        loop->executor(), std::move(inner),
        boost::asio::bind_cancellation_slot(stop->signal_.slot(),
                                            [shared, stop](std::exception_ptr error, T value) {
                                              if (error && stop->cancelled_) {
                                                error = nullptr;
                                                value = absl::CancelledError("cancelled");
                                              }
                                              std::move (*shared)(error, std::move(value));
                                            }));
  };
  co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, Signature>(
      initiate, boost::asio::use_awaitable, std::move(task), std::move(canceller));
}

template <typename T>
Task<T> TimedTask(Loop* loop, Task<T> task, absl::Duration timeout, std::string what) {
  auto canceller = std::make_shared<Canceller>();
  struct Timer {
    Loop* loop;
    Loop::TimerId id;
    ~Timer() { loop->CancelTimer(id); }
  } timer{loop, loop->AddTimer(timeout, [weak = std::weak_ptr<Canceller>(canceller)] {
            if (auto alive = weak.lock()) alive->Cancel();
          })};
  T result = co_await CancellableTask(loop, std::move(task), canceller);
  if (canceller->cancelled()) {
    co_return absl::DeadlineExceededError(
        StrCat(what, ": timed out after ", FormatGoDuration(timeout)));
  }
  co_return result;
}

template <typename T>
Task<T> WithCancel(Loop& loop, Task<T> task, std::shared_ptr<Canceller> canceller) {
  return CancellableTask(&loop, std::move(task), std::move(canceller));
}

template <typename T>
Task<T> WithTimeout(Loop& loop, Task<T> task, absl::Duration timeout, std::string what) {
  return TimedTask(&loop, std::move(task), timeout, std::move(what));
}

}  // namespace cubelet::async
