// The statuses of a pod's containers: from the spec, what was reported before, and the runtime's
// records (pod-lifecycle.md 9.3 to 9.5, probes.md 6). Pure.
#pragma once

#include <google/protobuf/repeated_field.h>

#include "api/types.h"
#include "status/restart_all.h"
#include "status/status_input.h"

namespace cubelet::status {

using StatusList = google::protobuf::RepeatedPtrField<v1::ContainerStatus>;

struct ContainerStatuses {
  StatusList init;       // in the order of the spec
  StatusList regular;    // by name
  StatusList ephemeral;  // by name
};

ContainerStatuses MakeContainerStatuses(const StatusInput& input, const v1::PodStatus& old,
                                        RestartAll restart_all);

// Whether the container is to be started (again), by its newest record alone (7.2.6).
bool ShouldBeRestarted(const v1::Pod& pod, const v1::Container& container,
                       const pleg::RuntimePod* runtime);

// What probes and state make of `started` and `ready` (probes.md 6.1, 6.2). `health` is null for a
// container without probes.
void ApplyHealth(const v1::Container& container, bool is_init, const ContainerHealth* health,
                 v1::ContainerStatus& status);

}  // namespace cubelet::status
