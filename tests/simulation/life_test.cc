// The ordinary life of pods on a simulated node, and what ends it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "os/files.h"
#include "simulation/sim_node.h"

namespace cubelet::simulation {
namespace {

using ::testing::Contains;
using ::testing::Field;
using ::testing::IsEmpty;

std::string Pod(const std::string& name, const std::string& spec) {
  return StrCat("apiVersion: v1\nkind: Pod\nmetadata: {name: ", name, "}\nspec: ", spec, "\n");
}

constexpr char kForever[] =
    "{terminationGracePeriodSeconds: 5, containers: [{name: main, image: busybox, "
    "imagePullPolicy: IfNotPresent, command: [sim]}]}";

class LifeTest : public ::testing::Test {
 protected:
  void Start(SimNode::Options options = {}) {
    node_ = std::make_unique<SimNode>(std::move(options));
    node_->StartAgent();
  }
  void TearDown() override {
    if (!node_) return;
    EXPECT_THAT(node_->runtime().journal().violations(), IsEmpty());
    if (HasFailure()) std::cout << node_->Diagnosis();
  }
  size_t Starts(const std::string& pod, const std::string& container) {
    return node_->runtime().journal().Changes("container running", node_->UidOf(pod), container);
  }
  std::unique_ptr<SimNode> node_;
};

TEST_F(LifeTest, StartsRunsAndEndsWithItsManifest) {
  Start();
  node_->WriteManifest("a.yaml", Pod("a", kForever));
  ASSERT_TRUE(node_->RunUntil([&] { return node_->IsReady("a"); }));
  const std::string uid = node_->UidOf("a");
  EXPECT_EQ(node_->PhaseOf("a"), "Running");
  EXPECT_EQ(node_->runtime().LiveContainers(uid).size(), 1u);
  EXPECT_TRUE(node_->cgroups().pods().contains(uid));
  node_->RemoveManifest("a.yaml");
  ASSERT_TRUE(node_->RunUntil([&] { return !node_->FindPod("a").has_value(); }));
  EXPECT_TRUE(node_->runtime().containers().empty());
  EXPECT_TRUE(node_->runtime().sandboxes().empty());
  EXPECT_FALSE(node_->cgroups().pods().contains(uid));
  EXPECT_FALSE(*os::Exists(node_->paths().Pod(uid)));
}

TEST_F(LifeTest, ACrashingContainerBacksOff) {
  Start();
  node_->WriteManifest("a.yaml", Pod("a",
                                     "{containers: [{name: main, image: busybox, imagePullPolicy: "
                                     "IfNotPresent, command: [sim, after=1s, exit=3]}]}"));
  ASSERT_TRUE(
      node_->RunUntil([&] { return node_->WaitingReason("a", "main") == "CrashLoopBackOff"; }));
  EXPECT_EQ(Starts("a", "main"), 2u);  // the first restart is immediate
  node_->Run(absl::Seconds(11));
  EXPECT_EQ(Starts("a", "main"), 3u);
  node_->Run(absl::Seconds(15));
  EXPECT_EQ(Starts("a", "main"), 3u);
  node_->Run(absl::Seconds(10));
  EXPECT_EQ(Starts("a", "main"), 4u);
  EXPECT_THAT(node_->events().events, Contains(Field(&RecordedEvents::Event::reason, "BackOff")));
}

TEST_F(LifeTest, InitContainersThenSidecarThenMain) {
  Start();
  node_->WriteManifest(
      "a.yaml",
      Pod("a",
          "{terminationGracePeriodSeconds: 30, initContainers: [{name: i, image: busybox, "
          "imagePullPolicy: IfNotPresent, command: [sim, after=2s, exit=0]}, {name: s, image: "
          "busybox, imagePullPolicy: IfNotPresent, restartPolicy: Always, command: [sim, "
          "stop=0]}], "
          "containers: [{name: main, image: busybox, imagePullPolicy: IfNotPresent, command: [sim, "
          "stop=0, stop-delay=3s]}]}"));
  ASSERT_TRUE(node_->RunUntil([&] { return node_->IsReady("a"); }));
  const std::string uid = node_->UidOf("a");
  node_->RemoveManifest("a.yaml");
  ASSERT_TRUE(node_->RunUntil([&] { return !node_->FindPod("a").has_value(); }));
  std::vector<std::string> order;
  for (const fakes::JournalEntry& entry : node_->runtime().journal().entries()) {
    if (entry.what == "container running") order.push_back("+" + entry.name);
    if (entry.what == "container exited") order.push_back("-" + entry.name);
  }
  EXPECT_THAT(order, ::testing::ElementsAre("+i", "-i", "+s", "+main", "-main", "-s"));
}

TEST_F(LifeTest, ARestartedAgentFindsEverythingAsItWas) {
  Start();
  node_->WriteManifest("a.yaml", Pod("a", kForever));
  node_->WriteManifest("b.yaml", Pod("b",
                                     "{restartPolicy: Never, containers: [{name: main, image: "
                                     "busybox, imagePullPolicy: IfNotPresent, command: [sim, "
                                     "after=1s, exit=0]}]}"));
  ASSERT_TRUE(
      node_->RunUntil([&] { return node_->IsReady("a") && node_->PhaseOf("b") == "Succeeded"; }));
  const std::vector<std::string> before = node_->runtime().LiveContainers(node_->UidOf("a"));
  node_->KillAgent();
  node_->Run(absl::Minutes(1));
  node_->StartAgent();
  node_->Run(absl::Minutes(2));
  EXPECT_TRUE(node_->IsReady("a"));
  EXPECT_EQ(node_->PhaseOf("b"), "Succeeded");
  EXPECT_EQ(node_->runtime().LiveContainers(node_->UidOf("a")), before);
  EXPECT_EQ(Starts("a", "main"), 1u);
  EXPECT_EQ(Starts("b", "main"), 1u);
}

TEST_F(LifeTest, PodsThatNobodyWantsAreEnded) {
  Start();
  node_->WriteManifest("a.yaml", Pod("a", kForever));
  ASSERT_TRUE(node_->RunUntil([&] { return node_->IsReady("a"); }));
  const std::string uid = node_->UidOf("a");
  node_->KillAgent();
  node_->RemoveManifest("a.yaml");
  node_->StartAgent();
  ASSERT_TRUE(node_->RunUntil([&] { return node_->runtime().sandboxes().empty(); }));
  ASSERT_TRUE(node_->RunUntil([&] { return !*os::Exists(node_->paths().Pod(uid)); }));
  EXPECT_TRUE(node_->runtime().containers().empty());
  EXPECT_FALSE(node_->cgroups().pods().contains(uid));
}

TEST_F(LifeTest, AChangedManifestReplacesThePod) {
  Start();
  node_->WriteManifest("a.yaml", Pod("a", kForever));
  ASSERT_TRUE(node_->RunUntil([&] { return node_->IsReady("a"); }));
  const std::string old_uid = node_->UidOf("a");
  node_->WriteManifest("a.yaml",
                       Pod("a",
                           "{terminationGracePeriodSeconds: 5, containers: [{name: main, image: "
                           "busybox, imagePullPolicy: IfNotPresent, command: [sim, say=new]}]}"));
  ASSERT_TRUE(node_->RunUntil([&] { return node_->UidOf("a") != old_uid && node_->IsReady("a"); }));
  EXPECT_THAT(node_->runtime().LiveContainers(old_uid), IsEmpty());
  EXPECT_EQ(node_->runtime().LiveContainers(node_->UidOf("a")).size(), 1u);
}

TEST_F(LifeTest, ADeadSandboxIsReplaced) {
  Start();
  node_->WriteManifest("a.yaml", Pod("a", kForever));
  ASSERT_TRUE(node_->RunUntil([&] { return node_->IsReady("a"); }));
  const std::string uid = node_->UidOf("a");
  ASSERT_TRUE(node_->runtime().KillSandbox(node_->runtime().ReadySandboxes(uid).front()));
  ASSERT_TRUE(node_->RunUntil(
      [&] { return node_->RestartCount("a", "main") == 1 && node_->IsReady("a"); }));
  EXPECT_EQ(node_->runtime().LiveContainers(uid).size(), 1u);
}

TEST_F(LifeTest, TheRuntimesOutageChangesNothing) {
  Start();
  node_->WriteManifest("a.yaml", Pod("a", kForever));
  ASSERT_TRUE(node_->RunUntil([&] { return node_->IsReady("a"); }));
  node_->runtime().GoDown();
  node_->Run(absl::Minutes(3));
  EXPECT_EQ(node_->PhaseOf("a"), "Running");
  node_->WriteManifest("b.yaml", Pod("b", kForever));
  node_->Run(absl::Minutes(1));
  node_->runtime().ComeBack();
  ASSERT_TRUE(node_->RunUntil([&] { return node_->IsReady("b"); }, absl::Seconds(30)));
  EXPECT_EQ(Starts("a", "main"), 1u);
}

TEST_F(LifeTest, DeadlineEndsThePod) {
  Start();
  node_->WriteManifest("a.yaml", Pod("a",
                                     "{activeDeadlineSeconds: 30, "
                                     "terminationGracePeriodSeconds: 2, containers: [{name: "
                                     "main, image: busybox, imagePullPolicy: IfNotPresent, "
                                     "command: [sim]}]}"));
  ASSERT_TRUE(node_->RunUntil([&] { return node_->IsReady("a"); }));
  ASSERT_TRUE(node_->RunUntil([&] { return node_->PhaseOf("a") == "Failed"; }));
  EXPECT_EQ(node_->FindPod("a")->status->reason(), "DeadlineExceeded");
  ASSERT_TRUE(
      node_->RunUntil([&] { return node_->runtime().LiveContainers(node_->UidOf("a")).empty(); }));
}

TEST_F(LifeTest, NothingHappensWhenNothingChanges) {
  SimNode::Options options;
  Start(std::move(options));
  node_->WriteManifest("a.yaml", Pod("a", kForever));
  ASSERT_TRUE(node_->RunUntil([&] { return node_->IsReady("a"); }));
  node_->Run(absl::Minutes(1));
  const size_t before = node_->runtime().journal().entries().size();
  node_->Run(absl::Minutes(10));
  size_t calls = 0;
  for (size_t i = before; i < node_->runtime().journal().entries().size(); ++i)
    calls += node_->runtime().journal().entries()[i].kind == fakes::JournalEntry::Kind::kCall;
  // The runtime's status now and then, and a listing every five minutes.
  EXPECT_LE(calls, 60u);
}

}  // namespace
}  // namespace cubelet::simulation
