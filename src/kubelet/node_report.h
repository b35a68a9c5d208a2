// What the node tells of itself: configuration and machine as facts, which hold as long as the
// process lives, and what of the runtime and of the machine may change while it does.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "async/loop.h"
#include "async/task.h"
#include "config/config.h"
#include "cri/runtime.h"
#include "kubelet/machine.h"
#include "kubelet/settings.h"
#include "node/node_facts.h"
#include "node/runtime_health.h"

namespace cubelet::kubelet {

// The part that does not change. Blocking: reads the machine's files.
node::NodeFacts FixedFacts(const config::Config& config, const Machine& machine,
                           const AgentSettings& settings);

class NodeFactsGatherer {
 public:
  // All that is given outlives the gatherer.
  NodeFactsGatherer(async::Loop& loop, cri::Images& images, const node::RuntimeHealth& health,
                    node::NodeFacts fixed, int max_images);

  // What the runtime has said of itself, at the start and whenever it says it anew.
  void SetRuntime(const criv1::VersionResponse& version);
  void SetRuntime(const criv1::StatusResponse& status);

  // The facts as they are now. Addresses are looked up at most once a minute, images every 30 s.
  async::Task<node::NodeFacts> Gather();

 private:
  async::Task<void> LookUpAddresses();
  async::Task<void> ListImages();
  void AddProblems(node::NodeFacts& facts) const;

  async::Loop& loop_;
  cri::Images& images_;
  const node::RuntimeHealth& health_;
  const int max_images_;
  node::NodeFacts facts_;
  absl::Duration addresses_at_ = -absl::InfiniteDuration();  // monotonic times
  absl::Duration images_at_ = -absl::InfiniteDuration();
};

}  // namespace cubelet::kubelet
