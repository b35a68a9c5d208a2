// CRI answers as records. Pure.
#pragma once

#include <string>

#include "cri/types.h"
#include "pleg/runtime_pod.h"

namespace cubelet::pleg {

inline constexpr char kPodNameLabel[] = "io.kubernetes.pod.name";
inline constexpr char kPodNamespaceLabel[] = "io.kubernetes.pod.namespace";
inline constexpr char kPodUidLabel[] = "io.kubernetes.pod.uid";
inline constexpr char kContainerNameLabel[] = "io.kubernetes.container.name";

ContainerState FromCriState(criv1::ContainerState state);

// `sandbox_id` is not part of a container's status.
ContainerRecord MakeContainerRecord(const criv1::ContainerStatus& status, std::string sandbox_id);

// IPs that do not parse are left out (all of them, as one bad address makes the answer unusable).
SandboxRecord MakeSandboxRecord(const criv1::PodSandboxStatus& status);

// Brings both lists of the pod into their order: newest first.
void SortRecords(RuntimePod& pod);

}  // namespace cubelet::pleg
