#include "node/node_object.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "api/codec.h"
#include "node/test_facts.h"

namespace cubelet::node {
namespace {

using testing::ElementsAre;
using testing::Pair;

constexpr char kAttaches[] = "volumes.kubernetes.io/controller-managed-attach-detach";

v1::Taint Taint(const std::string& key, const std::string& value, const std::string& effect) {
  v1::Taint taint;
  taint.set_key(key);
  taint.set_value(value);
  taint.set_effect(effect);
  return taint;
}

std::vector<std::string> Taints(const v1::Node& node) {
  std::vector<std::string> texts;
  for (const v1::Taint& taint : node.spec().taints())
    texts.push_back(StrCat(taint.key(), "=", taint.value(), ":", taint.effect()));
  return texts;
}

template <typename Map>
std::map<std::string, std::string> Sorted(const Map& map) {
  return {map.begin(), map.end()};
}

std::string PatchText(const v1::Node& from, const v1::Node& to) {
  const auto patch = NodePatch(from, to);
  return patch.ok() ? api::Serialize(*patch) : patch.status().ToString();
}

TEST(InitialNode, LabelsOfTheFlagWin) {
  NodeFacts facts = RecordedFacts();
  facts.labels = {{"kubernetes.io/arch", "mine"}, {"node.kubernetes.io/instance-type", "m1"}};
  EXPECT_THAT(
      Sorted(InitialNode(facts).node.metadata().labels()),
      ElementsAre(Pair("beta.kubernetes.io/arch", "amd64"), Pair("beta.kubernetes.io/os", "linux"),
                  Pair("kubernetes.io/arch", "mine"), Pair("kubernetes.io/hostname", "lab"),
                  Pair("kubernetes.io/os", "linux"),
                  Pair("node.kubernetes.io/instance-type", "m1")));
}

TEST(InitialNode, TaintsProviderAndAnnotations) {
  NodeFacts facts = RecordedFacts();
  facts.taints = {Taint("a", "b", "NoExecute")};
  facts.provider_id = "kind://docker/kind/lab";
  v1::Node node = InitialNode(facts).node;
  EXPECT_THAT(Taints(node), ElementsAre("a=b:NoExecute"));
  EXPECT_EQ(node.spec().providerid(), "kind://docker/kind/lab");
  EXPECT_THAT(Sorted(node.metadata().annotations()), ElementsAre(Pair(kAttaches, "true")));

  facts.external_cloud_provider = true;
  facts.controller_attaches_volumes = false;
  facts.node_ip.ips = {"10.99.0.1"};
  node = InitialNode(facts).node;
  const std::string uninitialized =
      "node.cloudprovider.kubernetes.io/uninitialized=true:NoSchedule";
  EXPECT_THAT(Taints(node), ElementsAre("a=b:NoExecute", uninitialized));
  EXPECT_THAT(Sorted(node.metadata().annotations()),
              ElementsAre(Pair("alpha.kubernetes.io/provided-node-ip", "10.99.0.1")));

  facts.taints = {Taint("node.cloudprovider.kubernetes.io/uninitialized", "true", "NoSchedule")};
  EXPECT_THAT(Taints(InitialNode(facts).node), ElementsAre(uninitialized));
}

TEST(InitialNode, WithoutAddresses) {
  NodeFacts facts = RecordedFacts();
  facts.ips = absl::NotFoundError("none");
  const InitialObject initial = InitialNode(facts);
  EXPECT_EQ(initial.addresses, absl::NotFoundError("none"));
  EXPECT_EQ(initial.node.status().addresses_size(), 0);
}

TEST(ReconcileExisting, ChangesOnlyWhatIsOurs) {
  NodeFacts facts = RecordedFacts();
  facts.labels = {{"topology.kubernetes.io/zone", "z2"},
                  {"topology.kubernetes.io/region", ""},
                  {"example.com/flag", "new"}};
  const v1::Node wanted = InitialNode(facts).node;
  v1::Node existing = wanted;
  existing.mutable_metadata()->set_uid("1");
  auto& labels = *existing.mutable_metadata()->mutable_labels();
  labels["kubernetes.io/hostname"] = "old";
  labels["topology.kubernetes.io/zone"] = "z1";
  labels["topology.kubernetes.io/region"] = "r1";
  labels["node.kubernetes.io/instance-type"] = "kept: the flag says nothing of it";
  labels["example.com/flag"] = "kept: only well-known ones are reconciled";
  labels["example.com/others"] = "kept";
  existing.mutable_metadata()->mutable_annotations()->erase(kAttaches);
  (*existing.mutable_metadata()->mutable_annotations())["others"] = "kept";
  *existing.mutable_spec()->add_taints() = Taint("others", "", "NoSchedule");
  (*existing.mutable_status()->mutable_capacity())["example.com/gpu"].set_string("4");

  const std::string patch =
      R"({"metadata":{"annotations":{"volumes.kubernetes.io/controller-managed-attach-detach":"true"},)"
      R"("labels":{"kubernetes.io/hostname":"lab","topology.kubernetes.io/region":null,)"
      R"("topology.kubernetes.io/zone":"z2"}})";
  EXPECT_EQ(PatchText(existing, ReconcileExisting(existing, wanted, false)), patch + "}");
  EXPECT_EQ(PatchText(existing, ReconcileExisting(existing, wanted, true)),
            patch + R"(,"status":{"allocatable":{"example.com/gpu":"0"},)" +
                R"("capacity":{"example.com/gpu":"0"}}})");
}

TEST(ReconcileExisting, TakesTheAnnotationAwayAgain) {
  const v1::Node existing = InitialNode(RecordedFacts()).node;
  NodeFacts facts = RecordedFacts();
  facts.controller_attaches_volumes = false;
  EXPECT_TRUE(
      ReconcileExisting(existing, InitialNode(facts).node, false).metadata().annotations().empty());
}

TEST(UpdatedNode, RestoresTheLabelsOfSystemAndArchitecture) {
  v1::Node existing = InitialNode(RecordedFacts()).node;
  auto& labels = *existing.mutable_metadata()->mutable_labels();
  labels["kubernetes.io/os"] = "plan9";
  labels.erase("kubernetes.io/arch");
  labels.erase("kubernetes.io/hostname");
  NodeMemory memory;
  const UpdatedObject updated = UpdatedNode(RecordedFacts(), existing, memory);
  EXPECT_EQ(PatchText(existing, updated.node),
            R"({"metadata":{"labels":{"kubernetes.io/arch":"amd64","kubernetes.io/os":"linux"}}})");
}

TEST(NodePatch, AddressesReplaceTheList) {
  const v1::Node before = InitialNode(RecordedFacts()).node;
  NodeFacts facts = RecordedFacts();
  facts.ips = std::vector<std::string>{"10.0.0.9"};
  NodeMemory memory;
  EXPECT_EQ(PatchText(before, UpdatedNode(facts, before, memory).node),
            R"({"status":{"addresses":[{"address":"10.0.0.9","type":"InternalIP"},)"
            R"({"address":"lab","type":"Hostname"},{"$patch":"replace"}]}})");
}

TEST(NodePatch, OneOfTwoAddressesGoes) {
  NodeFacts facts = RecordedFacts();
  facts.ips = std::vector<std::string>{"10.0.0.9", "fd00::9"};
  const v1::Node before = InitialNode(facts).node;
  facts.ips = std::vector<std::string>{"10.0.0.9"};
  NodeMemory memory;
  EXPECT_EQ(PatchText(before, UpdatedNode(facts, before, memory).node),
            R"({"status":{"addresses":[{"address":"10.0.0.9","type":"InternalIP"},)"
            R"({"address":"lab","type":"Hostname"},{"$patch":"replace"}]}})");
}

}  // namespace
}  // namespace cubelet::node
