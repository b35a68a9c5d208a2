// Whether a pod may run on this node (pod-lifecycle.md 4). Pure; asked for every pod that is new to
// the agent, so also for running ones after a restart.
//
// The handlers stand in their order, and the first refusal wins. What allocates (CPU, memory and
// device managers) has its place between the sysctls and the predicates: AdmitBeforeAllocation, the
// managers, AdmitAfterAllocation. Admit is both without managers.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "api/pod.h"
#include "api/types.h"
#include "node/admission_sysctls.h"

namespace cubelet::node {

struct AdmissionResult {
  bool admitted = true;
  std::string reason;   // a word: "OutOfcpu", "NodeAffinity", "SysctlForbidden", ...
  std::string message;  // status.message is "Pod was rejected: " + message
};

// The node as pods are held against it. Without an API server it is what the agent would register.
struct NodeView {
  std::string name;
  std::map<std::string, std::string> labels;
  std::vector<v1::Taint> taints;
  api::ResourceAmounts allocatable;  // "pods", "cpu", "memory", "ephemeral-storage", extended ones
  std::vector<std::string> pressure_conditions;  // those that are true: "MemoryPressure", ...
  bool supplemental_groups_policy = false;       // the runtime's feature
  bool apparmor_enabled = false;
  bool shutting_down = false;
};

struct AdmissionInput {
  PodPtr pod;                      // with allocated resources if it has some (restart)
  std::vector<PodPtr> other_pods;  // active ones, with allocated resources, without `pod`
  const NodeView* node = nullptr;
  const SysctlAllowlist* sysctls = nullptr;
  bool pod_level_resources = true;  // the gate PodLevelResources
};

AdmissionResult Admit(const AdmissionInput& input);
AdmissionResult AdmitBeforeAllocation(const AdmissionInput& input);  // eviction, sysctls
AdmissionResult AdmitAfterAllocation(const AdmissionInput& input);   // predicates and the rest

// The single handlers, each OK unless it refuses.
AdmissionResult CheckPressure(const v1::Pod& pod, const NodeView& node);             // 4.4
AdmissionResult CheckSysctls(const v1::Pod& pod, const SysctlAllowlist& allowlist);  // 4.5
AdmissionResult CheckPredicates(const AdmissionInput& input);                        // 4.7
AdmissionResult CheckAppArmor(const v1::Pod& pod, bool enabled);                     // 4.8.1

// The value of the label `reason` of kubelet_admission_rejections_total (4.2.1).
std::string RejectionMetricReason(const std::string& reason);

}  // namespace cubelet::node
