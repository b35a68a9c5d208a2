// The pods that simulations run: one manifest of every kind of life a pod can have, and what must
// have become of it once nothing goes wrong any more.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fakes/sim_runtime.h"

namespace cubelet::simulation {

enum class End {
  kReady,         // Running and Ready
  kSucceeded,     // Succeeded, nothing runs
  kFailed,        // Failed, nothing runs
  kDeadline,      // Failed with DeadlineExceeded, nothing runs
  kRestarting,    // its container "main" is started again and again
  kRunning,       // Running, and no more is said
  kImageMissing,  // its container "main" waits for an image that there is not
};

struct PodKind {
  std::string name;
  std::string spec;  // flow-style YAML; "%v" stands for the variant
  End end = End::kReady;
  // Containers that end by themselves may be killed by a fault before; then such a pod fails.
  bool may_fail = false;
  // Its probes or hooks make the agent kill its containers.
  bool agent_kills = false;
};

const std::vector<PodKind>& PodKinds();

// The manifest of a pod of that kind; pods of different variants are different pods. `uid` may be
// "".
std::string MakeManifest(const PodKind& kind, const std::string& pod_name, int variant,
                         const std::string& uid = "");

// What runs in these pods and is not in their commands alone: images that can be pulled, the
// outcome of their exec probes and hooks, processes that succeed in the end.
void PrepareRuntime(fakes::SimRuntime& runtime, async::Loop& loop);

}  // namespace cubelet::simulation
