// Whether the node is one that the pod asks for and may be on: selector and affinity, ports, taints
// (pod-lifecycle.md 4.7.7). Pure.
#pragma once

#include <vector>

#include "api/types.h"
#include "node/admission.h"

namespace cubelet::node {

// spec.nodeSelector and the required node affinity against the node's labels and name.
bool MatchesNodeAffinity(const v1::Pod& pod, const NodeView& node);

// Whether none of the host ports is taken: the same port and protocol on the same address, where an
// unset address is all of them.
bool HostPortsAreFree(const v1::Pod& pod, const std::vector<PodPtr>& others);

bool Tolerates(const v1::Pod& pod, const v1::Taint& taint);

// Whether every taint with the effect NoExecute is tolerated.
bool ToleratesNoExecute(const v1::Pod& pod, const std::vector<v1::Taint>& taints);

}  // namespace cubelet::node
