#include "node/node_object.h"

#include <algorithm>
#include <string>
#include <utility>

#include "api/merge_patch.h"
#include "base/status.h"
#include "node/node_resources.h"
#include "node/node_status.h"

namespace cubelet::node {
namespace {

namespace json = boost::json;

constexpr char kHostname[] = "kubernetes.io/hostname";
constexpr char kOs[] = "kubernetes.io/os";
constexpr char kArch[] = "kubernetes.io/arch";
constexpr char kBetaOs[] = "beta.kubernetes.io/os";
constexpr char kBetaArch[] = "beta.kubernetes.io/arch";
constexpr char kControllerAttaches[] = "volumes.kubernetes.io/controller-managed-attach-detach";
constexpr char kUninitialized[] = "node.cloudprovider.kubernetes.io/uninitialized";
constexpr char kNoSchedule[] = "NoSchedule";

// Labels that a registration may change in a Node that is there.
constexpr const char* kReconciledLabels[] = {
    kHostname,
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
    "node.kubernetes.io/instance-type",
    "beta.kubernetes.io/instance-type",
    kOs,
    kArch,
    kBetaOs,
    kBetaArch,
};

using StringMap = google::protobuf::Map<std::string, std::string>;

void SetLabels(const NodeFacts& facts, StringMap& labels) {
  labels[kHostname] = facts.name;
  labels[kOs] = "linux";
  labels[kArch] = facts.architecture;
  labels[kBetaOs] = "linux";
  labels[kBetaArch] = facts.architecture;
  for (const auto& [name, value] : facts.labels) labels[name] = value;
}

void SetTaints(const NodeFacts& facts, v1::NodeSpec& spec) {
  spec.mutable_taints()->Assign(facts.taints.begin(), facts.taints.end());
  const auto is_there = [](const v1::Taint& taint) {
    return taint.key() == kUninitialized && taint.effect() == kNoSchedule;
  };
  if (!facts.external_cloud_provider ||
      std::any_of(spec.taints().begin(), spec.taints().end(), is_there))
    return;
  // Nothing is to be put here until the cloud provider has looked at the node.
  v1::Taint& taint = *spec.add_taints();
  taint.set_key(kUninitialized);
  taint.set_value("true");
  taint.set_effect(kNoSchedule);
}

void ReconcileLabels(const StringMap& wanted, StringMap& labels) {
  for (const char* name : kReconciledLabels) {
    const auto it = wanted.find(name);
    if (it == wanted.end()) continue;
    if (it->second.empty()) {
      labels.erase(name);
    } else {
      labels[name] = it->second;
    }
  }
}

void ReconcileAnnotation(const StringMap& wanted, StringMap& annotations) {
  const auto it = wanted.find(kControllerAttaches);
  if (it == wanted.end()) {
    annotations.erase(kControllerAttaches);
  } else {
    annotations[kControllerAttaches] = it->second;
  }
}

// What of the metadata the kubelet writes.
metav1::ObjectMeta WrittenMeta(const v1::Node& node) {
  metav1::ObjectMeta meta;
  *meta.mutable_labels() = node.metadata().labels();
  *meta.mutable_annotations() = node.metadata().annotations();
  return meta;
}

}  // namespace

InitialObject InitialNode(const NodeFacts& facts) {
  InitialObject initial;
  v1::Node& node = initial.node;
  node.mutable_metadata()->set_name(facts.name);
  SetLabels(facts, *node.mutable_metadata()->mutable_labels());
  if (facts.controller_attaches_volumes)
    (*node.mutable_metadata()->mutable_annotations())[kControllerAttaches] = "true";
  SetTaints(facts, *node.mutable_spec());
  if (!facts.provider_id.empty()) node.mutable_spec()->set_providerid(facts.provider_id);
  NodeMemory nothing_before;
  initial.addresses = UpdateStatus(facts, node, nothing_before, initial.events);
  return initial;
}

v1::Node ReconcileExisting(const v1::Node& existing, const v1::Node& wanted,
                           bool devices_forgotten) {
  v1::Node node = existing;
  ReconcileAnnotation(wanted.metadata().annotations(),
                      *node.mutable_metadata()->mutable_annotations());
  ReconcileLabels(wanted.metadata().labels(), *node.mutable_metadata()->mutable_labels());
  if (devices_forgotten) ZeroExtendedResources(*node.mutable_status());
  ReconcileHugePages(wanted.status(), *node.mutable_status());
  return node;
}

UpdatedObject UpdatedNode(const NodeFacts& facts, const v1::Node& existing, NodeMemory& memory) {
  UpdatedObject updated{existing, {}, {}};
  StringMap& labels = *updated.node.mutable_metadata()->mutable_labels();
  labels[kOs] = "linux";
  labels[kArch] = facts.architecture;
  updated.addresses = UpdateStatus(facts, updated.node, memory, updated.events);
  return updated;
}

absl::StatusOr<json::object> NodePatch(const v1::Node& from, const v1::Node& to) {
  ASSIGN_OR_RETURN(json::object metadata,
                   api::CreateTwoWayMergePatch(WrittenMeta(from), WrittenMeta(to)));
  ASSIGN_OR_RETURN(json::object status, api::NodeStatusPatch(from.status(), to.status()));
  json::object patch;
  if (!metadata.empty()) patch["metadata"] = std::move(metadata);
  if (!status.empty()) patch["status"] = std::move(status["status"]);
  return patch;
}

}  // namespace cubelet::node
