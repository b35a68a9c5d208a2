#include "node/node_status.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_join.h"
#include "base/status.h"
#include "base/strings.h"
#include "node/node_conditions.h"
#include "node/node_resources.h"

namespace cubelet::node {
namespace {

constexpr char kProvidedNodeIp[] = "alpha.kubernetes.io/provided-node-ip";

void AddAddress(v1::NodeStatus& status, const char* type, const std::string& address) {
  v1::NodeAddress& added = *status.add_addresses();
  added.set_type(type);
  added.set_address(address);
}

void SetProvidedNodeIp(const NodeFacts& facts, v1::Node& node) {
  if (facts.external_cloud_provider && !facts.node_ip.ips.empty()) {
    (*node.mutable_metadata()->mutable_annotations())[kProvidedNodeIp] =
        absl::StrJoin(facts.node_ip.ips, ",");
  } else if (node.metadata().annotations().contains(kProvidedNodeIp)) {
    node.mutable_metadata()->mutable_annotations()->erase(kProvidedNodeIp);
  }
}

void SetMachine(const NodeFacts& facts, v1::NodeSystemInfo& info) {
  info.set_machineid(facts.machine_id);
  info.set_systemuuid(facts.system_uuid);
  info.set_bootid(facts.boot_id);
  info.set_operatingsystem("linux");
  info.set_architecture(facts.architecture);
  if (facts.swap_bytes > 0) {
    info.mutable_swap()->set_capacity(facts.swap_bytes);
  } else {
    info.clear_swap();
  }
}

void SetVersions(const NodeFacts& facts, v1::NodeSystemInfo& info) {
  info.set_kernelversion(facts.kernel_version);
  info.set_osimage(facts.os_image);
  info.set_kubeletversion(facts.kubelet_version);
  info.set_kubeproxyversion("");
}

// A runtime that has said nothing yet is taken to be what it was.
void SetRuntime(const NodeFacts& facts, v1::NodeStatus& status) {
  v1::NodeSystemInfo& info = *status.mutable_nodeinfo();
  if (!facts.runtime_name.empty() || info.containerruntimeversion().empty()) {
    const std::string& version = facts.runtime_version;
    info.set_containerruntimeversion(
        StrCat(facts.runtime_name, "://", version.empty() ? "Unknown" : version));
  }
  if (!facts.runtime_name.empty()) {
    std::vector<v1::NodeRuntimeHandler> handlers = facts.handlers;
    std::sort(handlers.begin(), handlers.end(),
              [](const auto& a, const auto& b) { return a.name() < b.name(); });
    status.mutable_runtimehandlers()->Assign(handlers.begin(), handlers.end());
  }
  if (facts.supplemental_groups_policy)
    status.mutable_features()->set_supplementalgroupspolicy(*facts.supplemental_groups_policy);
  if (facts.images) status.mutable_images()->Assign(facts.images->begin(), facts.images->end());
}

void NoteReboot(const NodeFacts& facts, const std::string& last_boot_id, NodeMemory& memory,
                std::vector<NodeEvent>& events) {
  if (memory.reboot_told || last_boot_id.empty() || last_boot_id == facts.boot_id) return;
  memory.reboot_told = true;
  events.push_back({api::EventType::kWarning, "Rebooted",
                    StrCat("Node ", facts.name, " has been rebooted, boot id: ", facts.boot_id)});
}

void NoteSchedulable(const NodeFacts& facts, bool unschedulable, NodeMemory& memory,
                     std::vector<NodeEvent>& events) {
  if (memory.unschedulable == unschedulable) return;
  memory.unschedulable = unschedulable;
  events.push_back(
      StatusEvent(facts.name, unschedulable ? "NodeNotSchedulable" : "NodeSchedulable"));
}

}  // namespace

absl::Status SetAddresses(const NodeFacts& facts, v1::Node& node) {
  RETURN_IF_ERROR(facts.ips.status());
  SetProvidedNodeIp(facts, node);
  // The cloud provider's addresses take precedence; what is set here lasts until it has set its
  // own.
  if (facts.external_cloud_provider && node.status().addresses_size() > 0) return absl::OkStatus();
  v1::NodeStatus& status = *node.mutable_status();
  status.clear_addresses();
  if (!facts.external_cloud_provider || !facts.node_ip.ips.empty()) {
    for (const std::string& ip : *facts.ips) AddAddress(status, "InternalIP", ip);
  }
  AddAddress(status, "Hostname", facts.name);
  return absl::OkStatus();
}

absl::Status UpdateStatus(const NodeFacts& facts, v1::Node& node, NodeMemory& memory,
                          std::vector<NodeEvent>& events) {
  absl::Status addressed = SetAddresses(facts, node);
  v1::NodeStatus& status = *node.mutable_status();
  NoteReboot(facts, status.nodeinfo().bootid(), memory, events);
  SetMachine(facts, *status.mutable_nodeinfo());
  SetResources(facts, status);
  SetVersions(facts, *status.mutable_nodeinfo());
  status.mutable_daemonendpoints()->mutable_kubeletendpoint()->set_port(facts.kubelet_port);
  SetRuntime(facts, status);
  SetConditions(facts, status, events);
  if (facts.volumes_in_use)
    status.mutable_volumesinuse()->Assign(facts.volumes_in_use->begin(),
                                          facts.volumes_in_use->end());
  NoteSchedulable(facts, node.spec().unschedulable(), memory, events);
  status.mutable_declaredfeatures()->Assign(facts.declared_features.begin(),
                                            facts.declared_features.end());
  return addressed;
}

}  // namespace cubelet::node
