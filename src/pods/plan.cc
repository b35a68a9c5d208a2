#include "pods/plan.h"

#include <algorithm>

#include "api/pod.h"
#include "api/restart.h"
#include "base/strings.h"
#include "containers/container_hash.h"
#include "pods/plan_init.h"

namespace cubelet::pods {
namespace {

using pleg::ContainerRecord;
using pleg::ContainerState;
using pleg::RuntimePod;

bool AnyRegularEverExisted(const PlanInput& input) {
  if (!input.runtime) return false;
  return std::any_of(input.pod->spec().containers().begin(), input.pod->spec().containers().end(),
                     [&](const v1::Container& container) {
                       const ContainerRecord* record = input.runtime->FindByName(container.name());
                       return record != nullptr && record->state != ContainerState::kUnknown;
                     });
}

// Records of all init and regular containers, the ones whose exit caused it last (pod-lifecycle.md
// 7.2.2).
std::vector<ContainerRemoval> PlanRestartAll(const PlanInput& input) {
  std::vector<ContainerRemoval> groups[4];
  if (!input.runtime) return {};
  for (const ContainerRecord& record : input.runtime->containers) {
    api::ContainerType type;
    const v1::Container* container = api::FindContainer(*input.pod, record.name, &type);
    if (container == nullptr) continue;
    const bool source = record.state == ContainerState::kExited &&
                        api::RestartsAllContainers(*container, record.exit_code);
    const bool init = type == api::ContainerType::kInit;
    groups[(source ? 2 : 0) + (init ? 1 : 0)].push_back(
        {record.id, record.name, record.state != ContainerState::kExited});
  }
  std::vector<ContainerRemoval> removals;
  for (std::vector<ContainerRemoval>& group : groups)
    removals.insert(removals.end(), group.begin(), group.end());
  return removals;
}

// Regular containers that a new sandbox is to run: all but those that are done for good.
std::vector<int> RegularForNewSandbox(const PlanInput& input) {
  std::vector<int> start;
  for (int i = 0; i < input.pod->spec().containers_size(); ++i) {
    const v1::Container& container = input.pod->spec().containers(i);
    const ContainerRecord* record =
        input.runtime ? input.runtime->FindByName(container.name()) : nullptr;
    const bool done = record != nullptr && record->state == ContainerState::kExited &&
                      record->exit_code == 0 &&
                      api::EffectiveRestartPolicy(*input.pod, container) == "OnFailure";
    if (!done) start.push_back(i);
  }
  return start;
}

void PlanNewSandbox(const PlanInput& input, const SandboxDecision& sandbox, Plan& plan) {
  plan.kill_pod = true;
  const bool any_record = input.runtime && !input.runtime->containers.empty();
  if (input.pod->spec().restartpolicy() == "Never" && sandbox.attempt != 0 && any_record) {
    plan.given_up = true;
    return;
  }
  std::vector<int> regular = RegularForNewSandbox(input);
  if (regular.empty() && AnyRegularEverExisted(input)) return;
  plan.create_sandbox = true;
  plan.attempt = sandbox.attempt;
  if (input.pod->spec().initcontainers_size() > 0) {
    plan.init_to_start = {0};
  } else {
    plan.regular_to_start = std::move(regular);
  }
}

// What becomes of a running container: nothing (empty message), or killed for a reason.
ContainerKill JudgeRunning(const PlanInput& input, const v1::Container& container,
                           const ContainerRecord& record, bool& restart) {
  const bool may_restart = api::EffectiveRestartPolicy(*input.pod, container) != "Never";
  ContainerKill kill{record.id, record.name, "", KillReason::kUnknown};
  restart = may_restart;
  const auto verdict = input.verdicts.find(record.id);
  if (record.hash != containers::ContainerHash(container)) {
    kill.message = StrCat("Container ", record.name, " definition changed");
    restart = true;
  } else if (verdict != input.verdicts.end() &&
             verdict->second.liveness == probes::Outcome::kFailure) {
    kill.message = StrCat("Container ", record.name, " failed liveness probe");
    kill.reason = KillReason::kLivenessProbe;
  } else if (verdict != input.verdicts.end() &&
             verdict->second.startup == probes::Outcome::kFailure) {
    kill.message = StrCat("Container ", record.name, " failed startup probe");
    kill.reason = KillReason::kStartupProbe;
  } else {
    return kill;
  }
  if (restart) kill.message += ", will be restarted";
  return kill;
}

// Gives the number of containers that stay as they are.
int PlanRegular(const PlanInput& input, Plan& plan) {
  int kept = 0;
  for (int i = 0; i < input.pod->spec().containers_size(); ++i) {
    const v1::Container& container = input.pod->spec().containers(i);
    const ContainerRecord* record =
        input.runtime ? input.runtime->FindByName(container.name()) : nullptr;
    if (record == nullptr || record->state != ContainerState::kRunning) {
      if (!ShouldStart(*input.pod, container, record)) continue;
      plan.regular_to_start.push_back(i);
      if (record != nullptr && record->state == ContainerState::kUnknown) {
        plan.to_kill.push_back({record->id, record->name,
                                "Container is in \"unknown\" state, try killing it before restart",
                                KillReason::kUnknown});
      }
      continue;
    }
    bool restart = false;
    ContainerKill kill = JudgeRunning(input, container, *record, restart);
    if (kill.message.empty()) {
      ++kept;
      continue;
    }
    plan.to_kill.push_back(std::move(kill));
    if (restart) plan.regular_to_start.push_back(i);
  }
  return kept;
}

void PlanEphemeral(const PlanInput& input, Plan& plan) {
  for (const v1::EphemeralContainer& container : input.pod->spec().ephemeralcontainers()) {
    const std::string& name = container.ephemeralcontainercommon().name();
    if (!input.runtime || input.runtime->FindByName(name) == nullptr)
      plan.ephemeral_to_start.push_back(name);
  }
}

}  // namespace

SandboxDecision DecideSandbox(const v1::Pod& pod, const RuntimePod* runtime) {
  if (runtime == nullptr || runtime->sandboxes.empty()) return {true, 0, ""};
  const pleg::SandboxRecord& newest = runtime->sandboxes.front();
  const auto ready =
      std::count_if(runtime->sandboxes.begin(), runtime->sandboxes.end(),
                    [](const pleg::SandboxRecord& sandbox) { return sandbox.ready; });
  if (ready > 1 || !newest.ready) return {true, newest.attempt + 1, newest.id};
  if (newest.host_network != pod.spec().hostnetwork()) return {true, newest.attempt + 1, ""};
  if (!newest.host_network && newest.has_network_status && newest.ips.empty())
    return {true, newest.attempt + 1, newest.id};
  return {false, newest.attempt, newest.id};
}

bool ShouldStart(const v1::Pod& pod, const v1::Container& container,
                 const ContainerRecord* record) {
  if (pod.metadata().has_deletiontimestamp()) return false;
  if (record == nullptr) return true;
  switch (record->state) {
    case ContainerState::kRunning:
      return false;
    case ContainerState::kUnknown:
    case ContainerState::kCreated:
      return true;
    case ContainerState::kExited:
      return api::RestartsAfter(pod, container, record->exit_code);
  }
  return false;
}

Plan PlanPod(const PlanInput& input) {
  Plan plan;
  const SandboxDecision sandbox = DecideSandbox(*input.pod, input.runtime.get());
  plan.sandbox_id = sandbox.id;
  plan.attempt = sandbox.attempt;
  if (input.restarting_all) {
    plan.to_remove = PlanRestartAll(input);
    if (!plan.to_remove.empty()) return plan;
  }
  if (sandbox.create) {
    PlanNewSandbox(input, sandbox, plan);
    return plan;
  }
  PlanEphemeral(input, plan);
  const InitPlan init = PlanInit(input);
  plan.init_to_start = init.start;
  plan.to_kill = init.kill;
  if (init.kill_pod) {
    plan.kill_pod = true;
    plan.init_to_start.clear();
    return plan;
  }
  if (!init.initialized) return plan;
  const int kept = PlanRegular(input, plan);
  if (kept == 0 && plan.regular_to_start.empty()) {
    plan.kill_pod = true;
    plan.init_to_start.clear();
  }
  return plan;
}

}  // namespace cubelet::pods
