// Seccomp and AppArmor profiles of containers (containers.md 3.6.5, 3.6.6). Pure.
#pragma once

#include "absl/status/statusor.h"
#include "api/types.h"
#include "containers/node_context.h"
#include "cri/types.h"

namespace cubelet::containers {

// The container's profile, or the pod's, or the node's default. Error: a Localhost profile without
// a name.
absl::StatusOr<criv1::SecurityProfile> SeccompProfileOf(const v1::Pod& pod,
                                                        const v1::Container& container,
                                                        const NodeContext& node);

// Sets the AppArmor profile, as a message and in the older form, where the container, an annotation
// or the pod names one.
absl::Status SetAppArmorProfile(const v1::Pod& pod, const v1::Container& container,
                                criv1::LinuxContainerSecurityContext* out);

}  // namespace cubelet::containers
