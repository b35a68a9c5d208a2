// The one thread that owns all state of the agent, its time, and the pool for calls that block.
//
// A Loop is real (epoll, system clock) or virtual (time stands still while anything can run and
// then jumps to the next timer; blocking calls run in place). Code cannot tell which: it takes
// time, timers and randomness from here only. Everything but Post is to be called on the loop's
// thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "async/task.h"
#include "base/clock.h"

namespace boost::asio {
class io_context;
}

namespace cubelet::async {

class Loop {
 public:
  struct TaskInfo {
    std::string scope;
    std::string name;
    absl::Duration age;
  };

  // A loop on the system's clock with at most `pool_threads` threads for blocking calls, started
  // when first needed.
  static std::unique_ptr<Loop> Real(int pool_threads = 3);

  // A loop on a virtual clock that starts at `start`. Equal seeds give equal random numbers.
  static std::unique_ptr<Loop> Virtual(absl::Time start, uint64_t seed);

  virtual ~Loop() = default;

  // Runs until Stop was called and nothing is left to do. A virtual loop also returns when nothing
  // can ever happen again (no timer, nothing to run).
  virtual void Run() = 0;

  // Virtual loops only: runs everything that is due until the clock has reached `until`, then
  // returns.
  virtual void RunUntil(absl::Time until) = 0;

  // Virtual loops only: runs one thing that is due, after moving the clock to the next timer when
  // nothing is. False, with the clock at `until`, when there is nothing to run up to then.
  virtual bool RunOne(absl::Time until) = 0;

  // Ends Run once the work at hand is done; timers that are still set do not hold it. Call after
  // all scopes are closed.
  virtual void Stop() = 0;

  virtual const Clock& clock() const = 0;
  absl::Time Now() const { return clock().Now(); }
  absl::Duration Monotonic() const { return clock().Monotonic(); }

  // A random number in [0, 1).
  double Random() { return std::uniform_real_distribution<double>(0, 1)(random_); }
  std::mt19937_64& random() { return random_; }

  virtual boost::asio::io_context& io() = 0;
  virtual boost::asio::any_io_executor executor() = 0;

  // Runs `fn` on the loop soon. May be called from any thread.
  virtual void Post(absl::AnyInvocable<void()> fn) = 0;

  // Runs `fn` once after `delay`. The id cancels it; an id that has fired or is 0 is ignored.
  using TimerId = uint64_t;
  virtual TimerId AddTimer(absl::Duration delay, absl::AnyInvocable<void()> fn) = 0;
  virtual void CancelTimer(TimerId id) = 0;

  // Suspends for `duration`; at least one turn of the loop passes.
  Task<void> Sleep(absl::Duration duration);

  // Runs `fn` on the pool and gives its value. `fn` holds copies and touches no state of the loop;
  // it must not throw.
  template <typename F, typename T = std::invoke_result_t<F>>
  Task<T> Blocking(F fn);

  // All live tasks of all scopes, oldest first.
  std::vector<TaskInfo> Tasks() const;

  // The longest single turn seen since the last call: how long something else would have waited.
  virtual absl::Duration TakeMaxLag() = 0;

  // How often the loop has turned; moves as long as the loop is not stuck.
  virtual uint64_t Turns() const = 0;

 protected:
  explicit Loop(uint64_t seed) : random_(seed) {}
  virtual void RunBlocking(absl::AnyInvocable<void()> fn) = 0;

 private:
  friend class TaskScope;
  std::mt19937_64 random_;
  std::vector<const class TaskScope*> scopes_;
};

template <typename F, typename T>
Task<T> Loop::Blocking(F fn) {
  auto initiate = [this](auto handler, F work) {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    RunBlocking([this, shared, work = std::move(work)]() mutable {
      auto value = std::make_shared<T>(work());
      Post([shared, value] { std::move (*shared)(nullptr, std::move(*value)); });
    });
  };
  co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>,
                                                 void(std::exception_ptr, T)>(
      initiate, boost::asio::use_awaitable, std::move(fn));
}

}  // namespace cubelet::async
