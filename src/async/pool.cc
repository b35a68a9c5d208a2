#include "async/pool.h"

#include <pthread.h>
#include <signal.h>

#include <utility>

namespace cubelet::async {

Pool::~Pool() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    jobs_.clear();
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Pool::Run(absl::AnyInvocable<void()> job) {
  std::lock_guard lock(mutex_);
  jobs_.push_back(std::move(job));
  if (idle_ >= static_cast<int>(jobs_.size()) ||
      threads_.size() >= static_cast<size_t>(max_threads_)) {
    wake_.notify_one();
    return;
  }
  // Signals are the loop's: a new thread starts with all of them blocked.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  threads_.emplace_back([this] { Work(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Pool::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    --idle_;
    if (stopping_) return;
    absl::AnyInvocable<void()> job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
  }
}

}  // namespace cubelet::async
