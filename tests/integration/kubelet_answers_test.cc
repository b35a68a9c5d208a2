// What the kubelet program answers: on its command line, over HTTP and TLS, and to `kubelet
// status`.
#include "integration/kubelet_node.h"
//
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "absl/strings/str_replace.h"
#include "api/yaml.h"
#include "base/strings.h"
#include "config/version.h"
#include "os/files.h"

namespace cubelet::integration {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class CommandLineTest : public KubeletTest {};

TEST_F(CommandLineTest, VersionIsToldBeforeAnythingElse) {
  const os::ProcessResult result = Run({"--config", "/does/not/exist", "--version"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output, StrCat("Kubernetes ", config::kKubernetesVersion, "\n"));
  EXPECT_EQ(result.error_output, "");
}

TEST_F(CommandLineTest, WhatIsUnknownIsRefusedByName) {
  const os::ProcessResult flag = Run({"--no-such-flag"});
  EXPECT_EQ(flag.exit_code, 1);
  EXPECT_THAT(flag.error_output, HasSubstr("no-such-flag"));
  const os::ProcessResult gate = Run({"--feature-gates=NoSuchGate=true"});
  EXPECT_EQ(gate.exit_code, 1);
  EXPECT_THAT(gate.error_output, HasSubstr("NoSuchGate"));
  // Of the file itself an unknown field is only told; a drop-in is read strictly.
  ASSERT_TRUE(os::MakeDirectories(directory() + "/conf.d", 0755).ok());
  ASSERT_TRUE(os::WriteFileAtomic(directory() + "/conf.d/10.conf",
                                  "apiVersion: kubelet.config.k8s.io/v1beta1\n"
                                  "kind: KubeletConfiguration\nnoField: 1\n",
                                  0644)
                  .ok());
  const os::ProcessResult field =
      RunConfigured(StandaloneConfiguration(), {"--config-dir", directory() + "/conf.d"});
  EXPECT_EQ(field.exit_code, 1);
  EXPECT_THAT(field.error_output, HasSubstr("noField"));
  StartKubelet("noSuchField: 1\n");
  EXPECT_THAT(KubeletLog(), HasSubstr("unknown field \\\"noSuchField\\\""));
}

TEST_F(CommandLineTest, WebhooksNeedAnApiServer) {
  const os::ProcessResult authorization = RunConfigured(
      absl::StrReplaceAll(StandaloneConfiguration(), {{"mode: AlwaysAllow", "mode: Webhook"}}));
  EXPECT_EQ(authorization.exit_code, 1);
  EXPECT_THAT(authorization.error_output,
              AllOf(HasSubstr("authorization.mode: Webhook needs an API server"),
                    HasSubstr("AlwaysAllow")));
  const os::ProcessResult authentication = RunConfigured(absl::StrReplaceAll(
      StandaloneConfiguration(), {{"webhook: {enabled: false}", "webhook: {enabled: true}"}}));
  EXPECT_EQ(authentication.exit_code, 1);
  EXPECT_THAT(authentication.error_output,
              HasSubstr("authentication.webhook.enabled: true needs an API server"));
}

TEST_F(CommandLineTest, StatusWithoutAKubelet) {
  const os::ProcessResult result = StatusCommand();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.output, "");
  EXPECT_THAT(result.error_output, HasSubstr("is the kubelet running on this node?"));
}

class ServerTest : public KubeletTest {
 protected:
  void SetUp() override {
    KubeletTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    StartRuntime();
    WriteManifest("a.yaml", Simple("a"));
    StartKubelet();
    ASSERT_TRUE(BecomesReady("a"));
  }
  // The body of an answer of 200.
  std::string Body(const std::string& path) {
    const auto answer = Get(path, &client());
    EXPECT_TRUE(answer.ok()) << answer.status();
    if (!answer.ok()) return "";
    EXPECT_EQ(answer->status, 200) << path << ": " << answer->body;
    return answer->body;
  }
};

TEST_F(ServerTest, NobodyComesInWithoutACertificate) {
  const certs::TestCertificate stranger = certs::MakeTestCertificate({.common_name = "operator"});
  for (const char* path : {"/healthz", "/pods", "/runningpods/", "/configz", "/metrics",
                           "/metrics/probes", "/debug/tasks"}) {
    const auto anonymous = Get(path, nullptr);
    ASSERT_TRUE(anonymous.ok()) << anonymous.status();
    EXPECT_EQ(anonymous->status, 401) << path;
    EXPECT_EQ(anonymous->body, "Unauthorized") << path;
  }
  // A certificate that nobody known has signed does not come in either, at the handshake or after.
  const auto refused = Get("/healthz", &stranger);
  EXPECT_TRUE(!refused.ok() || refused->status == 401) << refused->status;
}

TEST_F(ServerTest, HealthIsToldOnBothPorts) {
  EXPECT_EQ(Body("/healthz"), "ok");
  const auto health = GetHealth("/healthz");
  ASSERT_TRUE(health.ok()) << health.status();
  EXPECT_EQ(health->status, 200);
  EXPECT_EQ(health->body, "ok");
  // That port knows nothing else.
  const auto pods = GetHealth("/pods");
  ASSERT_TRUE(pods.ok()) << pods.status();
  EXPECT_EQ(pods->status, 404);
}

TEST_F(ServerTest, PodsAreListedWithTheirStatus) {
  const auto list = api::ParseJson(Body("/pods"));
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_EQ(list->at("kind").as_string(), "PodList");
  ASSERT_EQ(list->at("items").as_array().size(), 1u);
  const boost::json::value& pod = list->at("items").as_array()[0];
  EXPECT_EQ(pod.at("metadata").at("name").as_string(), "a-it");
  EXPECT_EQ(pod.at("status").at("phase").as_string(), "Running");
  const auto running = api::ParseJson(Body("/runningpods/"));
  ASSERT_TRUE(running.ok()) << running.status();
  ASSERT_EQ(running->at("items").as_array().size(), 1u);
  EXPECT_EQ(running->at("items").as_array()[0].at("metadata").at("name").as_string(), "a-it");
}

TEST_F(ServerTest, ConfigurationMetricsAndTasks) {
  const auto configz = api::ParseJson(Body("/configz"));
  ASSERT_TRUE(configz.ok()) << configz.status();
  EXPECT_EQ(configz->at("kubeletconfig").at("staticPodPath").as_string(), manifests());
  EXPECT_FALSE(configz->at("kubeletconfig").at("cgroupsPerQOS").as_bool());
  EXPECT_THAT(
      Body("/metrics"),
      AllOf(HasSubstr("\nkubelet_running_pods 1\n"),
            HasSubstr("kubelet_running_containers{container_state=\"running\"} 1"),
            HasSubstr("\nkubelet_desired_pods{static=\"true\"} 1\n"),
            HasSubstr("\nkubelet_active_pods{static=\"true\"} 1\n"),
            HasSubstr("kubelet_working_pods{config=\"desired\",lifecycle=\"sync\",static="
                      "\"true\"} 1"),
            HasSubstr("\nkubelet_containers_per_pod_count_count 1\n"),
            HasSubstr("\nkubelet_pleg_relist_interval_seconds_bucket"),
            HasSubstr("kubernetes_feature_enabled{name=\"SidecarContainers\",stage=\"\"} 1"),
            HasSubstr("git_version=\"v1.36.2\""),
            HasSubstr("kubelet_image_manager_ensure_image_requests_total{present_locally="
                      "\"true\",pull_policy=\"ifnotpresent\",pull_required=\"false\"} 1"),
            HasSubstr("kubelet_runtime_operations_total{operation_type=")));
  const std::string probes = Body("/metrics/probes");
  EXPECT_THAT(probes, Not(HasSubstr("kubelet_running_pods")));
  EXPECT_THAT(Body("/debug/tasks"), HasSubstr("kubelet"));
}

class StatusTest : public KubeletTest {};

constexpr char kOnImage[] =
    "{containers: [{name: main, image: absent, imagePullPolicy: Never, command: [sleep, "
    "infinity]}]}";
constexpr char kOnMount[] =
    "{containers: [{name: main, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, "
    "infinity], volumeMounts: [{name: data, mountPath: /data}]}], volumes: [{name: data, hostPath: "
    "{path: /does/not/exist, type: Directory}}]}";
constexpr char kOnMemory[] =
    "{containers: [{name: main, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, "
    "infinity], resources: {requests: {memory: 100Ti}}}]}";

TEST_F(StatusTest, OneSentenceSaysWhyAPodIsNotReady) {
  StartRuntime();
  WriteManifest("good.yaml", Simple("good"));
  WriteManifest("image.yaml", Pod("image", kOnImage));
  WriteManifest("crash.yaml", Simple("crash", "sim, exit=3, after=0s"));
  WriteManifest("mount.yaml", Pod("mount", kOnMount));
  WriteManifest("memory.yaml", Pod("memory", kOnMemory));
  WriteManifest("broken.yaml", "apiVersion: v1\nkind: Pod\nspec: {containers: 7");
  StartKubelet();
  EXPECT_TRUE(BecomesReady("good"));
  EXPECT_TRUE(SaysOf("image",
                     "container \"main\" is waiting: ErrImageNeverPull: Container image \"absent\" "
                     "is not present with pull policy of Never"));
  EXPECT_TRUE(SaysOf("crash", "container \"main\" is waiting: CrashLoopBackOff: back-off 10s"));
  EXPECT_TRUE(SaysOf("crash", "(last ended with exit code 3"));
  EXPECT_TRUE(SaysOf("mount", "/does/not/exist is not a directory"));
  EXPECT_TRUE(SaysOf("memory", "Node didn't have enough resource: memory"));
  EXPECT_TRUE(HasProblem("broken.yaml"));

  const os::ProcessResult table = StatusCommand();
  EXPECT_EQ(table.exit_code, 0);
  EXPECT_EQ(table.error_output, "");
  EXPECT_THAT(table.output,
              AllOf(StartsWith("NAMESPACE "), HasSubstr("good-it"), HasSubstr("CrashLoopBackOff"),
                    HasSubstr("ErrImageNeverPull"), HasSubstr("OutOfmemory"),
                    HasSubstr("/does/not/exist"), HasSubstr("broken.yaml")));
  const os::ProcessResult json = StatusCommand({"-o", "json"});
  EXPECT_EQ(json.exit_code, 0);
  const auto report = server::ParseStatusJson(json.output);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->node, kNodeName);
  EXPECT_EQ(report->pods.size(), 5u);

  // What was wrong and is put right.
  RemoveManifest("broken.yaml");
  RemoveManifest("memory.yaml");
  EXPECT_TRUE(e2e::Eventually(kLimit, [this] {
    const auto now = Status();
    return now.ok() && now->problems.empty() && now->pods.size() == 4;
  }));
}

}  // namespace
}  // namespace cubelet::integration
