// Whether all containers of a pod are being started anew, because one ended with an exit code that
// a RestartAllContainers rule names (pod-lifecycle.md 7.2.2, 10.9). Pure.
#pragma once

#include "status/status_input.h"

namespace cubelet::status {

inline constexpr char kRestartingAllReason[] = "RestartingAllContainers";
inline constexpr char kRestartingAllMessage[] =
    "The container is removed because RestartAllContainers in place";

enum class RestartAll {
  kNone,
  kInProgress,  // containers are being ended and removed
  kAllRemoved,  // nothing is left of the old ones: the pod starts over
};

// From the rules, the runtime's newest records, and what `old` says already.
RestartAll RestartAllStage(const v1::Pod& pod, const pleg::RuntimePod* runtime,
                           const v1::PodStatus& old);

}  // namespace cubelet::status
