#include "integration/kubelet_node.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "base/clock.h"
#include "base/fd.h"
#include "base/status.h"
#include "base/strings.h"
#include "node/addresses.h"
#include "os/files.h"
#include "os/tree.h"
#include "server/status_client.h"
#include "server/status_socket.h"

namespace cubelet::integration {
namespace {

// A port that nobody listens at, now.
uint16_t FreePort() {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&at), size), 0);
  EXPECT_EQ(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&at), &size), 0);
  return ntohs(at.sin_port);
}

// An address of this machine that a node may have, "" if there is none.
std::string NodeIp() {
  const auto addresses = node::ListInterfaceAddresses();
  if (!addresses.ok()) return "";
  for (const auto& entry : *addresses) {
    if (entry.ip.find(':') == std::string::npos && node::ValidateNodeIp(entry.ip, *addresses).ok())
      return entry.ip;
  }
  return "";
}

certs::TestCertificate MakeClient(const certs::TestCertificate& authority) {
  certs::TestCertificateOptions options;
  options.common_name = "operator";
  return certs::MakeTestCertificate(options, &authority);
}

// Why no kubelet can run here, "" if one can.
std::string WhyNot(const std::string& node_ip) {
  if (node_ip.empty()) return "this machine has no address but those of the loopback";
  if (!os::MakeDirectories("/var/log/containers", 0755).ok() ||
      ::access("/var/log/containers", W_OK) != 0)
    return "needs the right to write to /var/log/containers";
  return "";
}

}  // namespace

KubeletTest::KubeletTest()
    : node_ip_(NodeIp()),
      authority_(certs::MakeTestAuthority("clients")),
      client_(MakeClient(authority_)) {}

void KubeletTest::SetUp() {
  if (const std::string why = WhyNot(node_ip_); !why.empty()) GTEST_SKIP() << why;
  // A socket's path has to be short.
  directory_ = "/tmp/cubelet-it.XXXXXX";
  ASSERT_NE(::mkdtemp(directory_.data()), nullptr);
  ASSERT_TRUE(os::MakeDirectories(manifests(), 0755).ok());
  ASSERT_TRUE(
      os::WriteFileAtomic(directory_ + "/clients.crt", authority_.CertificatePem(), 0644).ok());
  port_ = FreePort();
  healthz_port_ = FreePort();
}

void KubeletTest::TearDown() {
  if (HasFailure()) GTEST_LOG_(INFO) << "the kubelet's log:\n" << KubeletLog();
  if (kubelet_) (void)kubelet_->End(SIGTERM, kLimit);
  kubelet_.reset();
  runtime_process_.reset();
  if (!directory_.empty()) (void)os::RemoveTree(directory_);
}

// ---- Processes

void KubeletTest::StartRuntime(std::vector<std::string> flags) {
  // No two runtimes give the same ids.
  std::vector<std::string> arguments = {
      CUBELET_FAKE_RUNTIME, "--socket", runtime_socket(), "--image", "busybox", "--seed",
      StrCat(++seed_)};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  auto process = e2e::ChildProcess::Start(arguments, {}, directory_ + "/fake_runtime.log");
  ASSERT_TRUE(process.ok()) << process.status();
  runtime_process_ = *std::move(process);
  ASSERT_TRUE(e2e::Eventually(kLimit, [this] { return runtime().Check().ok(); }));
}

std::vector<std::string> KubeletTest::Running(const std::string& pod) const {
  std::vector<std::string> ids;
  const auto containers = runtime().Containers();
  if (!containers.ok()) return ids;
  for (const e2e::Container& container : *containers) {
    if (container.pod == StrCat(pod, "-", kNodeName) && container.running)
      ids.push_back(container.id);
  }
  return ids;
}

std::string KubeletTest::StandaloneConfiguration() const {
  return StrCat(
      "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
      "authentication:\n  anonymous: {enabled: false}\n  webhook: {enabled: false}\n"
      "  x509: {clientCAFile: ",
      directory_,
      "/clients.crt}\n"
      "authorization: {mode: AlwaysAllow}\naddress: 127.0.0.1\nport: ",
      port_, "\nhealthzPort: ", healthz_port_,
      "\nfailSwapOn: false\nfailCgroupV1: false\nresolvConf: \"\"\n"
      "cgroupsPerQOS: false\nenforceNodeAllocatable: []\npodLogsDir: ",
      directory_, "/logs\ncontainerRuntimeEndpoint: unix://", runtime_socket(), "\n");
}

std::string KubeletTest::StatusVariable() const {
  return StrCat(server::kStatusSocketVariable, "=", directory_, "/status.sock");
}

std::vector<std::string> KubeletTest::Arguments(const std::string& configuration) const {
  const std::string path = directory_ + "/kubelet.yaml";
  EXPECT_TRUE(os::WriteFileAtomic(path, configuration, 0644).ok());
  return {CUBELET_KUBELET,
          "--config",
          path,
          "--root-dir",
          directory_ + "/kubelet",
          "--cert-dir",
          directory_ + "/pki",
          "--hostname-override",
          kNodeName,
          "--node-ip",
          node_ip_};
}

void KubeletTest::StartKubelet(const std::string& configuration,
                               std::vector<std::string> environment) {
  environment.push_back(StatusVariable());
  std::string text = StandaloneConfiguration();
  if (configuration.find("staticPod") == std::string::npos)
    StrAppend(&text, "staticPodPath: ", manifests(), "\n");
  auto process = e2e::ChildProcess::Start(Arguments(StrCat(text, configuration)), environment,
                                          directory_ + "/kubelet.log");
  ASSERT_TRUE(process.ok()) << process.status();
  kubelet_ = *std::move(process);
  ASSERT_TRUE(e2e::Eventually(kLimit, [this] {
    const auto health = GetHealth("/healthz");
    return !kubelet_->running() || (health.ok() && health->status == 200);
  }));
  ASSERT_TRUE(kubelet_->running()) << KubeletLog();
}

os::ProcessResult KubeletTest::Run(std::vector<std::string> arguments) {
  os::ProcessRequest request;
  request.arguments = {CUBELET_KUBELET};
  request.arguments.insert(request.arguments.end(), arguments.begin(), arguments.end());
  request.timeout = kLimit;
  const auto result = os::RunProcess(request);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *result : os::ProcessResult();
}

os::ProcessResult KubeletTest::RunConfigured(const std::string& configuration,
                                             const std::vector<std::string>& more) {
  std::vector<std::string> arguments = Arguments(configuration);
  arguments.erase(arguments.begin());
  arguments.insert(arguments.end(), more.begin(), more.end());
  return Run(std::move(arguments));
}

std::string KubeletTest::KubeletLog() const {
  const auto log = os::ReadFile(directory_ + "/kubelet.log", 64 << 20);
  return log.ok() ? *log : std::string(Message(log.status()));
}

// ---- What it says

absl::StatusOr<server::StatusReport> KubeletTest::Status() const {
  ASSIGN_OR_RETURN(const std::string json,
                   server::FetchStatus(directory_ + "/status.sock", absl::Seconds(5)));
  return server::ParseStatusJson(json);
}

os::ProcessResult KubeletTest::StatusCommand(std::vector<std::string> arguments) const {
  os::ProcessRequest request;
  request.arguments = {CUBELET_KUBELET, "status"};
  request.arguments.insert(request.arguments.end(), arguments.begin(), arguments.end());
  request.environment = {StatusVariable()};
  request.timeout = kLimit;
  const auto result = os::RunProcess(request);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *result : os::ProcessResult();
}

std::optional<server::PodRow> KubeletTest::Row(const std::string& pod) const {
  const auto report = Status();
  if (!report.ok()) return std::nullopt;
  for (const server::PodRow& row : report->pods) {
    if (row.name == StrCat(pod, "-", kNodeName)) return row;
  }
  return std::nullopt;
}

::testing::AssertionResult KubeletTest::BecomesReady(const std::string& pod,
                                                     absl::Duration limit) const {
  const bool ready = e2e::Eventually(limit, [&] {
    const auto row = Row(pod);
    return row && row->ready;
  });
  if (ready) return ::testing::AssertionSuccess();
  const auto row = Row(pod);
  return ::testing::AssertionFailure()
         << pod << " is not ready: " << (row ? row->reason : "it is not listed");
}

::testing::AssertionResult KubeletTest::SaysOf(const std::string& pod, const std::string& text,
                                               absl::Duration limit) const {
  const bool said = e2e::Eventually(limit, [&] {
    const auto row = Row(pod);
    return row && row->reason.find(text) != std::string::npos;
  });
  if (said) return ::testing::AssertionSuccess();
  const auto row = Row(pod);
  return ::testing::AssertionFailure()
         << pod << ": " << (row ? StrCat(row->status, ": ", row->reason) : "it is not listed");
}

::testing::AssertionResult KubeletTest::HasProblem(const std::string& text,
                                                   absl::Duration limit) const {
  std::vector<std::string> problems;
  const bool has = e2e::Eventually(limit, [&] {
    const auto report = Status();
    if (!report.ok()) return false;
    problems = report->problems;
    return std::any_of(problems.begin(), problems.end(), [&](const std::string& problem) {
      return problem.find(text) != std::string::npos;
    });
  });
  if (has) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << ::testing::PrintToString(problems);
}

// ---- Manifests

std::string KubeletTest::Pod(const std::string& name, const std::string& spec) {
  return StrCat("apiVersion: v1\nkind: Pod\nmetadata: {name: ", name, "}\nspec: ", spec, "\n");
}

std::string KubeletTest::Simple(const std::string& name, const std::string& command,
                                const std::string& more) {
  return Pod(name, StrCat("{terminationGracePeriodSeconds: 1, containers: [{name: main, image: "
                          "busybox, imagePullPolicy: IfNotPresent, command: [",
                          command, "]", more, "}]}"));
}

void KubeletTest::WriteManifest(const std::string& name, const std::string& text) const {
  ASSERT_TRUE(os::WriteFileAtomic(os::JoinPath(manifests(), name), text, 0644).ok());
}

void KubeletTest::RemoveManifest(const std::string& name) const {
  ASSERT_TRUE(os::RemoveFile(os::JoinPath(manifests(), name)).ok());
}

}  // namespace cubelet::integration
