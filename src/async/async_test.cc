#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "async/backoff.h"
#include "async/loop.h"
#include "async/scope.h"
#include "async/signal.h"
#include "async/timeout.h"
#include "base/check.h"

namespace cubelet::async {
namespace {

using testing::ElementsAre;

const absl::Time kStart = absl::UnixEpoch() + absl::Hours(24 * 365);

class AsyncTest : public testing::Test {
 protected:
  void Run() { loop_->Run(); }
  std::unique_ptr<Loop> loop_ = Loop::Virtual(kStart, 1);
  std::vector<std::string> log_;

  Task<void> SleepAndLog(absl::Duration duration, std::string text) {
    co_await loop_->Sleep(duration);
    log_.push_back(text);
  }
  Task<void> CloseScope(TaskScope* scope) { co_await scope->Close(); }
  Task<void> LogWhenCancelled(std::string text) {
    struct OnExit {
      std::vector<std::string>* log;
      std::string text;
      ~OnExit() { log->push_back(text); }
    } on_exit{&log_, text};
    co_await loop_->Sleep(absl::Hours(1));
    log_.push_back("not cancelled");
  }
};

TEST_F(AsyncTest, VirtualTimeJumpsToTheNextTimer) {
  TaskScope scope(*loop_, "test");
  scope.Spawn("b", SleepAndLog(absl::Hours(2), "b"));
  scope.Spawn("a", SleepAndLog(absl::Hours(1), "a"));
  Run();
  EXPECT_THAT(log_, ElementsAre("a", "b"));
  EXPECT_EQ(loop_->Now(), kStart + absl::Hours(2));
}

TEST_F(AsyncTest, CloseCancelsAndWaits) {
  TaskScope scope(*loop_, "test"), closer(*loop_, "closer");
  scope.Spawn("sleeper", LogWhenCancelled("ended"));
  loop_->RunUntil(kStart + absl::Seconds(1));
  closer.Spawn("close", CloseScope(&scope));
  Run();
  EXPECT_THAT(log_, ElementsAre("ended"));
  EXPECT_EQ(scope.size(), 0u);
  EXPECT_EQ(scope.Spawn("late", SleepAndLog(absl::Seconds(1), "late")), 0u);
  EXPECT_LT(loop_->Now(), kStart + absl::Minutes(1));
}

TEST_F(AsyncTest, CancelEndsOneTaskOnly) {
  TaskScope scope(*loop_, "test");
  const TaskScope::TaskId id = scope.Spawn("victim", LogWhenCancelled("victim"));
  scope.Spawn("other", SleepAndLog(absl::Seconds(5), "other"));
  loop_->RunUntil(kStart + absl::Seconds(1));
  scope.Cancel(id);
  Run();
  EXPECT_THAT(log_, ElementsAre("victim", "other"));
}

TEST_F(AsyncTest, TasksAreListedByNameAndAge) {
  TaskScope scope(*loop_, "pods");
  scope.Spawn("old", SleepAndLog(absl::Hours(1), ""));
  loop_->RunUntil(kStart + absl::Seconds(10));
  scope.Spawn("new", SleepAndLog(absl::Hours(1), ""));
  auto tasks = loop_->Tasks();
  ASSERT_EQ(tasks.size(), 2u);
  EXPECT_EQ(tasks[0].name, "old");
  EXPECT_EQ(tasks[0].scope, "pods");
  EXPECT_EQ(tasks[0].age, absl::Seconds(10));
  Run();
}

TEST_F(AsyncTest, WakeupRemembersOneRing) {
  Wakeup wakeup(*loop_);
  wakeup.Ring();
  wakeup.Ring();
  TaskScope scope(*loop_, "test");
  struct Body {
    static Task<void> Run(Wakeup* wakeup, std::vector<std::string>* log) {
      log->push_back(co_await wakeup->WaitFor(absl::Seconds(1)) ? "rung" : "timeout");
      log->push_back(co_await wakeup->WaitFor(absl::Seconds(1)) ? "rung" : "timeout");
    }
  };
  scope.Spawn("waiter", Body::Run(&wakeup, &log_));
  Run();
  EXPECT_THAT(log_, ElementsAre("rung", "timeout"));
}

TEST_F(AsyncTest, SemaphoreServesInOrder) {
  Semaphore semaphore(*loop_, 1);
  TaskScope scope(*loop_, "test");
  struct Body {
    static Task<void> Run(Loop* loop, Semaphore* semaphore, std::vector<std::string>* log,
                          std::string name) {
      Semaphore::Permit permit = co_await semaphore->Acquire();
      log->push_back(StrCat(name, " in"));
      co_await loop->Sleep(absl::Seconds(1));
      log->push_back(StrCat(name, " out"));
    }
  };
  const auto a = scope.Spawn("a", Body::Run(loop_.get(), &semaphore, &log_, "a"));
  const auto b = scope.Spawn("b", Body::Run(loop_.get(), &semaphore, &log_, "b"));
  scope.Spawn("c", Body::Run(loop_.get(), &semaphore, &log_, "c"));
  loop_->RunUntil(kStart + absl::Milliseconds(500));
  scope.Cancel(b);  // waits: its place is given up
  scope.Cancel(a);  // holds: its permit comes back
  Run();
  EXPECT_THAT(log_, ElementsAre("a in", "c in", "c out"));
}

Task<absl::StatusOr<int>> AnswerAfter(Loop* loop, absl::Duration delay) {
  co_await loop->Sleep(delay);
  co_return 7;
}

TEST_F(AsyncTest, TimeoutCancelsTheTask) {
  TaskScope scope(*loop_, "test");
  struct Body {
    static Task<void> Run(Loop* loop, std::vector<std::string>* log) {
      absl::StatusOr<int> slow =
          co_await WithTimeout(*loop, AnswerAfter(loop, absl::Hours(1)), absl::Seconds(2), "ask");
      log->push_back(std::string(slow.status().message()));
      absl::StatusOr<int> fast =
          co_await WithTimeout(*loop, AnswerAfter(loop, absl::Seconds(1)), absl::Seconds(2), "ask");
      log->push_back(fast.ok() ? StrCat(*fast) : "failed");
    }
  };
  scope.Spawn("caller", Body::Run(loop_.get(), &log_));
  Run();
  EXPECT_THAT(log_, ElementsAre("ask: timed out after 2s", "7"));
  EXPECT_EQ(loop_->Now(), kStart + absl::Seconds(3));
}

TEST_F(AsyncTest, CancellingTheCallerCancelsWhatItAwaitsWithATimeout) {
  TaskScope scope(*loop_, "test");
  struct Body {
    static Task<void> Run(Loop* loop, std::vector<std::string>* log) {
      (void)co_await WithTimeout(*loop, AnswerAfter(loop, absl::Hours(1)), absl::Hours(2), "ask");
      log->push_back("reached");
    }
  };
  const auto id = scope.Spawn("caller", Body::Run(loop_.get(), &log_));
  loop_->RunUntil(kStart + absl::Seconds(1));
  scope.Cancel(id);
  Run();
  EXPECT_TRUE(log_.empty());
  EXPECT_EQ(scope.size(), 0u);
}

TEST(RealLoop, BlockingRunsElsewhereAndReturnsHere) {
  auto loop = Loop::Real();
  TaskScope scope(*loop, "test");
  std::thread::id blocking_thread, resumed_thread;
  struct Body {
    static Task<void> Run(Loop* loop, std::thread::id* blocking, std::thread::id* resumed) {
      *blocking = co_await loop->Blocking([] { return std::this_thread::get_id(); });
      *resumed = std::this_thread::get_id();
      co_await loop->Sleep(absl::Milliseconds(1));
      loop->Stop();
    }
  };
  scope.Spawn("body", Body::Run(loop.get(), &blocking_thread, &resumed_thread));
  loop->Run();
  EXPECT_NE(blocking_thread, std::this_thread::get_id());
  EXPECT_EQ(resumed_thread, std::this_thread::get_id());
}

TEST(RealLoop, PostFromAnotherThreadWakesTheLoop) {
  auto loop = Loop::Real();
  bool ran = false;
  std::thread other([&] {
    loop->Post([&] {
      ran = true;
      loop->Stop();
    });
  });
  loop->Run();
  other.join();
  EXPECT_TRUE(ran);
}

TEST(Backoff, DoublesUpToTheCap) {
  Backoff backoff(absl::Seconds(10), absl::Seconds(35));
  EXPECT_EQ(backoff.Next(), absl::Seconds(10));
  EXPECT_EQ(backoff.Next(), absl::Seconds(20));
  EXPECT_EQ(backoff.Next(), absl::Seconds(35));
  backoff.Reset();
  EXPECT_EQ(backoff.Next(), absl::Seconds(10));
}

TEST(RateLimiter, AllowsTheBurstThenTheRate) {
  RateLimiter limiter(2, 3, absl::ZeroDuration());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(limiter.TryTake(absl::ZeroDuration()));
  EXPECT_FALSE(limiter.TryTake(absl::ZeroDuration()));
  EXPECT_TRUE(limiter.TryTake(absl::Milliseconds(500)));
  EXPECT_FALSE(limiter.TryTake(absl::Milliseconds(500)));
}

}  // namespace
}  // namespace cubelet::async
