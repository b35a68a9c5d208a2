#include "node/node_conditions.h"

#include <algorithm>

#include "absl/strings/str_join.h"
#include "base/strings.h"
#include "status/lookup.h"

namespace cubelet::node {
namespace {

using status::kFalse;
using status::kTrue;

struct Wording {
  std::string_view reason;
  std::string_view message;
  std::string_view event;
};

struct PressureKind {
  std::string_view type;
  bool NodeFacts::* under_pressure;
  Wording yes;
  Wording no;
};

constexpr PressureKind kPressures[] = {
    {"MemoryPressure",
     &NodeFacts::memory_pressure,
     {"KubeletHasInsufficientMemory", "kubelet has insufficient memory available",
      "NodeHasInsufficientMemory"},
     {"KubeletHasSufficientMemory", "kubelet has sufficient memory available",
      "NodeHasSufficientMemory"}},
    {"DiskPressure",
     &NodeFacts::disk_pressure,
     {"KubeletHasDiskPressure", "kubelet has disk pressure", "NodeHasDiskPressure"},
     {"KubeletHasNoDiskPressure", "kubelet has no disk pressure", "NodeHasNoDiskPressure"}},
    {"PIDPressure",
     &NodeFacts::pid_pressure,
     {"KubeletHasInsufficientPID", "kubelet has insufficient PID available",
      "NodeHasInsufficientPID"},
     {"KubeletHasSufficientPID", "kubelet has sufficient PID available", "NodeHasSufficientPID"}},
};

v1::NodeCondition& FindOrAdd(v1::NodeStatus& status, std::string_view type) {
  for (v1::NodeCondition& condition : *status.mutable_conditions()) {
    if (condition.type() == type) return condition;
  }
  v1::NodeCondition& added = *status.add_conditions();
  added.set_type(std::string(type));
  return added;
}

void SetPressure(const PressureKind& kind, const NodeFacts& facts, v1::NodeStatus& status,
                 std::vector<NodeEvent>& events) {
  const bool pressure = facts.*kind.under_pressure;
  const std::string_view value = pressure ? kTrue : kFalse;
  v1::NodeCondition& condition = FindOrAdd(status, kind.type);
  *condition.mutable_lastheartbeattime() = status::ToApiTime(facts.now);
  if (condition.status() == value) return;
  const Wording& wording = pressure ? kind.yes : kind.no;
  condition.set_status(std::string(value));
  condition.set_reason(std::string(wording.reason));
  condition.set_message(std::string(wording.message));
  *condition.mutable_lasttransitiontime() = status::ToApiTime(facts.now);
  events.push_back(StatusEvent(facts.name, wording.event));
}

std::string MissingCapacity(const NodeFacts& facts, const v1::NodeStatus& status) {
  std::vector<std::string> missing;
  for (const char* name : {"cpu", "memory", "pods", "ephemeral-storage"}) {
    if (name == std::string_view("ephemeral-storage") && !facts.local_storage_isolation) continue;
    if (!status.capacity().contains(name)) missing.emplace_back(name);
  }
  if (missing.empty()) return "";
  return StrCat("missing node capacity for resources: ", absl::StrJoin(missing, ", "));
}

// Several errors as one: "[a, b]", each only once.
std::string Aggregate(const std::vector<std::string>& errors) {
  std::vector<std::string> distinct;
  for (const std::string& error : errors) {
    if (std::find(distinct.begin(), distinct.end(), error) == distinct.end())
      distinct.push_back(error);
  }
  if (distinct.size() == 1) return distinct[0];
  return StrCat("[", absl::StrJoin(distinct, ", "), "]");
}

void SetReady(const NodeFacts& facts, v1::NodeStatus& status, std::vector<NodeEvent>& events) {
  std::vector<std::string> problems = facts.problems;
  if (std::string missing = MissingCapacity(facts, status); !missing.empty())
    problems.push_back(std::move(missing));
  const bool ready = problems.empty();
  std::string message = ready ? "kubelet is posting ready status" : Aggregate(problems);
  if (!facts.warning.empty()) StrAppend(&message, ". WARNING: ", facts.warning);

  v1::NodeCondition& condition = FindOrAdd(status, kNodeReady);
  const bool existed = condition.has_status();
  const std::string_view value = ready ? kTrue : kFalse;
  if (condition.status() != value) {
    *condition.mutable_lasttransitiontime() = status::ToApiTime(facts.now);
    if (existed) events.push_back(StatusEvent(facts.name, ready ? "NodeReady" : "NodeNotReady"));
  }
  condition.set_status(std::string(value));
  condition.set_reason(ready ? "KubeletReady" : "KubeletNotReady");
  condition.set_message(std::move(message));
  *condition.mutable_lastheartbeattime() = status::ToApiTime(facts.now);
}

}  // namespace

const v1::NodeCondition* FindNodeCondition(const v1::NodeStatus& status, std::string_view type) {
  for (const v1::NodeCondition& condition : status.conditions()) {
    if (condition.type() == type) return &condition;
  }
  return nullptr;
}

bool IsReady(const v1::NodeStatus& status) {
  const v1::NodeCondition* ready = FindNodeCondition(status, kNodeReady);
  return ready != nullptr && ready->status() == kTrue;
}

NodeEvent StatusEvent(const std::string& node_name, std::string_view reason) {
  return {api::EventType::kNormal, std::string(reason),
          StrCat("Node ", node_name, " status is now: ", reason)};
}

void SetConditions(const NodeFacts& facts, v1::NodeStatus& status, std::vector<NodeEvent>& events) {
  for (const PressureKind& kind : kPressures) SetPressure(kind, facts, status, events);
  SetReady(facts, status, events);
}

}  // namespace cubelet::node
