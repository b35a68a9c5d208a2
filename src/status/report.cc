#include "status/report.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <string>
#include <utility>
#include <vector>

#include "api/pod.h"
#include "api/restart.h"
#include "base/status.h"
#include "base/strings.h"
#include "status/conditions.h"
#include "status/container_statuses.h"
#include "status/lookup.h"

namespace cubelet::status {
namespace {

bool IsOurs(std::string_view type) { return IsKubeletCondition(type) || type == kDisruptionTarget; }

// Everything that counts when two statuses are compared, in a form that is equal when they are.
std::string Essence(const v1::PodStatus& status) {
  v1::PodStatus essence = status;
  essence.clear_resourceclaimstatuses();
  essence.clear_extendedresourceclaimstatus();
  essence.clear_nodeallocatableresourceclaimstatuses();
  essence.clear_conditions();
  for (const v1::PodCondition& condition : status.conditions()) {
    if (!IsOurs(condition.type())) continue;
    v1::PodCondition* kept = essence.add_conditions();
    kept->set_type(condition.type());
    kept->set_status(condition.status());
    kept->set_reason(condition.reason());
    kept->set_message(condition.message());
  }
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  essence.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

absl::Status CheckContainer(const v1::Pod& pod, const v1::Container& container,
                            const StatusList& old, const StatusList& next) {
  const v1::ContainerStatus* before = FindStatus(old, container.name());
  const v1::ContainerStatus* after = FindStatus(next, container.name());
  if (before == nullptr || !before->state().has_terminated()) return absl::OkStatus();
  if (after == nullptr || after->state().has_terminated()) return absl::OkStatus();
  const int exit_code = before->state().terminated().exitcode();
  if (api::RestartsAfter(pod, container, exit_code)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      StrCat("container ", GoQuote(container.name()), " ended with exit code ", exit_code,
             " and may not be restarted, but would be reported as not ended"));
}

void MarkUnready(std::string_view reason, v1::PodStatus& status) {
  for (v1::PodCondition& condition : *status.mutable_conditions()) {
    if (condition.type() != "Ready" && condition.type() != "ContainersReady") continue;
    if (condition.status() != kTrue) continue;
    condition.set_status(kFalse);
    condition.set_reason(std::string(reason));
    condition.clear_message();
  }
}

// Conditions of others as the server has them, then ours.
void MergeConditions(const v1::PodStatus& server, bool with_disruption, v1::PodStatus& ours) {
  google::protobuf::RepeatedPtrField<v1::PodCondition> merged;
  for (const v1::PodCondition& condition : server.conditions()) {
    if (!IsOurs(condition.type())) *merged.Add() = condition;
  }
  if (!with_disruption) {
    const v1::PodCondition* there = FindCondition(server, kDisruptionTarget);
    if (there != nullptr) *merged.Add() = *there;
  }
  for (const v1::PodCondition& condition : ours.conditions()) {
    if (condition.type() == kDisruptionTarget ? with_disruption
                                              : IsKubeletCondition(condition.type()))
      *merged.Add() = condition;
  }
  *ours.mutable_conditions() = std::move(merged);
}

v1::ContainerStatus* FindMutable(StatusList& statuses, std::string_view name) {
  for (v1::ContainerStatus& status : statuses) {
    if (status.name() == name) return &status;
  }
  return nullptr;
}

void ReplaceCondition(const v1::Pod& pod, v1::PodCondition condition, absl::Time now,
                      v1::PodStatus& status) {
  Stamp(pod, status, now, condition);
  for (v1::PodCondition& there : *status.mutable_conditions()) {
    if (there.type() == condition.type()) {
      there = std::move(condition);
      return;
    }
  }
  *status.add_conditions() = std::move(condition);
}

}  // namespace

bool SameForKubelet(const v1::PodStatus& a, const v1::PodStatus& b) {
  return Essence(a) == Essence(b);
}

absl::Status CheckTransition(const v1::Pod& pod, const v1::PodStatus& old,
                             const v1::PodStatus& next) {
  // Restarting all containers in place starts also what has ended for good.
  if (api::HasRestartAllRule(pod)) return absl::OkStatus();
  for (const v1::Container& container : pod.spec().containers()) {
    RETURN_IF_ERROR(
        CheckContainer(pod, container, old.containerstatuses(), next.containerstatuses()));
  }
  for (const v1::Container& container : pod.spec().initcontainers()) {
    if (api::IsSidecar(container)) continue;
    RETURN_IF_ERROR(
        CheckContainer(pod, container, old.initcontainerstatuses(), next.initcontainerstatuses()));
  }
  return absl::OkStatus();
}

v1::PodStatus MergeForApi(const v1::PodStatus& server, v1::PodStatus ours,
                          bool may_have_running_containers) {
  const bool ends = IsTerminalPhase(ours.phase()) && !IsTerminalPhase(server.phase());
  const bool hold_back = ends && may_have_running_containers;
  MergeConditions(server, ends && !hold_back, ours);
  *ours.mutable_resourceclaimstatuses() = server.resourceclaimstatuses();
  *ours.mutable_nodeallocatableresourceclaimstatuses() =
      server.nodeallocatableresourceclaimstatuses();
  ours.clear_extendedresourceclaimstatus();
  if (server.has_extendedresourceclaimstatus())
    *ours.mutable_extendedresourceclaimstatus() = server.extendedresourceclaimstatus();
  if (hold_back) {
    ours.set_phase(server.phase());
    ours.clear_reason();
    ours.clear_message();
    if (!server.reason().empty()) ours.set_reason(server.reason());
    if (!server.message().empty()) ours.set_message(server.message());
  }
  if (ours.phase() == kFailed) MarkUnready("PodFailed", ours);
  if (ours.phase() == kSucceeded) MarkUnready("PodCompleted", ours);
  return ours;
}

v1::PodStatus WithHealth(const v1::Pod& pod, v1::PodStatus status, std::string_view name,
                         ContainerHealth health, absl::Time now) {
  api::ContainerType type = api::ContainerType::kRegular;
  const v1::Container* container = api::FindContainer(pod, name, &type);
  if (container == nullptr) return status;
  const bool is_init = type == api::ContainerType::kInit;
  v1::ContainerStatus* found = FindMutable(
      is_init ? *status.mutable_initcontainerstatuses() : *status.mutable_containerstatuses(),
      name);
  if (found == nullptr || !found->state().has_running()) return status;
  ApplyHealth(*container, is_init, &health, *found);
  v1::PodCondition ready = ReadyCondition(pod, status);
  v1::PodCondition containers_ready = ContainersReadyCondition(pod, status);
  ReplaceCondition(pod, std::move(ready), now, status);
  ReplaceCondition(pod, std::move(containers_ready), now, status);
  return status;
}

}  // namespace cubelet::status
