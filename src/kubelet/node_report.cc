#include "kubelet/node_report.h"

#include <utility>

#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"
#include "config/version.h"
#include "node/declared_features.h"
#include "node/node_images.h"
#include "os/machine.h"

namespace cubelet::kubelet {
namespace {

using async::Task;

constexpr absl::Duration kAddressesAge = absl::Minutes(1);
constexpr absl::Duration kImagesAge = absl::Seconds(30);

v1::NodeRuntimeHandler ToNodeHandler(const criv1::RuntimeHandler& handler) {
  v1::NodeRuntimeHandler result;
  if (!handler.name().empty()) result.set_name(handler.name());
  result.mutable_features()->set_recursivereadonlymounts(
      handler.features().recursive_read_only_mounts());
  result.mutable_features()->set_usernamespaces(handler.features().user_namespaces());
  return result;
}

}  // namespace

node::NodeFacts FixedFacts(const config::Config& config, const Machine& machine,
                           const AgentSettings& settings) {
  const config::KubeletConfiguration& kubelet = config.kubelet;
  node::NodeFacts facts;
  facts.name = machine.node_name;
  facts.labels = config.flags.node_labels;
  facts.taints = {kubelet.registerwithtaints().begin(), kubelet.registerwithtaints().end()};
  facts.provider_id = kubelet.providerid();
  facts.node_ip = machine.node_ip;
  facts.external_cloud_provider = config.flags.cloud_provider == "external";
  facts.controller_attaches_volumes = kubelet.enablecontrollerattachdetach();
  facts.local_storage_isolation = kubelet.localstoragecapacityisolation();
  facts.kubelet_port = kubelet.port();
  facts.kubelet_version = config::kKubernetesVersion;
  facts.declared_features = node::DeclaredFeatures(config.gates);
  facts.architecture = os::Architecture();
  facts.machine_id = os::ReadMachineId();
  facts.system_uuid = os::ReadSystemUuid();
  facts.boot_id = os::ReadBootId();
  facts.kernel_version = machine.kernel_release;
  facts.os_image = os::ReadOsImage();
  facts.swap_bytes = machine.swap_bytes;
  facts.capacity = settings.capacity;
  facts.allocatable = settings.view.allocatable;
  facts.ips = machine.node_ips;
  // Nothing of an earlier life is attached or in use that this agent does not find mounted.
  facts.volumes_in_use = std::vector<std::string>();
  return facts;
}

NodeFactsGatherer::NodeFactsGatherer(async::Loop& loop, cri::Images& images,
                                     const node::RuntimeHealth& health, node::NodeFacts fixed,
                                     int max_images)
    : loop_(loop),
      images_(images),
      health_(health),
      max_images_(max_images),
      facts_(std::move(fixed)),
      addresses_at_(loop.Monotonic()) {}

void NodeFactsGatherer::SetRuntime(const criv1::VersionResponse& version) {
  facts_.runtime_name = version.runtime_name();
  facts_.runtime_version = version.runtime_version();
}

void NodeFactsGatherer::SetRuntime(const criv1::StatusResponse& status) {
  facts_.handlers.clear();
  for (const criv1::RuntimeHandler& handler : status.runtime_handlers())
    facts_.handlers.push_back(ToNodeHandler(handler));
  facts_.supplemental_groups_policy.reset();
  if (status.has_features())
    facts_.supplemental_groups_policy = status.features().supplemental_groups_policy();
}

Task<node::NodeFacts> NodeFactsGatherer::Gather() {
  if (loop_.Monotonic() - addresses_at_ >= kAddressesAge) co_await LookUpAddresses();
  if (loop_.Monotonic() - images_at_ >= kImagesAge) co_await ListImages();
  node::NodeFacts facts = facts_;
  AddProblems(facts);
  facts.now = loop_.Now();
  co_return facts;
}

Task<void> NodeFactsGatherer::LookUpAddresses() {
  addresses_at_ = loop_.Monotonic();
  facts_.ips = co_await loop_.Blocking(
      [name = facts_.name, flag = facts_.node_ip] { return node::ReadNodeIps(name, flag); });
}

// A runtime that does not answer now is told elsewhere; the images stay what they were.
Task<void> NodeFactsGatherer::ListImages() {
  images_at_ = loop_.Monotonic();
  auto images = co_await images_.ListImages();
  if (images.ok()) {
    facts_.images = node::StatusImages(*images, max_images_);
  } else {
    VLOG(2, "Listing images for the node's status failed", {{"err", Message(images.status())}});
  }
}

void NodeFactsGatherer::AddProblems(node::NodeFacts& facts) const {
  facts.problems = health_.Problems();
}

}  // namespace cubelet::kubelet
