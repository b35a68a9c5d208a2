// What happens to a status between being computed and being reported: which changes count, which
// are refused, how it meets the API's copy, and how probe results get into it (pod-lifecycle.md
// 11.1, 11.2, 11.6, 11.9). Pure.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "api/types.h"
#include "status/status_input.h"

namespace cubelet::status {

// Whether reporting `b` after `a` would tell nobody anything: all fields are equal, of conditions
// those that are the kubelet's by status, reason and message; claim statuses are not looked at.
bool SameForKubelet(const v1::PodStatus& a, const v1::PodStatus& b);

// FAILED_PRECONDITION when a container that has ended and may not be started again would be
// reported as not ended: such a status is dropped and logged.
absl::Status CheckTransition(const v1::Pod& pod, const v1::PodStatus& old,
                             const v1::PodStatus& next);

// What the API is to hold: `ours` with the conditions and claim statuses of others from `server`.
// While containers may run the API is not told of a terminal phase nor of DisruptionTarget; with a
// terminal phase nothing is ready.
v1::PodStatus MergeForApi(const v1::PodStatus& server, v1::PodStatus ours,
                          bool may_have_running_containers);

// `status` with a probe's result for the regular or init container of that name, and Ready and
// ContainersReady made anew. Equal to `status` when the container is not there or does not run.
v1::PodStatus WithHealth(const v1::Pod& pod, v1::PodStatus status, std::string_view container,
                         ContainerHealth health, absl::Time now);

}  // namespace cubelet::status
