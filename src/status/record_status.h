// One record of the runtime as the status of a container (pod-lifecycle.md 9.4). Pure.
#pragma once

#include "api/types.h"
#include "pleg/runtime_pod.h"
#include "status/status_input.h"

namespace cubelet::status {

// `old` (may be null) is the last status of the same container. `container` is null for what the
// spec gives no resources (ephemeral containers).
v1::ContainerStatus MakeRecordStatus(const StatusInput& input, const pleg::ContainerRecord& record,
                                     const v1::Container* container, const v1::ContainerStatus* old,
                                     bool restarting_all);

}  // namespace cubelet::status
