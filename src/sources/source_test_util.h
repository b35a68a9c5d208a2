// A real loop with a time limit, and what a source has delivered, for tests.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "async/loop.h"
#include "async/scope.h"
#include "sources/source.h"

namespace cubelet::sources {

// Runs a test's coroutine on a real loop, with a scope for what it starts.
class LoopTest : public testing::Test {
 protected:
  LoopTest() : loop_(async::Loop::Real()), work_(*loop_, "work"), test_(*loop_, "test") {}

  void Run(async::Task<void> body) {
    test_.Spawn("test", Finish(std::move(body)));
    loop_->Run();
  }

  // Until `done` or ten seconds have passed, which is a failure.
  async::Task<bool> Eventually(std::function<bool()> done) {
    const absl::Duration limit = loop_->Monotonic() + absl::Seconds(10);
    while (!done()) {
      if (loop_->Monotonic() > limit) {
        ADD_FAILURE() << "did not happen within ten seconds";
        co_return false;
      }
      co_await loop_->Sleep(absl::Milliseconds(2));
    }
    co_return true;
  }

  Deliver Collect() {
    return [this](std::string source, std::vector<PodPtr> pods, bool complete) {
      source_ = std::move(source);
      complete_ = complete;
      pods_ = std::move(pods);
      ++deliveries_;
    };
  }
  ReportProblems CollectProblems() {
    return [this](const Problems& problems) { problems_ = problems; };
  }
  std::string Names() const {
    std::string names;
    for (const PodPtr& pod : pods_) names += pod->metadata().name() + " ";
    return names;
  }

  std::unique_ptr<async::Loop> loop_;
  async::TaskScope work_;
  async::TaskScope test_;
  std::string source_;
  bool complete_ = false;
  std::vector<PodPtr> pods_;
  int deliveries_ = 0;
  Problems problems_;

 private:
  async::Task<void> Finish(async::Task<void> body) {
    co_await std::move(body);
    co_await work_.Close();
    loop_->Stop();
  }
};

}  // namespace cubelet::sources
