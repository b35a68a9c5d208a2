// The Lease by which the control plane sees that the node lives (node.md 2.4). Pure.
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "api/types.h"
#include "kube/resources.h"

namespace cubelet::node {

inline constexpr char kLeaseNamespace[] = "kube-node-lease";
// A lease is renewed four times while it lasts, each time up to this share later.
inline constexpr double kLeaseJitter = 0.04;

absl::Duration LeaseRenewInterval(int32_t duration_seconds);

// The Lease as it is to be written now: `base`, the one the server has, or a new one when that is
// null. `owner` is the Node, which it dies with; null while the server has none.
coordinationv1::Lease WantedLease(const coordinationv1::Lease* base, const std::string& node_name,
                                  int32_t duration_seconds, const v1::Node* owner, absl::Time now);

}  // namespace cubelet::node
