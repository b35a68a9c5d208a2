#include "config/eviction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/reserved.h"

namespace cubelet::config {
namespace {

using ::testing::ElementsAre;

TEST(EvictionThresholds, OfAllSettings) {
  KubeletConfiguration config;
  (*config.mutable_evictionhard())["memory.available"] = "100Mi";
  (*config.mutable_evictionhard())["nodefs.available"] = "10%";
  (*config.mutable_evictionhard())["imagefs.available"] = "0%";
  (*config.mutable_evictionhard())["pid.available"] = "100%";
  (*config.mutable_evictionsoft())["memory.available"] = "1Gi";
  (*config.mutable_evictionsoftgraceperiod())["memory.available"] = "1m30s";
  (*config.mutable_evictionminimumreclaim())["memory.available"] = "0";
  (*config.mutable_evictionminimumreclaim())["nodefs.available"] = "5%";
  config.add_enforcenodeallocatable("pods");
  const auto thresholds = EvictionThresholds(config);
  ASSERT_TRUE(thresholds.ok()) << thresholds.status();
  std::vector<std::string> signals;
  for (const EvictionThreshold& threshold : *thresholds) signals.push_back(threshold.signal);
  EXPECT_THAT(signals, ElementsAre("memory.available", "allocatableMemory.available",
                                   "nodefs.available", "memory.available"));
  EXPECT_EQ((*thresholds)[0].value.quantity.Value(), 100 << 20);
  EXPECT_TRUE((*thresholds)[0].minimum_reclaim->quantity.IsZero());
  EXPECT_EQ((*thresholds)[1].value.quantity.Value(), 100 << 20);
  EXPECT_EQ((*thresholds)[1].minimum_reclaim, std::nullopt);
  EXPECT_DOUBLE_EQ(*(*thresholds)[2].value.percentage, 0.1);
  EXPECT_DOUBLE_EQ(*(*thresholds)[2].minimum_reclaim->percentage, 0.05);
  EXPECT_EQ((*thresholds)[0].grace_period, absl::ZeroDuration());
  EXPECT_EQ((*thresholds)[3].grace_period, absl::Seconds(90));
}

TEST(EvictionThresholds, WithoutEnforcementOfPodsAllocatableMemoryHasNone) {
  KubeletConfiguration config;
  (*config.mutable_evictionhard())["memory.available"] = "100Mi";
  EXPECT_EQ(EvictionThresholds(config)->size(), 1u);
}

TEST(Reservations, ReservedCpusStandForTheCpuOfBoth) {
  KubeletConfiguration config;
  (*config.mutable_kubereserved())["cpu"] = "500m";
  (*config.mutable_kubereserved())["memory"] = "1Gi";
  (*config.mutable_systemreserved())["cpu"] = "500m";
  auto reservations = ReservationsOf(config);
  ASSERT_TRUE(reservations.ok());
  EXPECT_EQ(reservations->kube.at("cpu").MilliValue(), 500);
  config.set_reservedsystemcpus("0-2,7");
  reservations = ReservationsOf(config);
  ASSERT_TRUE(reservations.ok());
  EXPECT_FALSE(reservations->kube.contains("cpu"));
  EXPECT_EQ(reservations->kube.at("memory").Value(), 1 << 30);
  EXPECT_EQ(reservations->system.at("cpu").Value(), 4);
}

TEST(CpuSet, Parses) {
  EXPECT_THAT(*ParseCpuSet("0-2,7"), ElementsAre(0, 1, 2, 7));
  EXPECT_THAT(*ParseCpuSet("3"), ElementsAre(3));
  EXPECT_TRUE(ParseCpuSet("")->empty());
  std::string repeated = "0-65535";
  for (int i = 0; i < 1000; ++i) repeated += ",0-65535";
  EXPECT_EQ(ParseCpuSet(repeated)->size(), 65536);
  for (const char* text : {"a", "-1", "2-1", "1-", "1,", "0-100000"})
    EXPECT_FALSE(ParseCpuSet(text).ok()) << text;
}

}  // namespace
}  // namespace cubelet::config
