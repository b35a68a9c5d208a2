// Whom the serving certificate is to name that the cluster signs (node.md 16.4).
#pragma once

#include <optional>

#include "api/types.h"
#include "certs/certificate.h"

namespace cubelet::kubelet {

// The node's names and addresses, sorted: Hostname, InternalDNS and ExternalDNS as host names,
// InternalIP and ExternalIP (and a Hostname that is one) as addresses. nullopt while there is no
// address: such a request would not be signed. Pure.
std::optional<certs::Subject> ServingSubject(const v1::Node& node);

}  // namespace cubelet::kubelet
