// The whole agent with an API server, in virtual time: pods bound to the node run, their statuses
// are told, they go when they are deleted, and nothing is lost while the server is away.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>
#include <memory>
#include <string>

#include "api/codec.h"
#include "api/pod.h"
#include "api/yaml.h"
#include "base/strings.h"
#include "fakes/api_server/api.h"
#include "simulation/direct_client.h"
#include "simulation/sim_node.h"

namespace cubelet::simulation {
namespace {

using fakes::ApiFault;
using fakes::ApiFaults;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kSleeper[] =
    "{automountServiceAccountToken: false, containers: [{name: main, image: busybox, "
    "imagePullPolicy: IfNotPresent, command: [sleep, "
    "infinity]}]}";

class ApiServerTest : public ::testing::Test {
 protected:
  ~ApiServerTest() override {
    client_.reset();
    api_.reset();
  }
  void TearDown() override {
    if (HasFailure()) {
      for (const fakes::RecordedRequest& request : api_->requests())
        std::cout << request.method << " " << request.path << "?" << request.query << " "
                  << request.code << " " << request.body << "\n";
      std::cout << node_->Diagnosis();
    }
    if (node_) node_->KillAgent();
  }

  void Begin() {
    SimNode::Options options;
    options.wrap = [this](const kubelet::Seams& seams) {
      kubelet::Seams with_api = seams;
      with_api.kube = client_.get();
      return with_api;
    };
    node_ = std::make_unique<SimNode>(std::move(options));
    api_ = std::make_unique<fakes::FakeApi>(node_->loop());
    client_ = std::make_unique<DirectClient>(node_->loop(), *api_, "system:node:sim");
    v1::Node node;
    node.mutable_metadata()->set_name("sim");
    ASSERT_TRUE(api_->Create(node).ok());
    node_->StartAgent();
  }

  v1::Pod Create(const std::string& name, const std::string& spec) {
    v1::Pod pod;
    auto json = api::ParseYaml(
        StrCat("{metadata: {name: ", name, ", namespace: default}, spec: ", spec, "}"));
    EXPECT_TRUE(json.ok()) << json.status();
    EXPECT_TRUE(api::FromJson(*json, pod, {.strict = true}).ok());
    pod.mutable_spec()->set_nodename("sim");
    auto created = api_->Create(pod);
    EXPECT_TRUE(created.ok()) << created.status();
    return created.ok() ? *created : v1::Pod();
  }

  absl::StatusOr<v1::Pod> Get(const std::string& name) {
    return api_->Get<v1::Pod>("default", name);
  }
  std::string Phase(const std::string& name) {
    const auto pod = Get(name);
    return pod.ok() ? pod->status().phase() : "gone";
  }
  bool IsReady(const std::string& name) {
    const auto pod = Get(name);
    if (!pod.ok()) return false;
    for (const v1::PodCondition& condition : pod->status().conditions()) {
      if (condition.type() == "Ready") return condition.status() == "True";
    }
    return false;
  }
  bool Becomes(const std::function<bool()>& condition, absl::Duration limit = absl::Minutes(2)) {
    return node_->RunUntil(condition, limit);
  }
  int Running() { return static_cast<int>(node_->agent().pods().Running().size()); }
  // Requests of that method whose path has `part`.
  int Count(const std::string& method, const std::string& part) {
    int count = 0;
    for (const fakes::RecordedRequest& request : api_->requests())
      count += request.method == method && request.path.find(part) != std::string::npos;
    return count;
  }

  std::unique_ptr<SimNode> node_;
  std::unique_ptr<fakes::FakeApi> api_;
  std::unique_ptr<DirectClient> client_;
};

TEST_F(ApiServerTest, APodRunsAndIsTold) {
  Begin();
  Create("web", kSleeper);
  ASSERT_TRUE(Becomes([this] { return IsReady("web"); }));
  const v1::Pod pod = *Get("web");
  EXPECT_EQ(pod.status().phase(), "Running");
  EXPECT_EQ(pod.status().qosclass(), "BestEffort");
  ASSERT_THAT(pod.status().containerstatuses(), SizeIs(1));
  EXPECT_TRUE(pod.status().containerstatuses(0).started());
  // Nothing is asked for before it is told, and nothing is told twice.
  EXPECT_EQ(Count("GET", "/pods/web"), 0);
  const int told = Count("PATCH", "/pods/web/status");
  EXPECT_LE(told, 3);
  node_->Run(absl::Minutes(10));
  EXPECT_EQ(Count("PATCH", "/pods/web/status"), told);
}

TEST_F(ApiServerTest, ADeletedPodEndsBeforeItsObjectGoes) {
  Begin();
  Create("web", kSleeper);
  ASSERT_TRUE(Becomes([this] { return IsReady("web"); }));
  ASSERT_TRUE(api_->Delete<v1::Pod>("default", "web").ok());
  EXPECT_TRUE(Get("web")->metadata().has_deletiontimestamp());
  ASSERT_TRUE(Becomes([this] { return Phase("web") == "gone"; }));
  EXPECT_EQ(Running(), 0);
  EXPECT_EQ(Count("DELETE", "/pods/web"), 1);
  node_->Run(absl::Minutes(1));
  EXPECT_THAT(node_->agent().pods().Seen(), IsEmpty());
  EXPECT_THAT(node_->agent().pods().Reports(), IsEmpty());
}

TEST_F(ApiServerTest, APodThatEndsIsToldAndStays) {
  Begin();
  Create("job",
         "{automountServiceAccountToken: false, restartPolicy: Never, containers: [{name: main, "
         "image: busybox, imagePullPolicy: "
         "IfNotPresent, command: [exit, '0']}]}");
  ASSERT_TRUE(Becomes([this] { return Phase("job") == "Succeeded" || Phase("job") == "Running"; }));
  node_->Run(absl::Minutes(5));
  EXPECT_EQ(Count("DELETE", "/pods/job"), 0);
}

TEST_F(ApiServerTest, WhatEndedWhileTheServerWasAwayIsToldWhenItIsBack) {
  Begin();
  Create("web", kSleeper);
  ASSERT_TRUE(Becomes([this] { return IsReady("web"); }));
  client_->SetCutOff(true);
  ASSERT_TRUE(api_->Delete<v1::Pod>("default", "web").ok());
  Create("late", kSleeper);
  node_->Run(absl::Minutes(5));
  EXPECT_EQ(Running(), 1) << "pods run on without the server";
  client_->SetCutOff(false);
  ASSERT_TRUE(Becomes([this] { return Phase("web") == "gone" && IsReady("late"); }));
}

TEST_F(ApiServerTest, ARestartedAgentTakesOverWhatRuns) {
  Begin();
  Create("web", kSleeper);
  ASSERT_TRUE(Becomes([this] { return IsReady("web"); }));
  const std::string id = Get("web")->status().containerstatuses(0).containerid();
  const int told = Count("PATCH", "/pods/web/status");
  node_->KillAgent();
  node_->StartAgent();
  node_->Run(absl::Minutes(2));
  EXPECT_TRUE(IsReady("web"));
  EXPECT_EQ(Get("web")->status().containerstatuses(0).containerid(), id);
  EXPECT_EQ(Get("web")->status().containerstatuses(0).restartcount(), 0);
  EXPECT_EQ(Count("PATCH", "/pods/web/status"), told) << "nothing has changed";
}

TEST_F(ApiServerTest, APodDeletedWhileTheAgentWasOffEnds) {
  Begin();
  Create("web", kSleeper);
  Create("gone", kSleeper);
  ASSERT_TRUE(Becomes([this] { return IsReady("web") && IsReady("gone"); }));
  node_->KillAgent();
  ASSERT_TRUE(api_->Delete<v1::Pod>("default", "web").ok());
  fakes::DeleteRequest force;
  force.grace_period_seconds = 0;
  ASSERT_TRUE(api_->Delete<v1::Pod>("default", "gone", force).ok());
  ASSERT_EQ(Phase("gone"), "gone");
  node_->StartAgent();
  ASSERT_TRUE(Becomes([this] { return Phase("web") == "gone" && Running() == 0; }));
}

TEST_F(ApiServerTest, StatusesSurviveErrorsOfTheServer) {
  Begin();
  api_->faults().Add({.what = ApiFault::Answer(500),
                      .times = 3,
                      .matches = ApiFaults::Method("PATCH", "/status")});
  api_->faults().Add({.what = ApiFault::LoseAnswer(),
                      .times = 2,
                      .matches = ApiFaults::Method("PATCH", "/status")});
  Create("web", kSleeper);
  ASSERT_TRUE(Becomes([this] { return IsReady("web"); }));
}

TEST_F(ApiServerTest, AThreadThatTheServerHasForgottenIsTakenUpOnce) {
  Begin();
  Create("web", kSleeper);
  ASSERT_TRUE(Becomes([this] { return IsReady("web"); }));
  api_->objects().ExpireWatches("nodes");
  api_->objects().ExpireWatches("pods");
  node_->Run(absl::Minutes(1));
  int watches = 0;
  for (const async::Loop::TaskInfo& task : node_->loop().Tasks())
    watches += task.name == "watch pods";
  EXPECT_EQ(watches, 1);
  Create("late", kSleeper);
  EXPECT_TRUE(Becomes([this] { return IsReady("late"); }));
  EXPECT_TRUE(IsReady("web"));
}

// Conditions of others stay, whatever is told of the pod.
TEST_F(ApiServerTest, ConditionsOfOthersStay) {
  Begin();
  v1::Pod pod = Create("web", kSleeper);
  v1::PodCondition& gate = *pod.mutable_status()->add_conditions();
  gate.set_type("example.com/load-balancer");
  gate.set_status("True");
  ASSERT_TRUE(api_->Update(pod, "status").ok());
  ASSERT_TRUE(Becomes([this] { return IsReady("web"); }));
  std::vector<std::string> types;
  const v1::Pod told = *Get("web");
  for (const v1::PodCondition& condition : told.status().conditions())
    types.push_back(condition.type());
  EXPECT_THAT(types, testing::Contains("example.com/load-balancer"));
}

TEST_F(ApiServerTest, AStaticPodHasAMirrorThatComesBack) {
  Begin();
  node_->WriteManifest(
      "a.yaml", StrCat("{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: ", kSleeper, "}"));
  ASSERT_TRUE(Becomes([this] { return IsReady("a-sim"); }));
  const v1::Pod mirror = *Get("a-sim");
  EXPECT_TRUE(api::IsMirror(mirror));
  ASSERT_THAT(mirror.metadata().ownerreferences(), SizeIs(1));
  EXPECT_EQ(mirror.metadata().ownerreferences(0).name(), "sim");
  EXPECT_EQ(Running(), 1);

  fakes::DeleteRequest force;
  force.grace_period_seconds = 0;
  ASSERT_TRUE(api_->Delete<v1::Pod>("default", "a-sim", force).ok());
  ASSERT_TRUE(Becomes([this] { return IsReady("a-sim"); }));
  EXPECT_NE(Get("a-sim")->metadata().uid(), mirror.metadata().uid());
  EXPECT_EQ(node_->RestartCount("a", "main"), 0) << "its containers are untouched";

  ASSERT_TRUE(api_->Delete<v1::Pod>("default", "a-sim").ok());  // gracefully: it is made anew, too
  ASSERT_TRUE(Becomes(
      [this] { return IsReady("a-sim") && !Get("a-sim")->metadata().has_deletiontimestamp(); }));

  node_->RemoveManifest("a.yaml");
  ASSERT_TRUE(Becomes([this] { return Phase("a-sim") == "gone" && Running() == 0; }));
}

TEST_F(ApiServerTest, AMirrorWithoutItsStaticPodGoes) {
  Begin();
  node_->WriteManifest(
      "a.yaml", StrCat("{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: ", kSleeper, "}"));
  ASSERT_TRUE(Becomes([this] { return IsReady("a-sim"); }));
  node_->KillAgent();
  node_->RemoveManifest("a.yaml");
  node_->StartAgent();
  ASSERT_TRUE(Becomes([this] { return Phase("a-sim") == "gone" && Running() == 0; }));
}

TEST_F(ApiServerTest, ARejectedPodIsToldAsFailedAndCanBeDeleted) {
  Begin();
  Create("huge",
         "{containers: [{name: main, image: busybox, resources: {requests: {memory: 100Ti}}}]}");
  ASSERT_TRUE(Becomes([this] { return Phase("huge") == "Failed"; }));
  EXPECT_EQ(Get("huge")->status().reason(), "OutOfmemory");
  ASSERT_TRUE(api_->Delete<v1::Pod>("default", "huge").ok());
  ASSERT_TRUE(Becomes([this] { return Phase("huge") == "gone"; }));
}

}  // namespace
}  // namespace cubelet::simulation
