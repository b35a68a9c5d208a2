// The IPs in a pod's status (pod-lifecycle.md 9.1.9 to 9.1.11). Pure.
#pragma once

#include <string>
#include <vector>

#include "api/types.h"
#include "status/status_input.h"

namespace cubelet::status {

// hostIP, hostIPs, podIP and podIPs. A pod that has lost its sandbox keeps the IPs of `old`; a pod
// on the host's network has the host's.
void SetAddresses(const StatusInput& input, const v1::PodStatus& old, v1::PodStatus& status);

// One IP of each family, the primary family first; texts that are no IPs are left out.
std::vector<std::string> OnePerFamily(const std::vector<std::string>& ips, bool primary_ipv6);

}  // namespace cubelet::status
