// Why a pod is not ready, in the one sentence an operator needs first.
#pragma once

#include <map>
#include <string>

#include "api/types.h"

namespace cubelet::status {

// What the pod's status does not tell.
struct Circumstances {
  std::string sync_error;  // what its last turn failed with, "" when it did not
  // It failed at what comes before containers (a volume, the sandbox, the network): what they show
  // is older.
  bool before_containers = false;
  // By container name: what its last startup or readiness probe said when it failed.
  std::map<std::string, std::string> probe_failures;
};

// "" when the pod is ready. The first thing in the pod's own order that stands in the way: its end
// (phase, reason), the error of its last turn, an init container, a container's state, a probe, a
// readiness gate:
//   container "web" is waiting: CrashLoopBackOff: back-off 40s restarting failed container=web ...
//   init container "wait" is running
//   readiness probe of container "web" has not succeeded: HTTP probe failed with statuscode: 503
std::string WhyNotReady(const v1::Pod& pod, const v1::PodStatus& status,
                        const Circumstances& circumstances = {});

}  // namespace cubelet::status
