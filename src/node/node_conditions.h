// The conditions that the kubelet keeps on its Node (node.md 2.2.6). Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/types.h"
#include "node/node_facts.h"

namespace cubelet::node {

inline constexpr char kNodeReady[] = "Ready";

// Null when the node has no such condition.
const v1::NodeCondition* FindNodeCondition(const v1::NodeStatus& status, std::string_view type);

// Whether the condition Ready is "True".
bool IsReady(const v1::NodeStatus& status);

// Brings MemoryPressure, DiskPressure, PIDPressure and Ready up to date; `status` has the capacity
// already. Conditions of others stay. Transitions are put to `events`.
void SetConditions(const NodeFacts& facts, v1::NodeStatus& status, std::vector<NodeEvent>& events);

// "Node lab status is now: NodeReady"
NodeEvent StatusEvent(const std::string& node_name, std::string_view reason);

}  // namespace cubelet::node
