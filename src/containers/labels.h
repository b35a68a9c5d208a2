// Labels and annotations that sandboxes and containers carry in the runtime; all that is left of a
// pod there when its object is gone (constants.md 8). Pure.
#pragma once

#include <map>
#include <string>

#include "api/types.h"

namespace cubelet::containers {

inline constexpr char kPodNameLabel[] = "io.kubernetes.pod.name";
inline constexpr char kPodNamespaceLabel[] = "io.kubernetes.pod.namespace";
inline constexpr char kPodUidLabel[] = "io.kubernetes.pod.uid";
inline constexpr char kContainerNameLabel[] = "io.kubernetes.container.name";

inline constexpr char kHashAnnotation[] = "io.kubernetes.container.hash";
inline constexpr char kRestartCountAnnotation[] = "io.kubernetes.container.restartCount";
inline constexpr char kMessagePathAnnotation[] = "io.kubernetes.container.terminationMessagePath";
inline constexpr char kMessagePolicyAnnotation[] =
    "io.kubernetes.container.terminationMessagePolicy";
inline constexpr char kPreStopAnnotation[] = "io.kubernetes.container.preStopHandler";
inline constexpr char kPortsAnnotation[] = "io.kubernetes.container.ports";
inline constexpr char kDeletionGraceAnnotation[] = "io.kubernetes.pod.deletionGracePeriod";
inline constexpr char kTerminationGraceAnnotation[] = "io.kubernetes.pod.terminationGracePeriod";

using StringMap = std::map<std::string, std::string>;

// The pod's own labels and the three that identify it.
StringMap SandboxLabels(const v1::Pod& pod);

StringMap ContainerLabels(const v1::Pod& pod, const v1::Container& container);
StringMap ContainerAnnotations(const v1::Pod& pod, const v1::Container& container,
                               int restart_count);

}  // namespace cubelet::containers
