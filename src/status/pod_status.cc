#include "status/pod_status.h"

#include <algorithm>
#include <string>
#include <utility>

#include "api/pod.h"
#include "base/strings.h"
#include "status/addresses.h"
#include "status/conditions.h"
#include "status/container_statuses.h"
#include "status/lookup.h"
#include "status/phase.h"
#include "status/resources.h"
#include "status/restart_all.h"

namespace cubelet::status {
namespace {

// What was said with a phase stays with it, and a phase change clears it.
void KeepReason(const v1::PodStatus& old, const v1::PodStatus& api_copy, v1::PodStatus& status) {
  if (status.phase() != old.phase()) return;
  const std::string& reason = old.reason().empty() ? api_copy.reason() : old.reason();
  const std::string& message = old.message().empty() ? api_copy.message() : old.message();
  if (!reason.empty()) status.set_reason(reason);
  if (!message.empty()) status.set_message(message);
}

// A terminal phase is final: neither containers nor the deadline nor an override change it.
void SettlePhase(const StatusInput& input, const v1::PodStatus& old, v1::PodStatus& status) {
  const v1::PodStatus& api_copy = input.pod->status();
  if (!IsTerminalPhase(status.phase())) {
    if (IsTerminalPhase(old.phase())) {
      status.set_phase(old.phase());
    } else if (IsTerminalPhase(api_copy.phase())) {
      status.set_phase(api_copy.phase());
    }
  }
  KeepReason(old, api_copy, status);
  const std::optional<absl::Time> deadline = ActiveDeadline(*input.pod, old);
  if (deadline.has_value() && input.now >= *deadline && !IsTerminalPhase(old.phase())) {
    status.set_phase(kFailed);
    status.set_reason(kDeadlineReason);
    status.set_message(kDeadlineMessage);
  }
  if (IsTerminalPhase(api_copy.phase())) status.set_phase(api_copy.phase());
}

void ApplyOverride(const StatusOverride& wanted, const v1::PodStatus& api_copy,
                   v1::PodStatus& status) {
  if (IsTerminalPhase(api_copy.phase())) return;
  if (!wanted.phase.empty()) status.set_phase(wanted.phase);
  if (!wanted.reason.empty()) status.set_reason(wanted.reason);
  if (!wanted.message.empty()) status.set_message(wanted.message);
}

void SetStartTime(const StatusInput& input, const v1::PodStatus& old, v1::PodStatus& status) {
  *status.mutable_starttime() = old.has_starttime() ? old.starttime() : ToApiTime(input.now);
}

void SetGeneration(const StatusInput& input, const v1::PodStatus& old, v1::PodStatus& status) {
  const int64_t generation = std::max(input.pod->metadata().generation(), old.observedgeneration());
  if (generation != 0) status.set_observedgeneration(generation);
}

}  // namespace

v1::PodStatus MakePodStatus(const StatusInput& input) {
  const v1::Pod& pod = *input.pod;
  const v1::PodStatus& old = input.old == nullptr ? pod.status() : *input.old;
  const RestartAll restart_all = RestartAllStage(pod, input.runtime.get(), old);
  ContainerStatuses containers = MakeContainerStatuses(input, old, restart_all);

  v1::PodStatus status;
  status.set_phase(ComputePhase(pod, containers, input.runtime.get(), input.terminal));
  SettlePhase(input, old, status);
  *status.mutable_initcontainerstatuses() = std::move(containers.init);
  *status.mutable_containerstatuses() = std::move(containers.regular);
  *status.mutable_ephemeralcontainerstatuses() = std::move(containers.ephemeral);
  *status.mutable_conditions() = MakeConditions(input, old, restart_all, status);
  SetAddresses(input, old, status);
  status.set_qosclass(api::QosClassName(api::GetQosClass(pod)));
  SetPodResources(pod, pod.status().phase() == kRunning,
                  input.pod_cgroup.has_value() ? &*input.pod_cgroup : nullptr, status);
  SetStartTime(input, old, status);
  SetGeneration(input, old, status);
  if (input.override_status.has_value())
    ApplyOverride(*input.override_status, pod.status(), status);
  return status;
}

v1::PodStatus MakeRejectedStatus(const v1::Pod& pod, std::string_view reason,
                                 std::string_view message) {
  v1::PodStatus status;
  status.set_phase(kFailed);
  status.set_reason(std::string(reason));
  status.set_message(StrCat("Pod was rejected: ", message));
  status.set_qosclass(api::QosClassName(api::GetQosClass(pod)));
  if (pod.metadata().generation() != 0) status.set_observedgeneration(pod.metadata().generation());
  return status;
}

std::optional<absl::Time> ActiveDeadline(const v1::Pod& pod, const v1::PodStatus& old) {
  if (!pod.spec().has_activedeadlineseconds() || !old.has_starttime()) return std::nullopt;
  return FromApiTime(old.starttime()) + absl::Seconds(pod.spec().activedeadlineseconds());
}

}  // namespace cubelet::status
