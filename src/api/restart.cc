#include "api/restart.h"

#include <algorithm>

#include "api/pod.h"

namespace cubelet::api {
namespace {

constexpr char kRestart[] = "Restart";
constexpr char kRestartAll[] = "RestartAllContainers";

bool Matches(const v1::ContainerRestartRule& rule, int exit_code) {
  if (!rule.has_exitcodes()) return false;
  const auto& values = rule.exitcodes().values();
  const bool listed = std::find(values.begin(), values.end(), exit_code) != values.end();
  if (rule.exitcodes().operator_() == "In") return listed;
  return rule.exitcodes().operator_() == "NotIn" && !listed;
}

// Rules are read in order and the first that matches decides.
const v1::ContainerRestartRule* MatchingRule(const v1::Container& container, int exit_code) {
  for (const v1::ContainerRestartRule& rule : container.restartpolicyrules()) {
    if (Matches(rule, exit_code)) return &rule;
  }
  return nullptr;
}

bool PolicyRestarts(const std::string& policy, int exit_code) {
  if (policy == "Never") return false;
  return policy != "OnFailure" || exit_code != 0;
}

}  // namespace

bool RestartsAfter(const v1::Pod& pod, const v1::Container& container, int exit_code) {
  // Rules count only beside a policy of the container's own.
  if (container.has_restartpolicy()) {
    const v1::ContainerRestartRule* rule = MatchingRule(container, exit_code);
    if (rule != nullptr && (rule->action() == kRestart || rule->action() == kRestartAll))
      return true;
  }
  return PolicyRestarts(EffectiveRestartPolicy(pod, container), exit_code);
}

std::string EffectiveRestartPolicy(const v1::Pod& pod, const v1::Container& container) {
  if (container.has_restartpolicy()) return container.restartpolicy();
  return pod.spec().restartpolicy().empty() ? "Always" : pod.spec().restartpolicy();
}

bool RestartsAllContainers(const v1::Container& container, int exit_code) {
  const v1::ContainerRestartRule* rule = MatchingRule(container, exit_code);
  return rule != nullptr && rule->action() == kRestartAll;
}

bool HasRestartAllRule(const v1::Pod& pod) {
  bool found = false;
  ForEachContainer(pod, [&found](const v1::Container& container, ContainerType) {
    for (const v1::ContainerRestartRule& rule : container.restartpolicyrules())
      found = found || rule.action() == kRestartAll;
  });
  return found;
}

}  // namespace cubelet::api
