// The conditions of a pod (pod-lifecycle.md 10). Pure.
#pragma once

#include <google/protobuf/repeated_field.h>

#include <string_view>

#include "absl/time/time.h"
#include "api/types.h"
#include "pleg/runtime_pod.h"
#include "status/restart_all.h"
#include "status/status_input.h"

namespace cubelet::status {

// Types whose conditions are the kubelet's own.
bool IsKubeletCondition(std::string_view type);
inline constexpr char kDisruptionTarget[] = "DisruptionTarget";

// All conditions of `status`, whose phase and container statuses are computed already, in the order
// of 10.2. Those of others come from the API's copy, DisruptionTarget from `old`.
google::protobuf::RepeatedPtrField<v1::PodCondition> MakeConditions(const StatusInput& input,
                                                                    const v1::PodStatus& old,
                                                                    RestartAll restart_all,
                                                                    const v1::PodStatus& status);

// ContainersReady and Ready alone (10.7, 10.8), without times.
v1::PodCondition ContainersReadyCondition(const v1::Pod& pod, const v1::PodStatus& status);
v1::PodCondition ReadyCondition(const v1::Pod& pod, const v1::PodStatus& status);

// Sets the transition time: the one in `old` while the status is the same, else `now`; and the
// generation.
void Stamp(const v1::Pod& pod, const v1::PodStatus& old, absl::Time now,
           v1::PodCondition& condition);

// A regular container runs or has run: initialization is over.
bool AnyRegularHasRun(const v1::PodStatus& status);

// Whether the pod cannot go on in the sandbox it has (7.1).
bool NeedsNewSandbox(const v1::Pod& pod, const pleg::RuntimePod* runtime);

}  // namespace cubelet::status
