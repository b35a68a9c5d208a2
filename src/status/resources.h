// Resources in a status: what was allocated, corrected by what is in force (containers.md 8.4).
// Pure.
#pragma once

#include "api/types.h"
#include "pleg/runtime_pod.h"
#include "status/status_input.h"

namespace cubelet::status {

// `resources` and `allocatedResources` of an instance. `old` (may be null) is the last status of
// the same container, whose values stay where the runtime says nothing.
void SetContainerResources(const v1::Container& container, const pleg::ContainerRecord& record,
                           const v1::ContainerStatus* old, v1::ContainerStatus& status);

// `resources` and `allocatedResources` of the whole pod. `running`: the API knows the pod as
// Running; its cgroup's values then stand for what was asked for.
void SetPodResources(const v1::Pod& pod, bool running, const PodCgroupValues* cgroup,
                     v1::PodStatus& status);

}  // namespace cubelet::status
