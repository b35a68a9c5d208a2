// A static pod and what a runtime says of it, through every pure rule that sees the two: plan,
// status, the requests to the runtime. The input is a manifest, a NUL, and the runtime's answer (a
// PodSandboxStatusResponse in wire form); without a manifest the pod is a fixed one.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/merge_patch.h"
#include "containers/container_config.h"
#include "containers/sandbox_config.h"
#include "node/admission.h"
#include "pleg/runtime_records.h"
#include "pods/collector.h"
#include "pods/plan.h"
#include "server/status_report.h"
#include "sources/static_pod.h"
#include "status/explain.h"
#include "status/pod_status.h"
#include "status/report.h"

namespace cubelet {
namespace {

constexpr char kPod[] = R"(
apiVersion: v1
kind: Pod
metadata: {name: web, uid: u1}
spec:
  initContainers:
  - {name: prepare, image: i}
  - {name: proxy, image: i, restartPolicy: Always}
  containers:
  - name: web
    image: i
    resources: {requests: {cpu: 10m, memory: 1Mi}, limits: {cpu: 1, memory: 1Gi}}
)";

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

std::shared_ptr<const pleg::RuntimePod> RuntimeOf(const v1::Pod& pod, std::string_view bytes) {
  criv1::PodSandboxStatusResponse answer;
  if (!answer.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return nullptr;
  auto runtime = std::make_shared<pleg::RuntimePod>();
  runtime->uid = pod.metadata().uid();
  if (answer.has_status()) runtime->sandboxes.push_back(pleg::MakeSandboxRecord(answer.status()));
  for (const criv1::ContainerStatus& status : answer.containers_statuses())
    runtime->containers.push_back(pleg::MakeContainerRecord(status, answer.status().id()));
  pleg::SortRecords(*runtime);
  return runtime;
}

void MakeRequests(const v1::Pod& pod, const containers::NodeContext& node) {
  std::vector<containers::Warning> warnings;
  (void)containers::MakeSandboxConfig(pod, node, {.host_dns = containers::ResolvConf{}}, &warnings);
  containers::MountedVolumes volumes;
  for (const v1::Volume& volume : pod.spec().volumes())
    volumes[volume.name()] = {.host_path = "/var/lib/kubelet/volume"};
  api::ForEachContainer(pod, [&](const v1::Container& container, api::ContainerType) {
    const auto environment =
        containers::MakeEnvironment(pod, container, node, {.pod_ips = {"10.0.0.1"}});
    if (!environment.ok()) return;
    containers::ContainerInput input{
        .environment = *environment, .pod_ips = {"10.0.0.1"}, .volumes = volumes};
    const auto sub_paths = containers::SubPathsToPrepare(container, *environment, volumes);
    if (!sub_paths.ok()) return;
    for (const containers::SubPathMount& mount : *sub_paths)
      input.sub_paths[mount.mount_index] = "/sub-path";
    (void)containers::MakeContainerConfig(pod, container, node, input);
  });
}

void Judge(const PodPtr& pod, std::string_view answer) {
  static const paths::Paths paths("/var/lib/kubelet", "/var/log/pods", "/var/log/containers");
  static const containers::NodeContext node{.paths = &paths,
                                            .cluster_domain = "cluster.local",
                                            .cluster_dns = {"10.96.0.10"},
                                            .host_ips = {"10.99.0.1"},
                                            .memory_capacity_bytes = int64_t{16} << 30};
  static const node::NodeView view{.name = "node"};
  static const node::SysctlAllowlist sysctls;
  (void)node::Admit({.pod = pod, .node = &view, .sysctls = &sysctls});
  MakeRequests(*pod, node);

  const auto runtime = RuntimeOf(*pod, answer);
  (void)pods::PlanPod({.pod = pod, .runtime = runtime});
  if (runtime != nullptr) (void)pods::ChooseGarbage(*runtime, false, 1);
  status::StatusInput input{.pod = pod, .runtime = runtime, .runtime_name = "r", .now = kNow};
  const v1::PodStatus first = status::MakePodStatus(input);
  input.old = std::make_shared<v1::PodStatus>(first);
  input.terminal = true;
  const v1::PodStatus last = status::MakePodStatus(input);
  (void)status::CheckTransition(*pod, first, last);
  (void)status::MakeTerminatedStatus(*pod, last);
  (void)api::PodStatusPatch(pod->metadata().uid(), first, last);
  const server::StatusReport report{
      .started = kNow, .pods = {server::MakePodRow(*pod, last, status::WhyNotReady(*pod, last))}};
  (void)server::ParseStatusJson(server::StatusJson(report));
  (void)server::StatusTable(report, kNow);
}

}  // namespace
}  // namespace cubelet

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t end = input.find('\0');
  const std::string_view manifest = input.substr(0, end);
  const std::string_view answer =
      end == std::string_view::npos ? std::string_view() : input.substr(end + 1);
  const cubelet::sources::Origin origin{"file", "/etc/kubernetes/manifests/x.yaml", "node"};
  const auto parsed = cubelet::sources::ParseStaticPods(
      manifest.empty() ? std::string_view(cubelet::kPod) : manifest, origin);
  if (!parsed.ok()) return 0;
  for (const cubelet::PodPtr& pod : parsed->pods) cubelet::Judge(pod, answer);
  return 0;
}
