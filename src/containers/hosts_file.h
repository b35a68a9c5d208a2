// The /etc/hosts of a pod's containers (containers.md 3.5.10). Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "api/types.h"
#include "containers/node_context.h"

namespace cubelet::containers {

inline constexpr unsigned kHostsFileMode = 0644;

// What paths::Paths::PodEtcHosts is to hold, written at each start of a container. `node_hosts` is
// the node's own /etc/hosts, looked at for hostNetwork pods only. Error: a host name that is none.
absl::StatusOr<std::string> HostsFile(const v1::Pod& pod, const NodeContext& node,
                                      const std::vector<std::string>& pod_ips,
                                      std::string_view node_hosts);

}  // namespace cubelet::containers
