#include "pods/sandbox_starter.h"

#include <utility>

#include "api/pod.h"
#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"
#include "containers/dns.h"
#include "containers/sandbox_config.h"
#include "os/files.h"
#include "pleg/runtime_records.h"

namespace cubelet::pods {
namespace {

using async::Task;

constexpr char kUserNamespaceFile[] = "userns";
constexpr mode_t kUserNamespaceMode = 0600;

containers::UserNamespaceRange RangeOf(const PodSettings& settings) {
  containers::UserNamespaceRange range;
  range.ids_per_pod = settings.user_namespace_ids_per_pod;
  return range;
}

}  // namespace

SandboxStarter::SandboxStarter(PodServices& services)
    : s_(services),
      user_namespaces_(containers::UserNamespaceAllocator::Create(RangeOf(services.settings),
                                                                  services.settings.max_pods)) {}

Task<absl::StatusOr<std::optional<containers::UserNamespace>>> SandboxStarter::UserNamespaceOf(
    PodPtr pod) {
  if (!containers::WantsUserNamespace(*pod)) co_return std::nullopt;
  CO_RETURN_IF_ERROR(containers::CheckUserNamespaceSupport(*pod, s_.node, ""));
  CO_RETURN_IF_ERROR(user_namespaces_.status());
  const std::string& uid = pod->metadata().uid();
  const std::string path = os::JoinPath(s_.paths.Pod(uid), kUserNamespaceFile);
  auto text = co_await s_.loop.Blocking([path] { return os::ReadFile(path, 4096); });
  if (text.ok()) {
    CO_ASSIGN_OR_RETURN(const containers::UserNamespace known,
                        containers::DecodeUserNamespace(*text));
    CO_RETURN_IF_ERROR(user_namespaces_->Record(uid, known));
    co_return known;
  }
  if (!absl::IsNotFound(text.status())) co_return Annotate(text.status(), "user namespace");
  CO_ASSIGN_OR_RETURN(const containers::UserNamespace given, user_namespaces_->Allocate(uid));
  const std::string content = containers::EncodeUserNamespace(given);
  absl::Status written = co_await s_.loop.Blocking(
      [path, content] { return os::WriteFileAtomic(path, content, kUserNamespaceMode); });
  CO_RETURN_IF_ERROR(Annotate(written, "user namespace"));
  co_return given;
}

Task<absl::StatusOr<Sandbox>> SandboxStarter::Configure(PodPtr pod, uint32_t attempt) {
  containers::SandboxInput input;
  input.attempt = attempt;
  if (s_.settings.cgroups_per_qos)
    input.cgroup_parent = s_.cgroups.PodPath(pod->metadata().uid(), api::GetQosClass(*pod));
  if (!s_.settings.resolv_conf.empty()) {
    auto text = co_await s_.loop.Blocking([path = s_.settings.resolv_conf] {
      return os::ReadFile(path, containers::kMaxResolvConfBytes);
    });
    CO_RETURN_IF_ERROR(text.status());
    CO_ASSIGN_OR_RETURN(input.host_dns, containers::ParseResolvConf(*text));
  }
  CO_ASSIGN_OR_RETURN(input.user_namespace, co_await UserNamespaceOf(pod));
  std::vector<containers::Warning> warnings;
  Sandbox sandbox;
  sandbox.user_namespace = input.user_namespace;
  CO_ASSIGN_OR_RETURN(sandbox.config,
                      containers::MakeSandboxConfig(*pod, s_.node, input, &warnings));
  for (containers::Warning& warning : warnings) {
    if (warning.about_node) continue;  // told once at start
    s_.events.Record(api::ReferenceTo(*pod), api::EventType::kWarning, std::move(warning.reason),
                     std::move(warning.message));
  }
  co_return sandbox;
}

Task<absl::StatusOr<Sandbox>> SandboxStarter::Create(PodPtr pod, uint32_t attempt) {
  const std::string quoted = GoQuote(api::FormatPod(*pod));
  if (pod->spec().has_runtimeclassname() && !pod->spec().runtimeclassname().empty()) {
    co_return absl::NotFoundError(StrCat("Failed to create sandbox for pod ", quoted,
                                         ": runtimeclass.node.k8s.io ",
                                         GoQuote(pod->spec().runtimeclassname()), " not found"));
  }
  auto sandbox = co_await Configure(pod, attempt);
  if (!sandbox.ok())
    co_return Annotate(sandbox.status(),
                       StrCat("Failed to generate sandbox config for pod ", quoted));
  const std::string logs = sandbox->config.log_directory();
  absl::Status made = co_await s_.loop.Blocking([logs] { return os::MakeDirectories(logs, 0755); });
  if (!made.ok())
    co_return Annotate(made, StrCat("Failed to create log directory for pod ", quoted));
  const absl::Duration asked = s_.loop.Monotonic();
  auto id = co_await s_.runtime.RunPodSandbox(sandbox->config, sandbox->runtime_handler);
  s_.metrics.Observe("kubelet_run_podsandbox_duration_seconds", {sandbox->runtime_handler},
                     absl::ToDoubleSeconds(s_.loop.Monotonic() - asked));
  const bool own_users = pod->spec().has_hostusers() && !pod->spec().hostusers();
  s_.metrics.Count("kubelet_started_pods_total");
  if (own_users) s_.metrics.Count("kubelet_started_user_namespaced_pods_total");
  if (!id.ok()) {
    s_.metrics.Count("kubelet_run_podsandbox_errors_total", {sandbox->runtime_handler});
    s_.metrics.Count("kubelet_started_pods_errors_total");
    if (own_users) s_.metrics.Count("kubelet_started_user_namespaced_pods_errors_total");
  }
  if (!id.ok())
    co_return Annotate(id.status(), StrCat("Failed to create sandbox for pod ", quoted));
  sandbox->id = *std::move(id);
  s_.cache.ExpectSandbox(pod->metadata().uid(), sandbox->id);
  auto status = co_await s_.runtime.PodSandboxStatus(sandbox->id);
  if (!status.ok()) {
    s_.events.Record(api::ReferenceTo(*pod), api::EventType::kWarning, "FailedPodSandBoxStatus",
                     StrCat("Unable to get pod sandbox status: ", Message(status.status())));
    co_return status.status();
  }
  sandbox->ips =
      pod->spec().hostnetwork() ? s_.node.host_ips : pleg::MakeSandboxRecord(status->status()).ips;
  co_return sandbox;
}

Task<absl::StatusOr<Sandbox>> SandboxStarter::Describe(PodPtr pod, pleg::SandboxRecord record) {
  auto sandbox = co_await Configure(pod, record.attempt);
  CO_RETURN_IF_ERROR(sandbox.status());
  sandbox->id = record.id;
  sandbox->runtime_handler = record.runtime_handler;
  sandbox->ips = pod->spec().hostnetwork() ? s_.node.host_ips : record.ips;
  co_return sandbox;
}

void SandboxStarter::ReleaseUserNamespace(const std::string& uid) {
  if (user_namespaces_.ok()) user_namespaces_->Release(uid);
}

}  // namespace cubelet::pods
