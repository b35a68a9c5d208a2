// Everything a pod's status is computed from, as values: what is wanted, what the runtime holds,
// and what other parts of the agent know. Gathered by the pod's worker on the loop, read by
// MakePodStatus.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "api/types.h"
#include "pleg/runtime_pod.h"

namespace cubelet::status {

// What the probes say of a running container (probes::Manager::HealthOf). A running container
// without an entry has no probes: it is started and ready.
struct ContainerHealth {
  bool started = false;
  bool ready = false;
};

// Why the last start of a container failed: its waiting reason (`CrashLoopBackOff`,
// `ErrImagePull`, ... pod-lifecycle.md 7.3.3) and message. Forgotten when a start succeeds.
struct StartFailure {
  std::string reason;
  std::string message;
};

// The pod's cgroup as the kernel has it; what is unlimited on cgroup v2 is absent.
struct PodCgroupValues {
  std::optional<int64_t> cpu_request_millis;
  std::optional<int64_t> cpu_limit_millis;
  std::optional<int64_t> memory_limit_bytes;
};

// What the one who ends a pod wants its status to say (eviction, preemption, node shutdown).
struct StatusOverride {
  std::string phase;  // "" leaves the computed one
  std::string reason;
  std::string message;
  // Message of the condition DisruptionTarget (reason TerminationByKubelet); "" adds none.
  std::string disruption_message;
};

struct StatusInput {
  // The pod with its allocated resources; its own status is the API's copy (a static pod's says
  // Pending).
  PodPtr pod;
  // Null when the runtime holds nothing of the pod.
  std::shared_ptr<const pleg::RuntimePod> runtime;
  // What was last reported; null before the first report: the API's copy then stands in.
  std::shared_ptr<const v1::PodStatus> old;

  std::string runtime_name;  // scheme of container IDs: "containerd"
  // Whether the pod's runtime handler can make mounts read-only recursively.
  bool recursive_read_only_mounts = false;

  std::map<std::string, StartFailure> start_failures;  // by container name
  std::map<std::string, ContainerHealth> health;       // by container name
  // What containers left as their last words, by the runtime's container id
  // (termination_message.h).
  std::map<std::string, std::string> termination_messages;
  // References of the images behind image volumes, by volume name.
  std::map<std::string, std::string> image_volumes;

  std::vector<std::string> host_ips;  // the node's, primary first, at most one of each family
  bool primary_ipv6 = false;          // family of the first --node-ip
  std::optional<PodCgroupValues> pod_cgroup;
  // PodResizePending and PodResizeInProgress, in this order, as far as they apply.
  std::vector<v1::PodCondition> resize_conditions;

  absl::Time now;
  // The pod's containers have ended for good: the phase becomes Succeeded or Failed (8.1.8, 8.3.1).
  bool terminal = false;
  std::optional<StatusOverride> override_status;
};

}  // namespace cubelet::status
