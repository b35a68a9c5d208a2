// The API status of a pod, computed from values (pod-lifecycle.md 9 and 10). Pure: two calls with
// equal inputs give equal statuses, and nothing is kept between calls but what the caller passes
// back as `old`.
#pragma once

#include <optional>
#include <string_view>

#include "absl/time/time.h"
#include "api/types.h"
#include "status/status_input.h"

namespace cubelet::status {

// The whole status: phase, conditions, container statuses, IPs, class, resources, start time and
// observedGeneration. Store it, and pass it back as `old` next time. A phase of Succeeded or Failed
// means that the pod is to be ended (6.3).
v1::PodStatus MakePodStatus(const StatusInput& input);

// The status of a pod that was not admitted: Failed with the reason, nothing else (4.2.1).
v1::PodStatus MakeRejectedStatus(const v1::Pod& pod, std::string_view reason,
                                 std::string_view message);

// What the status becomes when the pod's volumes and cgroup are gone too, so that its object may be
// deleted: nothing is left running or waiting, and the phase is terminal (8.3.7).
v1::PodStatus MakeTerminatedStatus(const v1::Pod& pod, v1::PodStatus status);

// When spec.activeDeadlineSeconds ends, counted from the start time in `old`; none without either.
// MakePodStatus says Failed from then on; the caller records the event `DeadlineExceeded` with
// kDeadlineMessage (8.5).
std::optional<absl::Time> ActiveDeadline(const v1::Pod& pod, const v1::PodStatus& old);

inline constexpr char kDeadlineReason[] = "DeadlineExceeded";
inline constexpr char kDeadlineMessage[] =
    "Pod was active on the node longer than the specified deadline";

}  // namespace cubelet::status
