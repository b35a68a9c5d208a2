// Why a pod is not ready, in the one sentence an operator needs first.
#pragma once

#include <string>
#include <string_view>

#include "api/types.h"

namespace cubelet::status {

// "" when the pod is ready. The first thing in the pod's own order that stands in the way: its end
// (phase, reason), the sync's last error (`sync_error`: a volume that cannot be mounted, a sandbox
// that cannot be made), an init container, a container's state, a probe, a readiness gate:
//   container "web" is waiting: CrashLoopBackOff: back-off 40s restarting failed container=web ...
//   init container "wait" is running
//   readiness probe of container "web" has not succeeded
std::string WhyNotReady(const v1::Pod& pod, const v1::PodStatus& status,
                        std::string_view sync_error = {});

}  // namespace cubelet::status
