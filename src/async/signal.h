// What coroutines wait on: Signal (wake who waits now), Wakeup (remembers that it was rung) and
// Semaphore.
#pragma once

#include <cstdint>
#include <list>
#include <memory>

#include "absl/time/time.h"
#include "async/loop.h"
#include "async/task.h"

namespace cubelet::async {

// Wakes every coroutine that waits at that moment; a Notify that nobody waits for is lost. The
// condition itself is state of the caller: wait in a loop that looks again. Destroying it while
// somebody waits ends the wait as a timeout.
class Signal {
 public:
  explicit Signal(Loop& loop) : loop_(loop) {}
  ~Signal();
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

  void Notify();
  Task<void> Wait();

  // True when notified, false after `timeout`. absl::InfiniteDuration() waits without a timer.
  Task<bool> WaitFor(absl::Duration timeout);

  bool has_waiters() const { return !waiters_.empty(); }

 private:
  struct Waiter;
  static void Complete(const std::shared_ptr<Waiter>& waiter, bool notified, bool cancelled);

  Loop& loop_;
  std::list<std::shared_ptr<Waiter>> waiters_;
};

// One consumer: rings are remembered and collapse into one, so none is lost between two waits.
class Wakeup {
 public:
  explicit Wakeup(Loop& loop) : signal_(loop) {}

  void Ring() {
    rung_ = true;
    signal_.Notify();
  }

  // Returns at once if rung since the last wait; otherwise when rung (true) or after `timeout`
  // (false).
  Task<bool> WaitFor(absl::Duration timeout);
  Task<void> Wait();

 private:
  Signal signal_;
  bool rung_ = false;
};

// Counts permits; waiters get them in order.
class Semaphore {
 public:
  Semaphore(Loop& loop, int64_t permits) : loop_(loop), permits_(permits) {}

  // Gives its permit back when it dies.
  class Permit {
   public:
    Permit() = default;
    explicit Permit(Semaphore* semaphore) : semaphore_(semaphore) {}
    Permit(Permit&& other) noexcept : semaphore_(std::exchange(other.semaphore_, nullptr)) {}
    Permit& operator=(Permit&& other) noexcept {
      std::swap(semaphore_, other.semaphore_);
      return *this;
    }
    ~Permit() {
      if (semaphore_ != nullptr) semaphore_->Release();
    }

   private:
    Semaphore* semaphore_ = nullptr;
  };

  Task<Permit> Acquire();

 private:
  void Release();

  Loop& loop_;
  int64_t permits_;
  std::list<Signal*> queue_;
};

}  // namespace cubelet::async
