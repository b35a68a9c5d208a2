#include "node/admission_predicates.h"

#include <algorithm>
#include <set>
#include <string>
#include <tuple>

#include "absl/strings/numbers.h"
#include "api/pod.h"

namespace cubelet::node {
namespace {

// ---- Affinity

// The node's operating system is known, whatever it is registered with.
const std::string* FindLabel(const NodeView& node, const std::string& key) {
  static const std::string* const kLinux = new std::string("linux");
  if (key == "kubernetes.io/os") return kLinux;
  const auto entry = node.labels.find(key);
  return entry == node.labels.end() ? nullptr : &entry->second;
}

bool Lists(const v1::NodeSelectorRequirement& requirement, const std::string& value) {
  const auto& values = requirement.values();
  return std::find(values.begin(), values.end(), value) != values.end();
}

bool Compares(const v1::NodeSelectorRequirement& requirement, const std::string& value) {
  int64_t bound = 0, number = 0;
  if (requirement.values_size() != 1 || !absl::SimpleAtoi(requirement.values(0), &bound) ||
      !absl::SimpleAtoi(value, &number))
    return false;
  return requirement.operator_() == "Gt" ? number > bound : number < bound;
}

// `value` is null when the node has no such label.
bool Matches(const v1::NodeSelectorRequirement& requirement, const std::string* value) {
  const std::string& op = requirement.operator_();
  if (op == "In") return value != nullptr && Lists(requirement, *value);
  if (op == "NotIn") return value == nullptr || !Lists(requirement, *value);
  if (op == "Exists") return value != nullptr;
  if (op == "DoesNotExist") return value == nullptr;
  if (op == "Gt" || op == "Lt") return value != nullptr && Compares(requirement, *value);
  return false;
}

// A term without requirements matches nothing.
bool Matches(const v1::NodeSelectorTerm& term, const NodeView& node) {
  if (term.matchexpressions().empty() && term.matchfields().empty()) return false;
  const auto by_label = [&node](const v1::NodeSelectorRequirement& requirement) {
    return Matches(requirement, FindLabel(node, requirement.key()));
  };
  const auto by_field = [&node](const v1::NodeSelectorRequirement& requirement) {
    return requirement.key() == "metadata.name" && Matches(requirement, &node.name);
  };
  return std::all_of(term.matchexpressions().begin(), term.matchexpressions().end(), by_label) &&
         std::all_of(term.matchfields().begin(), term.matchfields().end(), by_field);
}

// ---- Ports

using HostPort = std::tuple<std::string, int32_t, std::string>;  // protocol, port, address

constexpr char kAnyAddress[] = "0.0.0.0";

void AddPorts(const v1::Container& container, std::set<HostPort>& ports) {
  for (const v1::ContainerPort& port : container.ports()) {
    if (port.hostport() <= 0) continue;
    ports.insert({port.protocol().empty() ? "TCP" : port.protocol(), port.hostport(),
                  port.hostip().empty() ? kAnyAddress : port.hostip()});
  }
}

std::set<HostPort> HostPortsOf(const v1::Pod& pod) {
  std::set<HostPort> ports;
  for (const v1::Container& container : pod.spec().containers()) AddPorts(container, ports);
  for (const v1::Container& container : pod.spec().initcontainers()) {
    if (api::IsSidecar(container)) AddPorts(container, ports);
  }
  return ports;
}

bool Conflict(const HostPort& a, const HostPort& b) {
  const auto& [protocol_a, port_a, address_a] = a;
  const auto& [protocol_b, port_b, address_b] = b;
  return protocol_a == protocol_b && port_a == port_b &&
         (address_a == address_b || address_a == kAnyAddress || address_b == kAnyAddress);
}

bool Tolerates(const v1::Toleration& toleration, const v1::Taint& taint) {
  if (!toleration.effect().empty() && toleration.effect() != taint.effect()) return false;
  if (!toleration.key().empty() && toleration.key() != taint.key()) return false;
  const std::string& op = toleration.operator_();
  if (op == "Exists") return true;
  return (op.empty() || op == "Equal") && toleration.value() == taint.value();
}

}  // namespace

bool MatchesNodeAffinity(const v1::Pod& pod, const NodeView& node) {
  for (const auto& [key, value] : pod.spec().nodeselector()) {
    const std::string* label = FindLabel(node, key);
    if (label == nullptr || *label != value) return false;
  }
  const v1::NodeAffinity& affinity = pod.spec().affinity().nodeaffinity();
  if (!affinity.has_requiredduringschedulingignoredduringexecution()) return true;
  const auto& terms = affinity.requiredduringschedulingignoredduringexecution().nodeselectorterms();
  return std::any_of(terms.begin(), terms.end(),
                     [&node](const v1::NodeSelectorTerm& term) { return Matches(term, node); });
}

bool HostPortsAreFree(const v1::Pod& pod, const std::vector<PodPtr>& others) {
  const std::set<HostPort> wanted = HostPortsOf(pod);
  if (wanted.empty()) return true;
  for (const PodPtr& other : others) {
    for (const HostPort& taken : HostPortsOf(*other)) {
      for (const HostPort& port : wanted) {
        if (Conflict(port, taken)) return false;
      }
    }
  }
  return true;
}

bool Tolerates(const v1::Pod& pod, const v1::Taint& taint) {
  const auto& tolerations = pod.spec().tolerations();
  return std::any_of(
      tolerations.begin(), tolerations.end(),
      [&taint](const v1::Toleration& toleration) { return Tolerates(toleration, taint); });
}

bool ToleratesNoExecute(const v1::Pod& pod, const std::vector<v1::Taint>& taints) {
  return std::all_of(taints.begin(), taints.end(), [&pod](const v1::Taint& taint) {
    return taint.effect() != "NoExecute" || Tolerates(pod, taint);
  });
}

}  // namespace cubelet::node
