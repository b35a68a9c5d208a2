// Recorded truth for pods that use what an API server holds: the agent, given the same objects,
// makes the same variables and mounts of them and tells the same events as the Go kubelet did.
#include "containers/golden.h"
//
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "api/codec.h"
#include "api/yaml.h"
#include "base/strings.h"
#include "fakes/api_server/api.h"
#include "k8s.io/api/core/v1/cluster.pb.h"
#include "os/files.h"
#include "simulation/direct_client.h"
#include "simulation/sim_node.h"

namespace cubelet::integration {
namespace {

using simulation::SimNode;
using ::testing::Contains;

constexpr char kNamespace[] = "golden";
constexpr char kNode[] = "lab";

class GoldenApi : public ::testing::Test {
 protected:
  ~GoldenApi() override {
    client_.reset();
    api_.reset();
  }
  void SetUp() override;
  void TearDown() override {
    if (HasFailure()) std::cout << node_->Diagnosis(60);
    node_->KillAgent();
  }

  void CreatePod(const std::string& folder);
  void CreateObjects(const std::string& folder);
  criv1::ContainerConfig RecordedConfig(const std::string& folder) const;
  std::string Ours(std::string text) const;
  std::string File(const std::string& plugin, const std::string& path) const {
    const auto text = os::ReadFile(
        StrCat(node_->paths().PodVolumes(pod_.metadata().uid()), "/", plugin, "/", path));
    return text.ok() ? *text : "-";
  }

  std::unique_ptr<SimNode> node_;
  std::unique_ptr<fakes::FakeApi> api_;
  std::unique_ptr<simulation::DirectClient> client_;
  v1::Pod recorded_;
  v1::Pod pod_;  // ours
  std::vector<criv1::ContainerConfig> made_;
};

void GoldenApi::SetUp() {
  SimNode::Options options;
  options.wrap = [this](const kubelet::Seams& seams) {
    kubelet::Seams with_api = seams;
    with_api.kube = client_.get();
    return with_api;
  };
  options.configure = [](kubelet::AgentSettings& settings) {
    settings.node = containers::RecordedNode();
    settings.node.paths = settings.paths.get();
    settings.node_name = kNode;
    settings.view.name = kNode;
  };
  node_ = std::make_unique<SimNode>(std::move(options));
  node_->runtime().image_store().Add("docker.io/library/busybox:latest");
  node_->runtime().SetProcesses([this](const criv1::ContainerConfig& config, const std::string&) {
    made_.push_back(config);
    return std::nullopt;
  });
  api_ = std::make_unique<fakes::FakeApi>(node_->loop());
  client_ = std::make_unique<simulation::DirectClient>(node_->loop(), *api_,
                                                       StrCat("system:node:", kNode));
  v1::Node node;
  node.mutable_metadata()->set_name(kNode);
  ASSERT_TRUE(api_->Create(node).ok());
  v1::Namespace name_space;
  name_space.mutable_metadata()->set_name(kNamespace);
  ASSERT_TRUE(api_->Create(name_space).ok());
  // The recorded cluster put this, too, beside every token.
  v1::ConfigMap authority;
  authority.mutable_metadata()->set_namespace_(kNamespace);
  authority.mutable_metadata()->set_name("openshift-service-ca.crt");
  (*authority.mutable_data())["service-ca.crt"] = "PEM";
  ASSERT_TRUE(api_->Create(authority).ok());
  v1::Service service = *containers::ApiService();
  service.mutable_metadata()->set_namespace_("default");
  ASSERT_TRUE(api_->Create(service).ok());
}

// What the manifest has beside the pod.
void GoldenApi::CreateObjects(const std::string& folder) {
  const std::string path = StrCat(containers::kGolden, folder, "/pod.yaml");
  const auto create = [this](auto object) {
    object.mutable_metadata()->set_namespace_(kNamespace);
    const auto created = api_->Create(std::move(object));
    EXPECT_TRUE(created.ok()) << created.status();
  };
  for (const absl::string_view document : absl::StrSplit(containers::ReadFile(path), "---\n")) {
    const auto value = api::ParseYaml(ToStd(document));
    ASSERT_TRUE(value.ok()) << path << ": " << value.status();
    const std::string kind = api::PeekTypeMeta(*value)->kind;
    if (kind == "ConfigMap") create(containers::FromObject<v1::ConfigMap>(*value));
    if (kind == "Service") create(containers::FromObject<v1::Service>(*value));
    if (kind != "Secret") continue;
    auto secret = containers::FromObject<v1::Secret>(*value);
    for (const auto& [key, text] : secret.stringdata()) (*secret.mutable_data())[key] = text;
    secret.clear_stringdata();
    create(std::move(secret));
  }
}

void GoldenApi::CreatePod(const std::string& folder) {
  CreateObjects(folder);
  node_->StartAgent();
  node_->Run(absl::Seconds(1));
  recorded_ = containers::FromObject<v1::Pod>(
      containers::ReadJson(StrCat(containers::kGolden, folder, "/pod.json")));
  v1::Pod pod = recorded_;
  pod.clear_status();
  for (auto clear :
       {&metav1::ObjectMeta::clear_uid, &metav1::ObjectMeta::clear_resourceversion,
        &metav1::ObjectMeta::clear_creationtimestamp, &metav1::ObjectMeta::clear_deletiontimestamp,
        &metav1::ObjectMeta::clear_deletiongraceperiodseconds})
    (pod.mutable_metadata()->*clear)();
  const auto created = api_->Create(std::move(pod));
  ASSERT_TRUE(created.ok()) << created.status();
  pod_ = *created;
}

criv1::ContainerConfig GoldenApi::RecordedConfig(const std::string& folder) const {
  const boost::json::value calls =
      containers::ReadJson(StrCat(containers::kGolden, folder, "/cri.json"));
  for (const auto& call : calls.as_array()) {
    if (call.at("method").as_string() == "CreateContainer")
      return containers::FromRecord<criv1::CreateContainerRequest>(call.at("request")).config();
  }
  ADD_FAILURE() << "no container was made";
  return {};
}

// A recorded text as ours should be.
std::string GoldenApi::Ours(std::string text) const {
  const std::string ip = node_->runtime().sandboxes().begin()->second.ip;
  return absl::StrReplaceAll(text, {{recorded_.metadata().uid(), pod_.metadata().uid()},
                                    {"/var/lib/kubelet", node_->paths().root()},
                                    {recorded_.status().podip(), ip}});
}

std::vector<std::string> VariablesOf(const criv1::ContainerConfig& config) {
  std::vector<std::string> variables;
  for (const auto& variable : config.envs())
    variables.push_back(StrCat(variable.key(), "=", variable.value()));
  std::sort(variables.begin(), variables.end());
  return variables;
}

// But for the termination log, whose name is random.
std::vector<std::string> MountsOf(const criv1::ContainerConfig& config) {
  std::vector<std::string> mounts;
  for (const criv1::Mount& mount : config.mounts()) {
    if (mount.container_path() == "/dev/termination-log") continue;
    mounts.push_back(
        StrCat(mount.container_path(), " ", mount.host_path(), mount.readonly() ? " ro" : ""));
  }
  return mounts;
}

class GoldenConfig : public GoldenApi, public ::testing::WithParamInterface<const char*> {};

TEST_P(GoldenConfig, VariablesAndMountsAreTheRecordedOnes) {
  CreatePod(GetParam());
  ASSERT_TRUE(node_->RunUntil([this] { return !made_.empty(); }));
  const criv1::ContainerConfig recorded = RecordedConfig(GetParam());
  std::vector<std::string> variables = VariablesOf(recorded);
  for (std::string& variable : variables) variable = Ours(variable);
  EXPECT_EQ(variables, VariablesOf(made_.front()));
  std::vector<std::string> mounts = MountsOf(recorded);
  for (std::string& mount : mounts) mount = Ours(mount);
  EXPECT_EQ(mounts, MountsOf(made_.front()));
}

INSTANTIATE_TEST_SUITE_P(Pods, GoldenConfig, ::testing::Values("04-env", "05-volumes"),
                         [](const auto& info) {
                           return absl::StrReplaceAll(info.param, {{"-", "_"}});
                         });

TEST_F(GoldenApi, FilesHoldWhatTheObjectsHold) {
  CreatePod("05-volumes");
  ASSERT_TRUE(node_->RunUntil([this] { return !made_.empty(); }));
  EXPECT_EQ(File("kubernetes.io~configmap", "cm/a.txt"), "A");
  EXPECT_EQ(File("kubernetes.io~configmap", "cm/sub/bin"), std::string("\0\1\2", 3));
  EXPECT_EQ(File("kubernetes.io~configmap", "cm/b.txt"), "-");
  EXPECT_EQ(File("kubernetes.io~secret", "sec/token"), "t0ken");
  EXPECT_EQ(File("kubernetes.io~projected", "proj/cfg/b"), "B");
  EXPECT_EQ(File("kubernetes.io~projected", "proj/token"), "t0ken");
  EXPECT_EQ(File("kubernetes.io~projected", "proj/name"), "volumes");
  EXPECT_NE(File("kubernetes.io~projected", "proj/tok"), "-");
}

TEST_F(GoldenApi, AMissingConfigMapIsToldAsRecorded) {
  CreatePod("18-missing-config");
  node_->Run(absl::Seconds(5));
  EXPECT_TRUE(made_.empty());
  std::vector<std::string> recorded, ours;
  const auto events =
      containers::ReadJson(StrCat(containers::kGolden, "18-missing-config/events.json"));
  for (const auto& event : events.as_array()) {
    if (event.at("reason").as_string() != "Scheduled")
      recorded.push_back(StrCat(std::string_view(event.at("reason").as_string()), ": ",
                                std::string_view(event.at("message").as_string())));
  }
  for (const auto& event : node_->events().events)
    ours.push_back(StrCat(event.reason, ": ", event.message));
  for (const std::string& event : recorded) EXPECT_THAT(ours, Contains(event));
  const v1::Pod pod = *api_->Get<v1::Pod>(kNamespace, "missingcfg");
  const auto& waiting = pod.status().containerstatuses(0).state().waiting();
  const auto& as_recorded = recorded_.status().containerstatuses(0).state().waiting();
  EXPECT_EQ(waiting.reason(), as_recorded.reason());
  EXPECT_EQ(waiting.message(), as_recorded.message());
}

}  // namespace
}  // namespace cubelet::integration
