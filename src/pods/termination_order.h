// Who has to have ended before a container is stopped: a sidecar waits for all regular containers
// and for the sidecar behind it (pod-lifecycle.md 8.2.7).
#pragma once

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "api/types.h"
#include "async/loop.h"
#include "async/signal.h"
#include "async/task.h"

namespace cubelet::pods {

class TerminationOrder {
 public:
  // `running`: names of the containers that are to be ended; others count as ended.
  TerminationOrder(async::Loop& loop, const v1::Pod& pod, const std::vector<std::string>& running);

  // Whether the order matters at all: the pod has sidecars.
  bool has_sidecars() const { return has_sidecars_; }

  // Waits until it is the container's turn, at most `limit`. Gives how long it took.
  async::Task<absl::Duration> WaitForTurn(std::string container, absl::Duration limit);

  void Ended(const std::string& container);

 private:
  bool IsTurnOf(const std::string& container) const;

  async::Loop& loop_;
  async::Signal changed_;
  bool has_sidecars_ = false;
  absl::flat_hash_set<std::string> running_;
  absl::flat_hash_map<std::string, std::vector<std::string>> prerequisites_;
};

}  // namespace cubelet::pods
