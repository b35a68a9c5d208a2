#include "node/admission_predicates.h"

#include <algorithm>
#include <set>
#include <string>
#include <tuple>

#include "api/pod.h"
#include "api/selectors.h"

namespace cubelet::node {
namespace {

// The node's operating system is known, whatever it is registered with.
v1::Node AsNode(const NodeView& view) {
  v1::Node node;
  node.mutable_metadata()->set_name(view.name);
  auto& labels = *node.mutable_metadata()->mutable_labels();
  for (const auto& [key, value] : view.labels) labels[key] = value;
  labels["kubernetes.io/os"] = "linux";
  return node;
}

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
  const bool asks = !pod.spec().nodeselector().empty() || pod.spec().has_affinity();
  return !asks || api::MatchesNodeAffinity(pod, AsNode(node));
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
