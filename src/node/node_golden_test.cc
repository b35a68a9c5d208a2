// What the Go kubelet told the API server of the machine of the recordings, held against ours.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "api/codec.h"
#include "node/lease.h"
#include "node/node_object.h"
#include "node/report_schedule.h"
#include "node/test_facts.h"

namespace cubelet::node {
namespace {

namespace json = boost::json;

constexpr char kNodes[] = "/api/v1/nodes";
constexpr char kStatus[] = "/api/v1/nodes/lab/status";
constexpr char kLeases[] = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";

// The runtime's list that leads to these images, in another order.
criv1::ListImagesResponse ListedAs(const v1::NodeStatus& status) {
  criv1::ListImagesResponse response;
  int number = 0;
  for (const v1::ContainerImage& image : status.images()) {
    std::vector<std::string> digests, tags;
    for (const std::string& name : image.names())
      (name.find('@') == std::string::npos ? tags : digests).push_back(name);
    *response.add_images() =
        Image(StrCat("sha256:", number++), static_cast<uint64_t>(image.sizebytes()), digests, tags);
  }
  std::reverse(response.mutable_images()->begin(), response.mutable_images()->end());
  return response;
}

v1::Node Registered() {
  return FromText<v1::Node>(api::Serialize(RecordedBodies("create", kNodes).at(0)));
}

NodeFacts FactsOf(const v1::Node& node) {
  NodeFacts facts = RecordedFacts();
  facts.images = StatusImages(ListedAs(node.status()), 50);
  return facts;
}

TEST(NodeGolden, Registration) {
  NodeFacts facts = FactsOf(Registered());
  facts.problems = {
      "failed to initialize CSINode: error updating CSINode annotation: timed out waiting for the "
      "condition; caused by: nodes \"lab\" not found"};
  const InitialObject initial = InitialNode(facts);
  EXPECT_TRUE(initial.addresses.ok()) << initial.addresses;
  json::object sent = RecordedBodies("create", kNodes).at(0);
  EXPECT_EQ(api::ToObjectJson(initial.node, "v1", "Node"), json::value(sent));
}

TEST(NodeGolden, RegistrationAfterARestart) {
  NodeFacts facts = FactsOf(Registered());
  facts.now = TimeOf("2026-11-24T00:55:09Z");
  const json::object sent = RecordedBodies("create", kNodes).at(1);
  EXPECT_EQ(api::ToObjectJson(InitialNode(facts).node, "v1", "Node"), json::value(sent));
}

// The images stand in the recorded patches only because Go tells an empty list from an absent one.
TEST(NodeGolden, PatchThatTellsOfReadiness) {
  NodeFacts facts = FactsOf(Registered());
  facts.now = TimeOf("2026-11-24T00:54:35Z");
  NodeMemory memory;
  const UpdatedObject updated = UpdatedNode(facts, Registered(), memory);
  json::object sent = RecordedBodies("patch", kStatus).at(1);
  sent.at("status").as_object().erase("images");
  EXPECT_TRUE(HasChanged(Registered(), updated.node));
  EXPECT_EQ(json::value(*NodePatch(Registered(), updated.node)), json::value(sent));
  EXPECT_THAT(updated.events, testing::ElementsAre(NodeEvent{api::EventType::kNormal, "NodeReady",
                                                             "Node lab status is now: NodeReady"}));
}

TEST(NodeGolden, PatchOfHeartbeatsAlone) {
  v1::Node before = FromText<v1::Node>(GoldenText("node/node.json"));
  NodeFacts facts = FactsOf(before);
  facts.now = TimeOf("2026-11-24T00:55:09Z");
  NodeMemory memory;
  const UpdatedObject updated = UpdatedNode(facts, before, memory);
  json::object sent = RecordedBodies("patch", kStatus).at(2);
  sent.at("status").as_object().erase("images");
  EXPECT_FALSE(HasChanged(before, updated.node));
  EXPECT_EQ(json::value(*NodePatch(before, updated.node)), json::value(sent));
  EXPECT_THAT(updated.events, testing::IsEmpty());
}

TEST(NodeGolden, NothingToPatchInTheRecordedNode) {
  const v1::Node recorded = FromText<v1::Node>(GoldenText("node/node.json"));
  NodeFacts facts = FactsOf(recorded);
  facts.now = TimeOf("2026-11-24T00:13:02Z");
  NodeMemory memory;
  EXPECT_EQ(json::value(*NodePatch(recorded, UpdatedNode(facts, recorded, memory).node)),
            json::value(json::object()));
  EXPECT_EQ(json::value(
                *NodePatch(recorded, ReconcileExisting(recorded, InitialNode(facts).node, false))),
            json::value(json::object()));
}

TEST(NodeGolden, Lease) {
  v1::Node node;
  node.mutable_metadata()->set_name("lab");
  const json::object created = RecordedBodies("create", kLeases).at(0);
  const json::value& owner = created.at("metadata").at("ownerReferences").at(0);
  node.mutable_metadata()->set_uid(std::string(owner.at("uid").as_string()));
  const auto lease = WantedLease(nullptr, "lab", 40, &node, TimeOf("2026-11-24T00:54:42.867184Z"));
  EXPECT_EQ(api::ToObjectJson(lease, "coordination.k8s.io/v1", "Lease"), json::value(created));

  const auto recorded = FromText<coordinationv1::Lease>(GoldenText("node/lease.json"));
  const auto renewed =
      WantedLease(&recorded, "lab", 40, &node, TimeOf("2026-11-24T00:16:48.482942Z"));
  EXPECT_EQ(api::ToJson(renewed), api::ToJson(recorded));
}

}  // namespace
}  // namespace cubelet::node
