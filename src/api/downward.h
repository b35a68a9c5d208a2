// What a pod can learn about itself: field and resource references, for environment variables and
// downwardAPI volumes alike. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "api/pod.h"
#include "api/types.h"

namespace cubelet::api {

// What the pod's object does not hold.
struct DownwardContext {
  std::vector<std::string> host_ips;  // primary first; also status.hostIP
  std::vector<std::string> pod_ips;   // primary first; also status.podIP
  ResourceAmounts node_allocatable;   // stands in for limits that are not set
};

// The value of `field_path`: metadata.name|namespace|uid|labels|annotations (also with ['key']),
// spec.nodeName (also as spec.host), spec.serviceAccountName, status.hostIP(s), status.podIP(s)
// (containers.md 3.4.4). Error: `unsupported fieldPath: %v`.
absl::StatusOr<std::string> FieldValue(const v1::Pod& pod, std::string_view field_path,
                                       const DownwardContext& context);

// requests.* or limits.* of the selected container (the selector's, or `default_container` when it
// names none), divided and rounded up. Errors: `unsupported container resource : %v`, a container
// that does not exist.
absl::StatusOr<std::string> ResourceValue(const v1::Pod& pod,
                                          const v1::ResourceFieldSelector& selector,
                                          std::string_view default_container,
                                          const DownwardContext& context);

}  // namespace cubelet::api
