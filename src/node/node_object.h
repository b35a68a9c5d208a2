// The Node object apart from its status: how the agent registers itself, what it puts right in a
// Node that is there already, and the patch that carries a change (node.md 1, 2.1). Pure.
#pragma once

#include <boost/json/object.hpp>
#include <vector>

#include "absl/status/statusor.h"
#include "api/types.h"
#include "node/node_facts.h"

namespace cubelet::node {

struct InitialObject {
  v1::Node node;
  std::vector<NodeEvent> events;
  absl::Status addresses;  // why it has none
};

// The Node to register (1.2): labels, taints, annotations, provider id, and the whole status.
InitialObject InitialNode(const NodeFacts& facts);

// `existing` with what is the kubelet's own brought to `wanted`, the initial Node (1.3). Labels,
// annotations and taints of others stay, and so do taints of an earlier registration.
v1::Node ReconcileExisting(const v1::Node& existing, const v1::Node& wanted,
                           bool devices_forgotten);

// `existing` as it is to be reported now: the labels of system and architecture restored (2.1.1)
// and the status up to date. Errors as of UpdateStatus, in `addresses`.
struct UpdatedObject {
  v1::Node node;
  std::vector<NodeEvent> events;
  absl::Status addresses;
};
UpdatedObject UpdatedNode(const NodeFacts& facts, const v1::Node& existing, NodeMemory& memory);

// The strategic merge patch of nodes/<name>/status from one state to another: labels, annotations
// and status. Empty when they are the same. Error: a status that cannot be merged.
absl::StatusOr<boost::json::object> NodePatch(const v1::Node& from, const v1::Node& to);

}  // namespace cubelet::node
