// What pods use of the API server beside themselves, in virtual time: ConfigMaps and Secrets as
// files and variables, tokens of their service account, services.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>
#include <memory>
#include <string>

#include "api/codec.h"
#include "api/yaml.h"
#include "base/strings.h"
#include "fakes/api_server/api.h"
#include "os/files.h"
#include "simulation/direct_client.h"
#include "simulation/sim_node.h"

namespace cubelet::simulation {
namespace {

using ::testing::Contains;
using ::testing::Not;

class PodObjectsTest : public ::testing::Test {
 protected:
  ~PodObjectsTest() override {
    client_.reset();
    api_.reset();
  }
  void SetUp() override {
    SimNode::Options options;
    options.wrap = [this](const kubelet::Seams& seams) {
      kubelet::Seams with_api = seams;
      with_api.kube = client_.get();
      return with_api;
    };
    options.runtime.pod_network = "127.88.0.0/16";
    node_ = std::make_unique<SimNode>(std::move(options));
    node_->runtime().SetProcesses([this](const criv1::ContainerConfig& config, const std::string&) {
      variables_.clear();
      for (const auto& variable : config.envs())
        variables_.push_back(StrCat(variable.key(), "=", variable.value()));
      return std::nullopt;
    });
    api_ = std::make_unique<fakes::FakeApi>(node_->loop());
    client_ = std::make_unique<DirectClient>(node_->loop(), *api_, "system:node:sim");
    Make<v1::Node>("{metadata: {name: sim}}");
    node_->StartAgent();
  }
  void TearDown() override {
    if (HasFailure()) {
      for (const fakes::RecordedRequest& request : api_->requests())
        std::cout << request.method << " " << request.path << "?" << request.query << " "
                  << request.code << "\n";
      std::cout << node_->Diagnosis(60);
    }
    node_->KillAgent();
  }

  template <typename T>
  T Parse(const std::string& yaml) {
    T object;
    auto json = api::ParseYaml(yaml);
    EXPECT_TRUE(json.ok()) << json.status();
    if (json.ok()) EXPECT_TRUE(api::FromJson(*json, object, {.strict = true}).ok());
    return object;
  }
  template <typename T>
  T Make(const std::string& yaml) {
    auto created = api_->Create(Parse<T>(yaml));
    EXPECT_TRUE(created.ok()) << created.status();
    return created.ok() ? *created : T();
  }
  void MakeConfigMap(const std::string& value) {
    Make<v1::ConfigMap>(
        StrCat("{metadata: {name: cm, namespace: default}, data: {key: ", value, "}}"));
  }
  void UpdateConfigMap(const std::string& value) {
    v1::ConfigMap object = *api_->Get<v1::ConfigMap>("default", "cm");
    (*object.mutable_data())["key"] = value;
    ASSERT_TRUE(api_->Update(object).ok());
  }
  void MakeSecret() {
    Make<v1::Secret>("{metadata: {name: s, namespace: default}, data: {key: c2VjcmV0}}");
  }
  // A pod with more for its one container and its spec.
  void MakePod(const std::string& container, const std::string& spec = "") {
    uid_ = Make<v1::Pod>(
               StrCat("{metadata: {name: web, namespace: default}, spec: {nodeName: sim, ", spec,
                      " containers: [{name: main, image: busybox, imagePullPolicy: "
                      "IfNotPresent, command: [sleep, infinity]",
                      container, "}]}}"))
               .metadata()
               .uid();
  }
  void MakePodWithVolume(const std::string& source) {
    MakePod(", volumeMounts: [{name: v, mountPath: /v}]",
            StrCat("volumes: [{name: v, ", source, "}],"));
  }

  bool Becomes(const std::function<bool()>& condition, absl::Duration limit = absl::Minutes(2)) {
    return node_->RunUntil(condition, limit);
  }
  bool IsReady() {
    const auto pod = api_->Get<v1::Pod>("default", "web");
    if (!pod.ok()) return false;
    for (const v1::PodCondition& condition : pod->status().conditions()) {
      if (condition.type() == "Ready") return condition.status() == "True";
    }
    return false;
  }
  v1::ContainerStateWaiting Waiting() {
    const auto pod = api_->Get<v1::Pod>("default", "web");
    if (!pod.ok() || pod->status().containerstatuses().empty()) return {};
    return pod->status().containerstatuses(0).state().waiting();
  }
  std::string File(const std::string& plugin, const std::string& volume, const std::string& file) {
    const absl::StatusOr<std::string> text =
        os::ReadFile(StrCat(node_->paths().PodVolume(uid_, plugin, volume), "/", file));
    return text.ok() ? *text : "-";
  }
  // The name of the volume that the API server gives every pod.
  std::string TokenVolume() {
    const auto pod = api_->Get<v1::Pod>("default", "web");
    for (const v1::Volume& volume : pod->spec().volumes()) {
      if (volume.name().starts_with("kube-api-access-")) return volume.name();
    }
    return "";
  }
  int Asked(const std::string& method, const std::string& part) {
    int count = 0;
    for (const fakes::RecordedRequest& request : api_->requests())
      count += request.method == method &&
               StrCat(request.path, "?", request.query).find(part) != std::string::npos;
    return count;
  }

  std::unique_ptr<SimNode> node_;
  std::unique_ptr<fakes::FakeApi> api_;
  std::unique_ptr<DirectClient> client_;
  std::string uid_;
  std::vector<std::string> variables_;  // of the container that was made last
};

constexpr char kConfigMapPlugin[] = "kubernetes.io/configmap";
constexpr char kProjectedPlugin[] = "kubernetes.io/projected";

TEST_F(PodObjectsTest, AnOrdinaryPodHasItsToken) {
  MakePod("");
  ASSERT_TRUE(Becomes([this] { return IsReady(); }));
  const std::string volume = TokenVolume();
  ASSERT_NE(volume, "");
  const std::string token = File(kProjectedPlugin, volume, "token");
  EXPECT_NE(token, "-");
  EXPECT_EQ(File(kProjectedPlugin, volume, "namespace"), "default");
  EXPECT_NE(File(kProjectedPlugin, volume, "ca.crt"), "-");
  EXPECT_EQ(Asked("POST", "/serviceaccounts/default/token"), 1);
  EXPECT_EQ(Asked("GET", "fieldSelector=metadata.name%3Dkube-root-ca.crt"), 1);

  node_->Run(absl::Minutes(49));
  EXPECT_EQ(Asked("POST", "/serviceaccounts/default/token"), 2);
  EXPECT_NE(File(kProjectedPlugin, volume, "token"), token) << "renewed before it expires";
}

TEST_F(PodObjectsTest, AChangedConfigMapReachesTheFilesWithinASecond) {
  MakeConfigMap("one");
  MakePodWithVolume("configMap: {name: cm}");
  ASSERT_TRUE(Becomes([this] { return IsReady(); }));
  EXPECT_EQ(File(kConfigMapPlugin, "v", "key"), "one");
  for (const char* value : {"two", "three"}) {
    UpdateConfigMap(value);
    node_->Run(absl::Seconds(1));
    EXPECT_EQ(File(kConfigMapPlugin, "v", "key"), value);
  }
  EXPECT_EQ(node_->agent().pods().Running().size(), 1u);
}

TEST_F(PodObjectsTest, APodWaitsForItsConfigMap) {
  MakePodWithVolume("configMap: {name: cm}");
  node_->Run(absl::Seconds(5));
  EXPECT_FALSE(IsReady());
  EXPECT_EQ(Waiting().reason(), "ContainerCreating");
  std::vector<std::string> events;
  for (const auto& event : node_->events().events) events.push_back(event.message);
  EXPECT_THAT(events, Contains("MountVolume.SetUp failed for volume \"v\" : configmap \"cm\" not "
                               "found"));
  MakeConfigMap("late");
  EXPECT_TRUE(Becomes([this] { return IsReady(); }, absl::Seconds(2))) << "without a retry's wait";
}

TEST_F(PodObjectsTest, VariablesComeFromObjects) {
  MakeConfigMap("one");
  MakeSecret();
  MakePod(
      ", env: [{name: A, valueFrom: {configMapKeyRef: {name: cm, key: key}}}, {name: B, valueFrom: "
      "{secretKeyRef: {name: s, key: key}}}, {name: C, valueFrom: {secretKeyRef: {name: x, key: "
      "key, optional: true}}}], envFrom: [{prefix: P_, configMapRef: {name: cm}}]");
  ASSERT_TRUE(Becomes([this] { return IsReady(); }));
  EXPECT_THAT(variables_, Contains("A=one"));
  EXPECT_THAT(variables_, Contains("B=secret"));
  EXPECT_THAT(variables_, Contains("P_key=one"));
  EXPECT_THAT(variables_, Not(Contains(testing::StartsWith("C="))));
}

TEST_F(PodObjectsTest, WhatAVariableMissesIsSaid) {
  const struct {
    const char* reference;
    const char* message;
  } kCases[] = {
      {"configMapKeyRef: {name: x, key: k}", R"(configmap "x" not found)"},
      {"secretKeyRef: {name: x, key: k}", R"(secret "x" not found)"},
      {"configMapKeyRef: {name: cm, key: k}", "couldn't find key k in ConfigMap default/cm"},
      {"secretKeyRef: {name: s, key: k}", "couldn't find key k in Secret default/s"},
  };
  MakeConfigMap("one");
  MakeSecret();
  for (const auto& one : kCases) {
    MakePod(StrCat(", env: [{name: A, valueFrom: {", one.reference, "}}]"));
    ASSERT_TRUE(Becomes([this] { return Waiting().reason() == "CreateContainerConfigError"; }))
        << one.message;
    EXPECT_EQ(Waiting().message(), one.message);
    fakes::DeleteRequest force;
    force.grace_period_seconds = 0;
    ASSERT_TRUE(api_->Delete<v1::Pod>("default", "web", force).ok());
    ASSERT_TRUE(Becomes([this] { return node_->agent().pods().Reports().empty(); }));
  }
}

TEST_F(PodObjectsTest, AContainerStartsOnceWhatItMissedIsThere) {
  MakePod(", env: [{name: A, valueFrom: {configMapKeyRef: {name: cm, key: key}}}]");
  ASSERT_TRUE(Becomes([this] { return Waiting().reason() == "CreateContainerConfigError"; }));
  MakeConfigMap("late");
  EXPECT_TRUE(Becomes([this] { return IsReady(); }, absl::Seconds(3)));
  EXPECT_THAT(variables_, Contains("A=late"));
}

TEST_F(PodObjectsTest, ServicesAreToldInVariables) {
  node_->Run(absl::Seconds(1));
  Make<v1::Service>(
      "{metadata: {name: kubernetes, namespace: default}, spec: {clusterIP: 10.96.0.1, ports: "
      "[{name: https, port: 443, protocol: TCP}]}}");
  Make<v1::Service>(
      "{metadata: {name: my-db, namespace: default}, spec: {clusterIP: 10.96.0.7, ports: [{port: "
      "5432, protocol: TCP}]}}");
  node_->Run(absl::Seconds(1));
  MakePod("");
  ASSERT_TRUE(Becomes([this] { return IsReady(); }));
  EXPECT_THAT(variables_, Contains("KUBERNETES_SERVICE_HOST=10.96.0.1"));
  EXPECT_THAT(variables_, Contains("KUBERNETES_SERVICE_PORT_HTTPS=443"));
  EXPECT_THAT(variables_, Contains("MY_DB_SERVICE_HOST=10.96.0.7"));
}

TEST_F(PodObjectsTest, ObjectsAreWatchedOnlyWhileTheyAreUsed) {
  MakeConfigMap("one");
  MakePodWithVolume("configMap: {name: cm}");
  ASSERT_TRUE(Becomes([this] { return IsReady(); }));
  const auto watches = [this] {
    int count = 0;
    for (const auto& task : node_->loop().Tasks())
      count += task.name == "watch configmap default/cm";
    return count;
  };
  EXPECT_EQ(watches(), 1);
  ASSERT_TRUE(api_->Delete<v1::Pod>("default", "web").ok());
  ASSERT_TRUE(Becomes([this] { return node_->agent().pods().Reports().empty(); }));
  node_->Run(absl::Seconds(1));
  EXPECT_EQ(watches(), 0);
}

TEST_F(PodObjectsTest, PodsKeepWhatTheyHaveWhileTheServerIsAway) {
  MakeConfigMap("one");
  MakePodWithVolume("configMap: {name: cm}");
  ASSERT_TRUE(Becomes([this] { return IsReady(); }));
  client_->SetCutOff(true);
  UpdateConfigMap("two");
  node_->Run(absl::Minutes(70));
  EXPECT_EQ(File(kConfigMapPlugin, "v", "key"), "one");
  EXPECT_EQ(node_->agent().pods().Running().size(), 1u);
  client_->SetCutOff(false);
  EXPECT_TRUE(Becomes([this] { return File(kConfigMapPlugin, "v", "key") == "two"; }));
}

// A pod that is removed while the server is away does not wait for an answer.
TEST_F(PodObjectsTest, AMissingAnswerHoldsNobody) {
  node_->Run(absl::Seconds(5));
  api_->faults().Add({.what = fakes::ApiFault::Answer(403),
                      .times = 1000,
                      .matches = fakes::ApiFaults::Method("GET", "/configmaps")});
  MakePodWithVolume("configMap: {name: cm}");
  node_->Run(absl::Seconds(20));
  EXPECT_FALSE(IsReady());
  ASSERT_TRUE(api_->Delete<v1::Pod>("default", "web").ok());
  EXPECT_TRUE(
      Becomes([this] { return !api_->Get<v1::Pod>("default", "web").ok(); }, absl::Seconds(5)));
}

}  // namespace
}  // namespace cubelet::simulation
