// Capacity and allocatable of the Node object, where others may have written resources of their own
// (node.md 1.3, 2.2.2). Pure.
#pragma once

#include "api/types.h"
#include "node/node_facts.h"

namespace cubelet::node {

// Writes the resources of the machine and of device plugins. What others have put into the capacity
// stays, and all of it may be used; extended resources that are in the capacity no more are taken
// out of the allocatable ones.
void SetResources(const NodeFacts& facts, v1::NodeStatus& status);

// Extended resources become zero until their plugins come again.
void ZeroExtendedResources(v1::NodeStatus& status);

// Page sizes become those of `wanted`: added, changed, removed.
void ReconcileHugePages(const v1::NodeStatus& wanted, v1::NodeStatus& status);

}  // namespace cubelet::node
