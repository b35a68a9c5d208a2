// What to do for a pod now: a pure function of what is wanted and of what is seen.
//
// The plan never depends on the event that woke the worker. Doing a step only changes what can be
// seen; the worker then plans again.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/types.h"
#include "pleg/runtime_pod.h"
#include "probes/manager.h"

namespace cubelet::pods {

// What the probes have found out about one instance of a container; absent: nothing yet.
struct ProbeVerdict {
  std::optional<probes::Outcome> liveness;
  std::optional<probes::Outcome> startup;
};

struct PlanInput {
  PodPtr pod;
  std::shared_ptr<const pleg::RuntimePod> runtime;  // null: the runtime holds nothing of the pod
  std::map<std::string, ProbeVerdict> verdicts;     // by container id
  // The condition AllContainersRestarting is True: all containers are to be removed and started
  // anew.
  bool restarting_all = false;
};

// Why a container is killed; liveness and startup probes may have a grace period of their own.
enum class KillReason { kUnknown, kLivenessProbe, kStartupProbe };

struct ContainerKill {
  std::string id;
  std::string name;
  std::string message;  // of the Killing event
  KillReason reason = KillReason::kUnknown;
};

struct ContainerRemoval {
  std::string id;
  std::string name;
  bool kill_first = false;
};

struct Plan {
  // Kill all containers, then stop every sandbox of the pod.
  bool kill_pod = false;

  bool create_sandbox = false;
  uint32_t attempt = 0;

  // The sandbox that is kept, or the one that a new one replaces ("" when nothing is replaced).
  std::string sandbox_id;

  // The pod has lost its sandbox and may have no other: what has not run by now never will.
  bool given_up = false;

  // Indices into spec.initContainers and spec.containers, in the order of starting. Names of
  // ephemeral containers.
  std::vector<int> init_to_start;
  std::vector<int> regular_to_start;
  std::vector<std::string> ephemeral_to_start;

  // Containers killed one after another; does not matter when kill_pod is set.
  std::vector<ContainerKill> to_kill;

  // Records that are removed, killed before where they still run (RestartAllContainers).
  std::vector<ContainerRemoval> to_remove;

  bool Empty() const {
    return !kill_pod && !create_sandbox && init_to_start.empty() && regular_to_start.empty() &&
           ephemeral_to_start.empty() && to_kill.empty() && to_remove.empty();
  }
};

// pod-lifecycle.md 7.1 and 7.2. Kept containers and sandboxes appear nowhere in the plan. A pod
// whose containers are all done gives kill_pod, also when nothing is left to kill.
Plan PlanPod(const PlanInput& input);

struct SandboxDecision {
  bool create = false;
  uint32_t attempt = 0;
  std::string id;
};

// Whether the pod needs a new sandbox, and which one it has (pod-lifecycle.md 7.1).
SandboxDecision DecideSandbox(const v1::Pod& pod, const pleg::RuntimePod* runtime);

// Whether a regular container is to be started when it does not run (pod-lifecycle.md 7.2.6):
// `record` is its newest one, null when there is none.
bool ShouldStart(const v1::Pod& pod, const v1::Container& container,
                 const pleg::ContainerRecord* record);

}  // namespace cubelet::pods
