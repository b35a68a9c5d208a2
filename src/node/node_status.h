// The status of the Node object, field by field (node.md 2.2). Pure.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "api/types.h"
#include "node/node_facts.h"

namespace cubelet::node {

// Brings `node` up to date: its status, and the annotation that tells a cloud provider which
// addresses were asked for. Fields of others (volumesAttached, conditions of controllers) stay, and
// so does what cannot be found out now. Transitions are put to `events`, each once, which is what
// `memory` is for.
//
// OK, or why the addresses could not be set; all else is set nevertheless.
absl::Status UpdateStatus(const NodeFacts& facts, v1::Node& node, NodeMemory& memory,
                          std::vector<NodeEvent>& events);

// The addresses alone (2.2.1).
absl::Status SetAddresses(const NodeFacts& facts, v1::Node& node);

}  // namespace cubelet::node
