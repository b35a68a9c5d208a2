#include "node/node_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "node/node_conditions.h"
#include "node/test_facts.h"

namespace cubelet::node {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

NodeFacts Facts() {
  NodeFacts facts = RecordedFacts();
  facts.images.emplace();
  return facts;
}

std::vector<std::string> Update(const NodeFacts& facts, v1::Node& node, NodeMemory& memory) {
  std::vector<NodeEvent> events;
  EXPECT_TRUE(UpdateStatus(facts, node, memory, events).ok());
  std::vector<std::string> texts;
  for (const NodeEvent& event : events)
    texts.push_back(StrCat(event.type == api::EventType::kWarning ? "Warning " : "", event.reason,
                           ": ", event.message));
  return texts;
}

std::vector<std::string> Update(const NodeFacts& facts, v1::Node& node) {
  NodeMemory memory;
  return Update(facts, node, memory);
}

std::string Addresses(const v1::Node& node) {
  std::vector<std::string> texts;
  for (const v1::NodeAddress& address : node.status().addresses())
    texts.push_back(StrCat(address.type(), "=", address.address()));
  return absl::StrJoin(texts, " ");
}

std::string Condition(const v1::Node& node, const char* type) {
  const v1::NodeCondition* condition = FindNodeCondition(node.status(), type);
  if (condition == nullptr) return "none";
  return StrCat(condition->status(), " ", condition->reason(), ": ", condition->message());
}

TEST(NodeStatus, Addresses) {
  struct Case {
    const char* name;
    bool cloud;
    std::vector<std::string> flag;
    std::vector<std::string> ips;
    std::string before;
    std::string want;
    std::string annotation;
  };
  const Case cases[] = {
      {"one", false, {}, {"10.0.0.1"}, "", "InternalIP=10.0.0.1 Hostname=lab", ""},
      {"two",
       false,
       {"10.0.0.1", "fd00::1"},
       {"10.0.0.1", "fd00::1"},
       "",
       "InternalIP=10.0.0.1 InternalIP=fd00::1 Hostname=lab",
       ""},
      {"replaces", false, {}, {"10.0.0.1"}, "9.9.9.9", "InternalIP=10.0.0.1 Hostname=lab", ""},
      {"cloud without --node-ip", true, {}, {"10.0.0.1"}, "", "Hostname=lab", ""},
      {"cloud with --node-ip",
       true,
       {"10.0.0.1"},
       {"10.0.0.1"},
       "",
       "InternalIP=10.0.0.1 Hostname=lab",
       "10.0.0.1"},
      {"cloud, pair",
       true,
       {"10.0.0.1", "fd00::1"},
       {"10.0.0.1", "fd00::1"},
       "",
       "InternalIP=10.0.0.1 InternalIP=fd00::1 Hostname=lab",
       "10.0.0.1,fd00::1"},
      {"the cloud's stay",
       true,
       {"10.0.0.1"},
       {"10.0.0.1"},
       "9.9.9.9",
       "ExternalIP=9.9.9.9",
       "10.0.0.1"},
  };
  for (const Case& c : cases) {
    NodeFacts facts = Facts();
    facts.external_cloud_provider = c.cloud;
    facts.node_ip.ips = c.flag;
    facts.ips = c.ips;
    v1::Node node;
    if (!c.before.empty()) {
      node.mutable_status()->add_addresses()->set_type("ExternalIP");
      node.mutable_status()->mutable_addresses(0)->set_address(c.before);
    }
    EXPECT_TRUE(SetAddresses(facts, node).ok()) << c.name;
    EXPECT_EQ(Addresses(node), c.want) << c.name;
    const auto& annotations = node.metadata().annotations();
    const auto it = annotations.find("alpha.kubernetes.io/provided-node-ip");
    EXPECT_EQ(it == annotations.end() ? "" : it->second, c.annotation) << c.name;
  }
}

TEST(NodeStatus, TheAnnotationOfAFormerNodeIpGoes) {
  v1::Node node;
  (*node.mutable_metadata()->mutable_annotations())["alpha.kubernetes.io/provided-node-ip"] = "1";
  EXPECT_TRUE(SetAddresses(Facts(), node).ok());
  EXPECT_TRUE(node.metadata().annotations().empty());
}

TEST(NodeStatus, AddressesThatFailLeaveTheLastOnesAndAllElseIsSet) {
  v1::Node node;
  Update(Facts(), node);
  NodeFacts facts = Facts();
  facts.ips = absl::NotFoundError("no such interface");
  facts.kubelet_version = "v9";
  NodeMemory memory;
  std::vector<NodeEvent> events;
  EXPECT_EQ(UpdateStatus(facts, node, memory, events), absl::NotFoundError("no such interface"));
  EXPECT_EQ(Addresses(node), "InternalIP=10.99.0.1 Hostname=lab");
  EXPECT_EQ(node.status().nodeinfo().kubeletversion(), "v9");
}

TEST(NodeStatus, FirstComputation) {
  v1::Node node;
  EXPECT_THAT(
      Update(Facts(), node),
      ElementsAre("NodeHasSufficientMemory: Node lab status is now: NodeHasSufficientMemory",
                  "NodeHasNoDiskPressure: Node lab status is now: NodeHasNoDiskPressure",
                  "NodeHasSufficientPID: Node lab status is now: NodeHasSufficientPID"));
  EXPECT_THAT(Update(Facts(), node), IsEmpty());
}

TEST(NodeStatus, PressuresTurnOnAndOff) {
  v1::Node node;
  Update(Facts(), node);
  const int64_t began = absl::ToUnixSeconds(Facts().now);
  NodeFacts facts = Facts();
  facts.now += absl::Seconds(30);
  facts.memory_pressure = facts.disk_pressure = facts.pid_pressure = true;
  EXPECT_THAT(
      Update(facts, node),
      ElementsAre("NodeHasInsufficientMemory: Node lab status is now: NodeHasInsufficientMemory",
                  "NodeHasDiskPressure: Node lab status is now: NodeHasDiskPressure",
                  "NodeHasInsufficientPID: Node lab status is now: NodeHasInsufficientPID"));
  EXPECT_EQ(Condition(node, "MemoryPressure"),
            "True KubeletHasInsufficientMemory: kubelet has insufficient memory available");
  EXPECT_EQ(Condition(node, "DiskPressure"),
            "True KubeletHasDiskPressure: kubelet has disk pressure");
  EXPECT_EQ(Condition(node, "PIDPressure"),
            "True KubeletHasInsufficientPID: kubelet has insufficient PID available");
  const v1::NodeCondition& memory = *FindNodeCondition(node.status(), "MemoryPressure");
  EXPECT_EQ(memory.lasttransitiontime().seconds(), began + 30);
  const v1::NodeCondition& ready = *FindNodeCondition(node.status(), "Ready");
  EXPECT_EQ(ready.lasttransitiontime().seconds(), began);
  EXPECT_EQ(ready.lastheartbeattime().seconds(), began + 30);
  EXPECT_EQ(Update(Facts(), node).size(), 3u);
  EXPECT_EQ(Condition(node, "PIDPressure"),
            "False KubeletHasSufficientPID: kubelet has sufficient PID available");
}

TEST(NodeStatus, Ready) {
  struct Case {
    std::vector<std::string> problems;
    std::string warning;
    bool storage;
    std::string want;
  };
  const Case cases[] = {
      {{}, "", true, "True KubeletReady: kubelet is posting ready status"},
      {{"container runtime is down"}, "", true, "False KubeletNotReady: container runtime is down"},
      {{"a", "b", "a"}, "", true, "False KubeletNotReady: [a, b]"},
      {{},
       "no cpuset",
       true,
       "True KubeletReady: kubelet is posting ready status. WARNING: no cpuset"},
      {{},
       "",
       false,
       "False KubeletNotReady: missing node capacity for resources: ephemeral-storage"},
      {{"a"},
       "w",
       false,
       "False KubeletNotReady: [a, missing node capacity for resources: ephemeral-storage]. "
       "WARNING: w"},
  };
  for (const Case& c : cases) {
    NodeFacts facts = Facts();
    facts.problems = c.problems;
    facts.warning = c.warning;
    if (!c.storage) facts.capacity.erase("ephemeral-storage");
    v1::Node node;
    Update(facts, node);
    EXPECT_EQ(Condition(node, "Ready"), c.want);
  }
  NodeFacts without_storage = Facts();
  without_storage.capacity.erase("ephemeral-storage");
  without_storage.local_storage_isolation = false;
  v1::Node node;
  Update(without_storage, node);
  EXPECT_TRUE(IsReady(node.status()));
}

TEST(NodeStatus, ReadinessIsToldWhenItTurns) {
  v1::Node node;
  NodeMemory memory;
  Update(Facts(), node, memory);
  NodeFacts down = Facts();
  down.problems = {"container runtime is down"};
  EXPECT_THAT(Update(down, node, memory),
              ElementsAre("NodeNotReady: Node lab status is now: NodeNotReady"));
  down.problems = {"another"};
  EXPECT_THAT(Update(down, node, memory), IsEmpty());
  EXPECT_THAT(Update(Facts(), node, memory),
              ElementsAre("NodeReady: Node lab status is now: NodeReady"));
}

TEST(NodeStatus, ConditionsOfOthersStay) {
  v1::Node node = FromText<v1::Node>(
      R"({"status":{"conditions":[{"type":"NetworkUnavailable","status":"False"},
          {"type":"Ready","status":"Unknown","reason":"NodeStatusUnknown"}]}})");
  EXPECT_EQ(Update(Facts(), node).back(), "NodeReady: Node lab status is now: NodeReady");
  EXPECT_EQ(node.status().conditions(0).type(), "NetworkUnavailable");
  EXPECT_EQ(node.status().conditions(1).type(), "Ready");
  EXPECT_EQ(node.status().conditions_size(), 5);
}

TEST(NodeStatus, RebootAndSchedulingAreToldOnce) {
  v1::Node node;
  NodeMemory memory;
  Update(Facts(), node, memory);
  node.mutable_status()->mutable_nodeinfo()->set_bootid("another");
  node.mutable_spec()->set_unschedulable(true);
  const v1::Node before = node;
  EXPECT_THAT(Update(Facts(), node, memory),
              ElementsAre("Warning Rebooted: Node lab has been rebooted, boot id: "
                          "9d4f3422-130d-4281-9c93-a1b37cac6002",
                          "NodeNotSchedulable: Node lab status is now: NodeNotSchedulable"));
  node = before;
  EXPECT_THAT(Update(Facts(), node, memory), IsEmpty());
  node.mutable_spec()->set_unschedulable(false);
  EXPECT_THAT(Update(Facts(), node, memory),
              ElementsAre("NodeSchedulable: Node lab status is now: NodeSchedulable"));
}

TEST(NodeStatus, ARuntimeThatSaysNothingIsWhatItWas) {
  v1::Node node;
  NodeFacts silent = RecordedMachine();
  Update(silent, node);
  EXPECT_EQ(node.status().nodeinfo().containerruntimeversion(), "://Unknown");
  EXPECT_FALSE(node.status().has_features());

  NodeFacts facts = Facts();
  facts.images->emplace_back().add_names("busybox");
  Update(facts, node);
  EXPECT_EQ(node.status().nodeinfo().containerruntimeversion(), "containerd://2.1.9+unknown");
  EXPECT_EQ(node.status().runtimehandlers(0).name(), "");
  EXPECT_EQ(node.status().runtimehandlers(1).name(), "runc");
  Update(silent, node);
  EXPECT_EQ(node.status().nodeinfo().containerruntimeversion(), "containerd://2.1.9+unknown");
  EXPECT_EQ(node.status().runtimehandlers_size(), 2);
  EXPECT_TRUE(node.status().features().supplementalgroupspolicy());
  EXPECT_EQ(node.status().images_size(), 1);
  facts.runtime_version = "";
  Update(facts, node);
  EXPECT_EQ(node.status().nodeinfo().containerruntimeversion(), "containerd://Unknown");
}

TEST(NodeStatus, SwapAndVolumes) {
  v1::Node node;
  NodeFacts facts = Facts();
  facts.swap_bytes = 1 << 30;
  Update(facts, node);
  EXPECT_EQ(node.status().nodeinfo().swap().capacity(), 1 << 30);
  node.mutable_status()->add_volumesinuse("kubernetes.io/csi/x");
  Update(Facts(), node);
  EXPECT_FALSE(node.status().nodeinfo().has_swap());
  EXPECT_EQ(node.status().volumesinuse_size(), 1);
  facts.volumes_in_use.emplace();
  Update(facts, node);
  EXPECT_EQ(node.status().volumesinuse_size(), 0);
}

}  // namespace
}  // namespace cubelet::node
