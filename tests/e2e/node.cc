#include "e2e/node.h"

#include <csignal>

#include "base/status.h"
#include "base/strings.h"
#include "os/files.h"
#include "os/process.h"
#include "server/status_client.h"
#include "server/status_socket.h"

namespace cubelet::e2e {
namespace {

constexpr absl::Duration kStartLimit = absl::Seconds(30);
constexpr uint16_t kHealthzPort = 10248;
constexpr uint16_t kReadOnlyPort = 10255;

// Without what depends on the node.
constexpr char kConfiguration[] = R"(apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authorization:
  mode: AlwaysAllow
failSwapOn: false
failCgroupV1: false
resolvConf: ""
readOnlyPort: 10255
)";

}  // namespace

Node::Node(NodeOptions options)
    : options_(std::move(options)),
      directory_(StrCat(options_.world.directory, "/", options_.name)),
      socket_(StrCat(directory_,
                     options_.fake_runtime.empty() ? "/run/containerd.sock" : "/run/fake.sock")),
      runtime_(socket_),
      authority_(certs::MakeTestAuthority("e2e")),
      identity_(certs::MakeTestCertificate({.common_name = "tester"}, &authority_)) {}

absl::StatusOr<std::unique_ptr<Node>> Node::Create(NodeOptions options) {
  std::unique_ptr<Node> node(new Node(std::move(options)));
  for (const char* name : {"run", "manifests", "logs"})
    RETURN_IF_ERROR(os::MakeDirectories(StrCat(node->directory_, "/", name), 0755));
  RETURN_IF_ERROR(node->WriteConfiguration());
  return node;
}

absl::Status Node::WriteConfiguration() {
  const std::string client_ca = directory_ + "/client-ca.crt";
  RETURN_IF_ERROR(os::WriteFileAtomic(client_ca, authority_.CertificatePem(), 0644));
  std::string text = StrCat(kConfiguration, "authentication:\n  anonymous: {enabled: false}\n",
                            "  webhook: {enabled: false}\n  x509: {clientCAFile: ", client_ca,
                            "}\n", "staticPodPath: ", manifests(), "\npodLogsDir: ", pod_logs(),
                            "\ncontainerRuntimeEndpoint: unix://", socket_, "\n");
  if (options_.fake_runtime.empty()) {
    const std::string cgroup = StrCat(options_.world.cgroup_prefix, "-", options_.name);
    RETURN_IF_ERROR(MakeCgroup(cgroup));
    StrAppend(&text, "cgroupRoot: /", cgroup, "\n");
  } else {
    // Nothing runs that would be in them.
    StrAppend(&text, "cgroupsPerQOS: false\nenforceNodeAllocatable: []\n");
  }
  StrAppend(&text, options_.configuration);
  return os::WriteFileAtomic(StrCat(directory_, "/kubelet.yaml"), text, 0644);
}

// Bash with the functions of tools/lib/node.sh, and with the containerd that is to be used.
std::vector<std::string> Node::ShellCommand(const std::string& script) const {
  constexpr char kBegin[] =
      "set -euo pipefail; . '" CUBELET_SOURCE_DIR "/tools/lib/build.sh'; . '" CUBELET_SOURCE_DIR
      "/tools/lib/node.sh'; use_containerd; ";
  return {"bash", "-c", StrCat(kBegin, script)};
}

std::vector<std::string> Node::ShellEnvironment() const {
  return {StrCat("node_dir=", directory_), StrCat("node_name=", options_.name),
          StrCat("bridge=", options_.name, "0"),
          StrCat("pod_subnet=10.213.", options_.subnet, ".0/24")};
}

absl::Status Node::Shell(const std::string& script) {
  os::ProcessRequest request;
  request.arguments = ShellCommand(script);
  request.environment = ShellEnvironment();
  request.timeout = absl::Minutes(1);
  ASSIGN_OR_RETURN(const os::ProcessResult result, os::RunProcess(request));
  if (result.ok()) return absl::OkStatus();
  return absl::InternalError(
      StrCat("tools/lib/node.sh: ", result.Describe(), ": ", result.error_output));
}

absl::Status Node::StartContainerd() {
  RETURN_IF_ERROR(Shell("write_containerd_config"));
  ASSIGN_OR_RETURN(
      runtime_process_,
      ChildProcess::Start(
          ShellCommand("exec \"$(containerd_program)\" --config \"$node_dir/containerd.toml\""),
          ShellEnvironment(), directory_ + "/containerd.log"));
  return absl::OkStatus();
}

absl::Status Node::StartFakeRuntime() {
  ASSIGN_OR_RETURN(runtime_process_,
                   ChildProcess::Start({options_.fake_runtime, "--socket", socket_, "--write-files",
                                        "true", "--image", kBusybox},
                                       {}, directory_ + "/fake_runtime.log"));
  return absl::OkStatus();
}

absl::Status Node::StartRuntime() {
  RETURN_IF_ERROR(options_.fake_runtime.empty() ? StartContainerd() : StartFakeRuntime());
  absl::Status answer;
  const bool up = Eventually(kStartLimit, [&] {
    answer = runtime_.Check();
    return answer.ok() || !runtime_process_->running();
  });
  if (!up || !answer.ok()) return Annotate(answer, "start the runtime");
  if (!images_loaded_ && options_.fake_runtime.empty()) RETURN_IF_ERROR(Shell("load_images"));
  images_loaded_ = true;
  return absl::OkStatus();
}

absl::Status Node::EndRuntime(int signal) {
  ASSIGN_OR_RETURN(const int code, runtime_process_->End(signal, kStartLimit));
  (void)code;
  return absl::OkStatus();
}

absl::Status Node::KillTask(const std::string& id) {
  return Shell(StrCat(
      "ctr --address \"$(runtime_socket)\" --namespace k8s.io task kill --signal KILL ", id));
}

absl::Status Node::StartKubeletWithoutWaiting() {
  ASSIGN_OR_RETURN(
      kubelet_,
      ChildProcess::Start({options_.kubelet, "--config", directory_ + "/kubelet.yaml", "--root-dir",
                           root(), "--cert-dir", directory_ + "/pki", "--hostname-override",
                           kNodeName, "--node-ip", options_.world.address},
                          {StrCat(server::kStatusSocketVariable, "=", StatusSocket())},
                          directory_ + "/kubelet.log"));
  return absl::OkStatus();
}

absl::Status Node::StartKubelet() {
  RETURN_IF_ERROR(StartKubeletWithoutWaiting());
  if (Eventually(kStartLimit, [this] { return Healthy() || !kubelet_->running(); }) &&
      kubelet_->running())
    return absl::OkStatus();
  return absl::InternalError(StrCat("the kubelet did not come up: ", KubeletLog()));
}

absl::StatusOr<int> Node::EndKubelet(int signal) { return kubelet_->End(signal, kStartLimit); }

bool Node::Healthy() const {
  const auto answer = HttpGet("127.0.0.1", kHealthzPort, "/healthz", absl::Seconds(2));
  return answer.ok() && answer->status == 200 && answer->body == "ok";
}

absl::Status Node::WriteManifest(std::string_view name, std::string_view yaml) {
  return os::WriteFileAtomic(StrCat(manifests(), "/", name, ".yaml"), yaml, 0644);
}

absl::Status Node::RemoveManifest(std::string_view name) {
  return os::RemoveFile(StrCat(manifests(), "/", name, ".yaml"));
}

absl::StatusOr<server::StatusReport> Node::Status() const {
  ASSIGN_OR_RETURN(const std::string json, server::FetchStatus(StatusSocket(), absl::Seconds(5)));
  return server::ParseStatusJson(json);
}

absl::StatusOr<HttpAnswer> Node::Get(const std::string& path) const {
  return HttpGet(options_.world.address, kReadOnlyPort, path);
}

std::string Node::KubeletLog() const {
  const auto log = os::ReadFile(directory_ + "/kubelet.log");
  return log.ok() ? *log : std::string(Message(log.status()));
}

}  // namespace cubelet::e2e
