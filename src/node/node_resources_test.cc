#include "node/node_resources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "node/declared_features.h"
#include "node/test_facts.h"

namespace cubelet::node {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

template <typename Map>
std::map<std::string, std::string> Texts(const Map& map) {
  std::map<std::string, std::string> texts;
  for (const auto& [name, quantity] : map) texts[name] = quantity.string();
  return texts;
}

NodeFacts Facts() {
  NodeFacts facts;
  facts.capacity = {{"cpu", *api::Quantity::Parse("4")}, {"memory", *api::Quantity::Parse("1Gi")}};
  facts.allocatable = {{"cpu", *api::Quantity::Parse("3500m")},
                       {"memory", *api::Quantity::Parse("1Gi")}};
  return facts;
}

TEST(NodeResources, DevicesComeAndGo) {
  NodeFacts facts = Facts();
  facts.devices = {{"example.com/gpu", {4, 3}}};
  facts.removed_devices = {"example.com/fpga"};
  v1::NodeStatus status;
  SetResources(facts, status);
  EXPECT_THAT(Texts(status.capacity()),
              ElementsAre(Pair("cpu", "4"), Pair("example.com/fpga", "0"),
                          Pair("example.com/gpu", "4"), Pair("memory", "1Gi")));
  EXPECT_THAT(Texts(status.allocatable()),
              ElementsAre(Pair("cpu", "3500m"), Pair("example.com/fpga", "0"),
                          Pair("example.com/gpu", "3"), Pair("memory", "1Gi")));
}

TEST(NodeResources, WhatOthersPatchedInStays) {
  auto status = FromText<v1::NodeStatus>(
      R"({"capacity":{"cpu":"4000m","example.com/dongle":"7"},
          "allocatable":{"cpu":"3500m","example.com/gone":"2"}})");
  SetResources(Facts(), status);
  // An equal amount keeps its spelling: it is no change.
  EXPECT_THAT(
      Texts(status.capacity()),
      ElementsAre(Pair("cpu", "4"), Pair("example.com/dongle", "7"), Pair("memory", "1Gi")));
  EXPECT_THAT(
      Texts(status.allocatable()),
      ElementsAre(Pair("cpu", "3500m"), Pair("example.com/dongle", "7"), Pair("memory", "1Gi")));
}

TEST(NodeResources, ExtendedResourcesAreZeroed) {
  auto status = FromText<v1::NodeStatus>(
      R"({"capacity":{"cpu":"4","example.com/gpu":"7"},
          "allocatable":{"cpu":"4","example.com/gpu":"7"}})");
  ZeroExtendedResources(status);
  EXPECT_THAT(Texts(status.capacity()),
              ElementsAre(Pair("cpu", "4"), Pair("example.com/gpu", "0")));
  EXPECT_THAT(Texts(status.allocatable()),
              ElementsAre(Pair("cpu", "4"), Pair("example.com/gpu", "0")));
}

TEST(NodeResources, HugePagesBecomeTheMachines) {
  const auto wanted = FromText<v1::NodeStatus>(
      R"({"capacity":{"hugepages-2Mi":"64Mi","hugepages-1Gi":"0","cpu":"1"},
          "allocatable":{"hugepages-2Mi":"64Mi","hugepages-1Gi":"0"}})");
  auto status = FromText<v1::NodeStatus>(
      R"({"capacity":{"hugepages-2Mi":"0","hugepages-64Ki":"1Mi","cpu":"4"},
          "allocatable":{"hugepages-2Mi":"0","hugepages-64Ki":"1Mi"}})");
  ReconcileHugePages(wanted, status);
  EXPECT_THAT(Texts(status.capacity()), ElementsAre(Pair("cpu", "4"), Pair("hugepages-1Gi", "0"),
                                                    Pair("hugepages-2Mi", "64Mi")));
  EXPECT_THAT(Texts(status.allocatable()),
              ElementsAre(Pair("hugepages-1Gi", "0"), Pair("hugepages-2Mi", "64Mi")));
}

TEST(StatusImages, LargestFirstAndNamesLimited) {
  criv1::ListImagesResponse list;
  *list.add_images() = Image("sha256:a", 10, {}, {"small"});
  *list.add_images() = Image("sha256:b", 20, {"x@1", "x@2", "x@3"}, {"x:1", "x:2", "x:3"});
  *list.add_images() = Image("sha256:c", 20, {}, {});
  const auto images = StatusImages(list, 2);
  ASSERT_EQ(images.size(), 2u);
  EXPECT_THAT(images[0].names(), IsEmpty());
  EXPECT_THAT(images[1].names(), ElementsAre("x@1", "x@2", "x@3", "x:1", "x:2"));
  EXPECT_EQ(images[1].sizebytes(), 20);
  EXPECT_EQ(StatusImages(list, -1).size(), 3u);
  EXPECT_THAT(StatusImages(list, 0), IsEmpty());
}

TEST(DeclaredFeatures, OnlyWhatIsOn) {
  config::FeatureGates gates;
  EXPECT_THAT(DeclaredFeatures(gates), ElementsAre("RestartAllContainersOnContainerExits"));
  ASSERT_TRUE(gates.Set({{"RestartAllContainersOnContainerExits", false}}).ok());
  EXPECT_THAT(DeclaredFeatures(gates), IsEmpty());
}

}  // namespace
}  // namespace cubelet::node
