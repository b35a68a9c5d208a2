// One operation per pod at a time.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "async/loop.h"
#include "async/signal.h"
#include "async/task.h"

namespace cubelet::volumes {

class PodTurns {
 public:
  // Held while it is this operation's turn.
  struct Turn {
    // Shared by the operations on one pod; gone with the last of them.
    std::shared_ptr<async::Semaphore> queue;
    async::Semaphore::Permit permit;
  };

  explicit PodTurns(async::Loop& loop) : loop_(loop) {}

  // Waits until all earlier operations on the pod have ended.
  async::Task<Turn> Take(std::string uid) {
    absl::erase_if(queues_, [](const auto& entry) { return entry.second.expired(); });
    std::shared_ptr<async::Semaphore> queue = queues_[uid].lock();
    if (queue == nullptr) {
      queue = std::make_shared<async::Semaphore>(loop_, 1);
      queues_[uid] = queue;
    }
    async::Semaphore::Permit permit = co_await queue->Acquire();
    co_return Turn{std::move(queue), std::move(permit)};
  }

 private:
  async::Loop& loop_;
  absl::flat_hash_map<std::string, std::weak_ptr<async::Semaphore>> queues_;
};

}  // namespace cubelet::volumes
