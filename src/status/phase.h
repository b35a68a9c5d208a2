// The phase of a pod from the statuses of its containers (pod-lifecycle.md 9.2). Pure.
#pragma once

#include <string>

#include "api/types.h"
#include "pleg/runtime_pod.h"
#include "status/container_statuses.h"

namespace cubelet::status {

// "Pending", "Running", "Succeeded" or "Failed". `terminal`: the containers have ended for good.
// `runtime` may be null.
std::string ComputePhase(const v1::Pod& pod, const ContainerStatuses& statuses,
                         const pleg::RuntimePod* runtime, bool terminal);

}  // namespace cubelet::status
