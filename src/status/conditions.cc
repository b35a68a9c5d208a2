#include "status/conditions.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "api/pod.h"
#include "api/restart.h"
#include "base/strings.h"
#include "status/lookup.h"

namespace cubelet::status {
namespace {

constexpr char kReady[] = "Ready";
constexpr char kContainersReady[] = "ContainersReady";
constexpr char kInitialized[] = "Initialized";
constexpr char kPodCompleted[] = "PodCompleted";
constexpr char kPodFailed[] = "PodFailed";
constexpr const char* kKubeletTypes[] = {
    "PodScheduled",
    kReady,
    kInitialized,
    kContainersReady,
    "PodResizeInProgress",
    "PodResizePending",
    "PodReadyToStartContainers",
    "AllContainersRestarting",
};

v1::PodCondition Condition(std::string_view type, bool value, std::string_view reason = {},
                           std::string_view message = {}) {
  v1::PodCondition condition;
  condition.set_type(std::string(type));
  condition.set_status(value ? kTrue : kFalse);
  if (!reason.empty()) condition.set_reason(std::string(reason));
  if (!message.empty()) condition.set_message(std::string(message));
  return condition;
}

// "containers with <what> status: [a b]", for those lists that hold something.
std::string Problems(const std::vector<std::string>& unknown, std::string_view what,
                     const std::vector<std::string>& others) {
  std::vector<std::string> parts;
  if (!unknown.empty())
    parts.push_back(StrCat("containers with unknown status: ", GoList(unknown)));
  if (!others.empty())
    parts.push_back(StrCat("containers with ", what, " status: ", GoList(others)));
  return absl::StrJoin(parts, ", ");
}

v1::PodCondition InitializedCondition(const v1::Pod& pod, const v1::PodStatus& old,
                                      const v1::PodStatus& status) {
  std::vector<std::string> unknown, incomplete;
  for (const v1::Container& container : pod.spec().initcontainers()) {
    const v1::ContainerStatus* found = FindStatus(status.initcontainerstatuses(), container.name());
    if (found == nullptr) {
      unknown.push_back(container.name());
    } else if (api::IsSidecar(container) ? !found->started() : !found->ready()) {
      incomplete.push_back(container.name());
    }
  }
  if (status.phase() == kSucceeded && unknown.empty())
    return Condition(kInitialized, true, kPodCompleted);
  const std::string message = Problems(unknown, "incomplete", incomplete);
  if (message.empty() || AnyRegularHasRun(status)) return Condition(kInitialized, true);
  // Restarting all containers in place does not take back that the pod was initialized.
  const v1::PodCondition* last = FindCondition(old, kInitialized);
  if (api::HasRestartAllRule(pod) && last != nullptr && last->status() == kTrue)
    return Condition(kInitialized, true);
  return Condition(kInitialized, false, "ContainersNotInitialized", message);
}

v1::PodCondition RestartingCondition(RestartAll stage, const v1::PodStatus& status) {
  constexpr char kType[] = "AllContainersRestarting";
  if (status.phase() == kSucceeded) return Condition(kType, false, kPodCompleted);
  if (status.phase() == kFailed) return Condition(kType, false, kPodFailed);
  if (stage != RestartAll::kInProgress) return Condition(kType, false);
  return Condition(kType, true, "RestartAllContainersStarted",
                   "container exited with restart policy rule");
}

// What an override asks for, else what was said before.
void AddDisruption(const StatusInput& input, const v1::PodStatus& old,
                   google::protobuf::RepeatedPtrField<v1::PodCondition>& out) {
  if (input.override_status.has_value() && !input.override_status->disruption_message.empty()) {
    v1::PodCondition condition = Condition(kDisruptionTarget, true, "TerminationByKubelet",
                                           input.override_status->disruption_message);
    Stamp(*input.pod, old, input.now, condition);
    *out.Add() = condition;
  } else if (const v1::PodCondition* last = FindCondition(old, kDisruptionTarget)) {
    *out.Add() = *last;
  }
}

}  // namespace

bool IsKubeletCondition(std::string_view type) {
  return std::find(std::begin(kKubeletTypes), std::end(kKubeletTypes), type) !=
         std::end(kKubeletTypes);
}

bool AnyRegularHasRun(const v1::PodStatus& status) {
  return std::any_of(status.containerstatuses().begin(), status.containerstatuses().end(),
                     [](const v1::ContainerStatus& container) {
                       return container.state().has_running() || container.state().has_terminated();
                     });
}

bool NeedsNewSandbox(const v1::Pod& pod, const pleg::RuntimePod* runtime) {
  if (runtime == nullptr || runtime->sandboxes.empty()) return true;
  const auto ready =
      std::count_if(runtime->sandboxes.begin(), runtime->sandboxes.end(),
                    [](const pleg::SandboxRecord& sandbox) { return sandbox.ready; });
  const pleg::SandboxRecord& newest = runtime->sandboxes.front();
  if (ready > 1 || !newest.ready) return true;
  if (newest.host_network != pod.spec().hostnetwork()) return true;
  return !newest.host_network && newest.has_network_status && newest.ips.empty();
}

void Stamp(const v1::Pod& pod, const v1::PodStatus& old, absl::Time now,
           v1::PodCondition& condition) {
  const v1::PodCondition* last = FindCondition(old, condition.type());
  if (last != nullptr && last->status() == condition.status() && last->has_lasttransitiontime()) {
    *condition.mutable_lasttransitiontime() = last->lasttransitiontime();
  } else {
    *condition.mutable_lasttransitiontime() = ToApiTime(now);
  }
  if (pod.metadata().generation() != 0)
    condition.set_observedgeneration(pod.metadata().generation());
}

v1::PodCondition ContainersReadyCondition(const v1::Pod& pod, const v1::PodStatus& status) {
  std::vector<std::string> unknown, unready;
  const auto look = [&](const v1::Container& container, const auto& statuses) {
    const v1::ContainerStatus* found = FindStatus(statuses, container.name());
    if (found == nullptr) {
      unknown.push_back(container.name());
    } else if (!found->ready()) {
      unready.push_back(container.name());
    }
  };
  for (const v1::Container& container : pod.spec().initcontainers()) {
    if (api::IsSidecar(container)) look(container, status.initcontainerstatuses());
  }
  for (const v1::Container& container : pod.spec().containers())
    look(container, status.containerstatuses());
  if (status.phase() == kSucceeded && unknown.empty())
    return Condition(kContainersReady, false, kPodCompleted);
  if (status.phase() == kFailed) return Condition(kContainersReady, false, kPodFailed);
  const std::string message = Problems(unknown, "unready", unready);
  if (message.empty()) return Condition(kContainersReady, true);
  return Condition(kContainersReady, false, "ContainersNotReady", message);
}

v1::PodCondition ReadyCondition(const v1::Pod& pod, const v1::PodStatus& status) {
  v1::PodCondition containers = ContainersReadyCondition(pod, status);
  containers.set_type(kReady);
  if (containers.status() != kTrue) return containers;
  std::vector<std::string> problems;
  for (const v1::PodReadinessGate& gate : pod.spec().readinessgates()) {
    const v1::PodCondition* found = FindCondition(status, gate.conditiontype());
    if (found == nullptr) {
      problems.push_back(StrCat("corresponding condition of pod readiness gate ",
                                GoQuote(gate.conditiontype()), " does not exist."));
    } else if (found->status() != kTrue) {
      problems.push_back(StrCat("the status of pod readiness gate ", GoQuote(gate.conditiontype()),
                                " is not \"True\", but ", found->status()));
    }
  }
  if (problems.empty()) return Condition(kReady, true);
  return Condition(kReady, false, "ReadinessGatesNotReady", absl::StrJoin(problems, ", "));
}

google::protobuf::RepeatedPtrField<v1::PodCondition> MakeConditions(const StatusInput& input,
                                                                    const v1::PodStatus& old,
                                                                    RestartAll restart_all,
                                                                    const v1::PodStatus& status) {
  const v1::Pod& pod = *input.pod;
  // Readiness gates look at the conditions of others.
  v1::PodStatus made = status;
  made.clear_conditions();
  auto& out = *made.mutable_conditions();
  for (const v1::PodCondition& condition : pod.status().conditions()) {
    if (!IsKubeletCondition(condition.type()) && condition.type() != kDisruptionTarget)
      *out.Add() = condition;
  }
  for (const v1::PodCondition& condition : input.resize_conditions) *out.Add() = condition;
  AddDisruption(input, old, out);
  const auto add = [&](v1::PodCondition condition) {
    Stamp(pod, old, input.now, condition);
    *out.Add() = std::move(condition);
  };
  add(Condition("PodReadyToStartContainers", !NeedsNewSandbox(pod, input.runtime.get())));
  add(InitializedCondition(pod, old, made));
  add(ReadyCondition(pod, made));
  add(ContainersReadyCondition(pod, made));
  add(Condition("PodScheduled", true));
  if (api::HasRestartAllRule(pod)) add(RestartingCondition(restart_all, made));
  return out;
}

}  // namespace cubelet::status
