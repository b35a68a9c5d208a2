// Threads for calls that block. Part of Loop; use Loop::Blocking.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"

namespace cubelet::async {

// At most `max_threads` threads, each started when all others are busy; jobs run in the order
// given.
class Pool {
 public:
  explicit Pool(int max_threads) : max_threads_(max_threads) {}

  // Waits for running jobs; jobs that have not started are dropped.
  ~Pool();

  // Runs `job` on one of the threads. May be called from any thread.
  void Run(absl::AnyInvocable<void()> job);

 private:
  void Work();

  const int max_threads_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<absl::AnyInvocable<void()>> jobs_;
  std::vector<std::thread> threads_;
  int idle_ = 0;
  bool stopping_ = false;
};

}  // namespace cubelet::async
