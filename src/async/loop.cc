#include "async/loop.h"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>

#include "absl/container/btree_map.h"
#include "async/pool.h"
#include "async/scope.h"
#include "async/signal.h"
#include "base/check.h"
#include "base/log.h"

namespace cubelet::async {
namespace {

// A turn longer than this keeps everything else waiting long enough to be told.
constexpr absl::Duration kLagWarning = absl::Milliseconds(100);

// Timers ordered by due time, then by age.
class TimerQueue {
 public:
  Loop::TimerId Add(absl::Duration due, absl::AnyInvocable<void()> fn) {
    const Loop::TimerId id = ++last_id_;
    due_.emplace(id, due);
    timers_.emplace(std::pair(due, id), std::move(fn));
    return id;
  }

  void Cancel(Loop::TimerId id) {
    auto it = due_.find(id);
    if (it == due_.end()) return;
    timers_.erase(std::pair(it->second, id));
    due_.erase(it);
  }

  std::optional<absl::Duration> Next() const {
    if (timers_.empty()) return std::nullopt;
    return timers_.begin()->first.first;
  }

  // Runs what is due at `now`. A timer that is added meanwhile waits for the next call.
  void RunDue(absl::Duration now) {
    const Loop::TimerId newest = last_id_;
    while (!timers_.empty()) {
      auto it = std::find_if(timers_.begin(), timers_.end(),
                             [&](const auto& timer) { return timer.first.second <= newest; });
      if (it == timers_.end() || it->first.first > now) return;
      absl::AnyInvocable<void()> fn = std::move(it->second);
      due_.erase(it->first.second);
      timers_.erase(it);
      fn();
    }
  }

 private:
  Loop::TimerId last_id_ = 0;
  absl::btree_map<std::pair<absl::Duration, Loop::TimerId>, absl::AnyInvocable<void()>> timers_;
  absl::btree_map<Loop::TimerId, absl::Duration> due_;
};

class RealLoop final : public Loop {
 public:
  explicit RealLoop(int pool_threads)
      : Loop(std::random_device{}()),
        timer_(io_),
        work_(boost::asio::make_work_guard(io_)),
        pool_(pool_threads) {}

  void Run() override {
    while (true) {
      const absl::Duration start = clock_.Monotonic();
      if (io_.poll_one() == 0) {
        if (io_.run_one() == 0) return;
      } else {
        NoteTurn(clock_.Monotonic() - start);
      }
      ++turns_;
    }
  }

  void RunUntil(absl::Time) override { CHECK(false && "a real loop cannot be run until a time"); }

  bool RunOne(absl::Time) override {
    CHECK(false && "a real loop cannot be run step by step");
    return false;
  }

  void Stop() override {
    work_.reset();
    timer_.cancel();
  }

  const Clock& clock() const override { return clock_; }
  boost::asio::io_context& io() override { return io_; }
  boost::asio::any_io_executor executor() override { return io_.get_executor(); }

  void Post(absl::AnyInvocable<void()> fn) override { boost::asio::post(io_, std::move(fn)); }

  TimerId AddTimer(absl::Duration delay, absl::AnyInvocable<void()> fn) override {
    const TimerId id =
        timers_.Add(clock_.Monotonic() + std::max(delay, absl::ZeroDuration()), std::move(fn));
    Arm();
    return id;
  }

  void CancelTimer(TimerId id) override {
    timers_.Cancel(id);
    Arm();
  }

  absl::Duration TakeMaxLag() override { return std::exchange(max_lag_, absl::ZeroDuration()); }
  uint64_t Turns() const override { return turns_; }

 protected:
  void RunBlocking(absl::AnyInvocable<void()> fn) override { pool_.Run(std::move(fn)); }

 private:
  void NoteTurn(absl::Duration turn) {
    max_lag_ = std::max(max_lag_, turn);
    if (turn >= kLagWarning) LOG_WARNING("The loop was held up", {{"for", turn}});
  }

  // Keeps the one system timer at the earliest of ours; nothing is armed while nothing waits.
  void Arm() {
    const std::optional<absl::Duration> next = timers_.Next();
    if (next == armed_) return;
    armed_ = next;
    if (!next) {
      timer_.cancel();
      return;
    }
    const absl::Duration delay = std::max(*next - clock_.Monotonic(), absl::ZeroDuration());
    timer_.expires_after(absl::ToChronoNanoseconds(delay));
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      armed_.reset();
      timers_.RunDue(clock_.Monotonic());
      Arm();
    });
  }

  SystemClock clock_;
  boost::asio::io_context io_{1};
  boost::asio::steady_timer timer_;
  std::optional<absl::Duration> armed_;
  TimerQueue timers_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  absl::Duration max_lag_;
  uint64_t turns_ = 0;
  Pool pool_;
};

class VirtualLoop final : public Loop {
 public:
  VirtualLoop(absl::Time start, uint64_t seed) : Loop(seed), clock_(start) {}

  void Run() override { RunTo(absl::InfiniteFuture()); }
  void RunUntil(absl::Time until) override { RunTo(until); }

  bool RunOne(absl::Time until) override {
    while (true) {
      io_.restart();
      if (io_.poll_one() > 0) {
        ++turns_;
        return true;
      }
      const std::optional<absl::Duration> next = timers_.Next();
      if (!next || stopped_) break;
      const absl::Duration wait = *next - clock_.Monotonic();
      if (clock_.Now() + wait > until) break;
      clock_.Advance(std::max(wait, absl::ZeroDuration()));
      timers_.RunDue(clock_.Monotonic());
    }
    if (until != absl::InfiniteFuture() && !stopped_) clock_.Advance(until - clock_.Now());
    return false;
  }

  void Stop() override { stopped_ = true; }

  const Clock& clock() const override { return clock_; }
  boost::asio::io_context& io() override { return io_; }
  boost::asio::any_io_executor executor() override { return io_.get_executor(); }
  void Post(absl::AnyInvocable<void()> fn) override { boost::asio::post(io_, std::move(fn)); }

  TimerId AddTimer(absl::Duration delay, absl::AnyInvocable<void()> fn) override {
    return timers_.Add(clock_.Monotonic() + std::max(delay, absl::ZeroDuration()), std::move(fn));
  }
  void CancelTimer(TimerId id) override { timers_.Cancel(id); }

  absl::Duration TakeMaxLag() override { return absl::ZeroDuration(); }
  uint64_t Turns() const override { return turns_; }

 protected:
  void RunBlocking(absl::AnyInvocable<void()> fn) override { Post(std::move(fn)); }

 private:
  void RunTo(absl::Time until) {
    while (RunOne(until)) {
    }
  }

  VirtualClock clock_;
  boost::asio::io_context io_{1};
  TimerQueue timers_;
  bool stopped_ = false;
  uint64_t turns_ = 0;
};

}  // namespace

std::unique_ptr<Loop> Loop::Real(int pool_threads) {
  return std::make_unique<RealLoop>(pool_threads);
}

std::unique_ptr<Loop> Loop::Virtual(absl::Time start, uint64_t seed) {
  return std::make_unique<VirtualLoop>(start, seed);
}

Task<void> Loop::Sleep(absl::Duration duration) {
  Signal never(*this);
  co_await never.WaitFor(duration);
}

std::vector<Loop::TaskInfo> Loop::Tasks() const {
  std::vector<TaskInfo> tasks;
  for (const TaskScope* scope : scopes_) scope->AppendTasks(tasks);
  std::sort(tasks.begin(), tasks.end(),
            [](const TaskInfo& a, const TaskInfo& b) { return a.age > b.age; });
  return tasks;
}

}  // namespace cubelet::async
