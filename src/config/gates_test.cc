#include "config/gates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "base/strings.h"

namespace cubelet::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string ErrorOf(const std::map<std::string, bool>& values) {
  FeatureGates gates;
  return std::string(Message(gates.Set(values)));
}

TEST(GateTable, IsSortedAndNamesNoGateTwice) {
  EXPECT_TRUE(std::ranges::is_sorted(KubeletGates(), {}, &GateSpec::name));
  EXPECT_TRUE(std::ranges::is_sorted(ForeignGates(), {}, &GateSpec::name));
  const auto states = FeatureGates().All();
  EXPECT_EQ(std::ranges::adjacent_find(states, {}, &FeatureGates::State::name), states.end());
}

// The recorded kubelet reports each gate it knows, its stage and whether it is on.
TEST(GateTable, DefaultsAreThoseRecorded) {
  std::ifstream metrics(CUBELET_SOURCE_DIR "/tests/golden/node/metrics.txt");
  ASSERT_TRUE(metrics.is_open());
  std::vector<std::string> recorded;
  for (std::string line; std::getline(metrics, line);) {
    if (line.starts_with("kubernetes_feature_enabled{")) recorded.push_back(line);
  }
  std::ranges::sort(recorded);
  std::vector<std::string> ours;
  for (const FeatureGates::State& state : FeatureGates().All())
    ours.push_back(StrCat("kubernetes_feature_enabled{name=\"", state.name, "\",stage=\"",
                          state.stage, "\"} ", state.enabled ? 1 : 0));
  std::ranges::sort(ours);
  EXPECT_EQ(ours, recorded);
}

TEST(GateTable, NeededGatesExist) {
  for (const GateSpec& gate : KubeletGates()) {
    for (size_t from = 0; from < gate.needs.size();) {
      const size_t comma = std::min(gate.needs.find(',', from), gate.needs.size());
      EXPECT_NE(FindGate(gate.needs.substr(from, comma - from)), nullptr) << gate.name;
      from = comma + 1;
    }
  }
}

TEST(FeatureGates, TakesWhatIsSet) {
  FeatureGates gates;
  EXPECT_FALSE(gates.Enabled("EventedPLEG"));
  EXPECT_TRUE(gates.Enabled("PLEGOnDemandRelist"));
  ASSERT_TRUE(gates.Set({{"EventedPLEG", true}, {"PLEGOnDemandRelist", false}}).ok());
  EXPECT_TRUE(gates.Enabled("EventedPLEG"));
  EXPECT_FALSE(gates.Enabled("PLEGOnDemandRelist"));
  ASSERT_TRUE(gates.Set({}).ok());
  EXPECT_FALSE(gates.Enabled("EventedPLEG"));
}

TEST(FeatureGates, RefusesUnknownNames) {
  EXPECT_EQ(ErrorOf({{"NoSuchGate", true}}), "unrecognized feature gate: NoSuchGate");
  EXPECT_EQ(ErrorOf({{"", true}}), "unrecognized feature gate: ");
  EXPECT_EQ(ErrorOf({{"eventedpleg", true}}), "unrecognized feature gate: eventedpleg");
}

TEST(FeatureGates, TakesGatesOfOtherComponents) {
  EXPECT_EQ(ErrorOf({{"HPAScaleToZero", true}, {"WatchList", false}}), "");
}

TEST(FeatureGates, LockedGatesKeepTheirValue) {
  EXPECT_EQ(ErrorOf({{"NodeSwap", true}}), "");
  EXPECT_EQ(ErrorOf({{"NodeSwap", false}}),
            "cannot set feature gate NodeSwap to false, feature is locked to true");
  EXPECT_EQ(ErrorOf({{"GitRepoVolumeDriver", true}}),
            "cannot set feature gate GitRepoVolumeDriver to true, feature is locked to false");
}

TEST(FeatureGates, AllAlphaAndAllBetaLeaveNamedOnesAlone) {
  FeatureGates gates;
  ASSERT_TRUE(gates.Set({{"AllAlpha", true}, {"EventedPLEG", false}}).ok());
  EXPECT_TRUE(gates.Enabled("MemoryQoS"));
  EXPECT_FALSE(gates.Enabled("EventedPLEG"));
  EXPECT_FALSE(gates.Enabled("SELinuxMount"));
  ASSERT_TRUE(gates.Set({{"AllBeta", false}, {"ContainerCheckpoint", true}}).ok());
  EXPECT_FALSE(gates.Enabled("EnvFiles"));
  EXPECT_TRUE(gates.Enabled("ContainerCheckpoint"));
  EXPECT_TRUE(gates.Enabled("NodeSwap"));
  ASSERT_TRUE(gates.Set({{"AllBeta", true}}).ok());
  EXPECT_TRUE(gates.Enabled("SELinuxMount"));
  EXPECT_TRUE(gates.Enabled("ClusterTrustBundleProjection"));
}

TEST(FeatureGates, ChecksWhatGatesNeed) {
  EXPECT_EQ(ErrorOf({{"ClusterTrustBundleProjection", true}}),
            "ClusterTrustBundleProjection is enabled, but depends on features that are disabled: "
            "[ClusterTrustBundle]");
  EXPECT_EQ(ErrorOf({{"ClusterTrustBundleProjection", true}, {"ClusterTrustBundle", true}}), "");
  EXPECT_EQ(ErrorOf({{"GracefulNodeShutdown", false}}),
            "GracefulNodeShutdownBasedOnPodPriority is enabled, but depends on features that are "
            "disabled: [GracefulNodeShutdown]");
}

TEST(FeatureGates, WarnsOfGatesThatGoAway) {
  FeatureGates gates;
  std::vector<std::string> warnings;
  ASSERT_TRUE(gates.Set({{"EventedPLEG", true}}, &warnings).ok());
  EXPECT_THAT(warnings, IsEmpty());
  ASSERT_TRUE(gates.Set({{"NodeSwap", true}, {"AllowDNSOnlyNodeCSR", true}}, &warnings).ok());
  EXPECT_THAT(warnings,
              ElementsAre("Setting deprecated feature gate AllowDNSOnlyNodeCSR=true. It will be "
                          "removed in a future release.",
                          "Setting GA feature gate NodeSwap=true. It will be removed in a future "
                          "release."));
}

TEST(FeatureGatesDeathTest, AskingForAnUnknownGateIsABug) {
  EXPECT_DEATH(FeatureGates().Enabled("NoSuchGate"), "check failed");
}

}  // namespace
}  // namespace cubelet::config
