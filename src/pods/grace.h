// How long containers and pods are given to end. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "api/types.h"
#include "pods/plan.h"

namespace cubelet::pods {

// What a container is stopped with at the least, so that its signal handlers can run.
inline constexpr int64_t kMinimumContainerGraceSeconds = 2;

// Seconds a container of the pod is given (pod-lifecycle.md 8.2.2): `container` null when its spec
// is not known. `override_seconds` wins over everything.
int64_t ContainerGraceSeconds(const v1::Pod& pod, const v1::Container* container, KillReason reason,
                              std::optional<int64_t> override_seconds);

// The pod's effective grace period (pod-lifecycle.md 5.3): `current` is what is in force (0:
// nothing yet); it can only shrink, and is at least 1.
int64_t PodGraceSeconds(const v1::Pod& pod, int64_t current,
                        std::optional<int64_t> override_seconds);

}  // namespace cubelet::pods
