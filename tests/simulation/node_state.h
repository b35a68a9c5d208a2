// Whether a simulated node is as its manifests ask for.
#pragma once

#include <string>
#include <vector>

#include "simulation/invariants.h"
#include "simulation/sim_node.h"

namespace cubelet::simulation {

struct NodeExpectation {
  // Containers were killed from outside: what ends by itself may have failed.
  bool killed = false;
};

// What is not yet, or not any more, as it must be once nothing goes wrong, as sentences: every
// wanted pod has come to its end (`pod_kinds.h`), and of no other anything is left in the runtime,
// on disk, among mounts and cgroups, or among the agent's tasks. Empty: all is well.
std::vector<std::string> Unmet(SimNode& node, const Invariants& invariants,
                               const NodeExpectation& expectation);

}  // namespace cubelet::simulation
