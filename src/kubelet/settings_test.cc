#include "kubelet/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"

namespace cubelet::kubelet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr int64_t kMib = 1 << 20;

config::Config Defaults() {
  auto config = config::Load({});
  EXPECT_TRUE(config.ok()) << config.status();
  return *std::move(config);
}

Machine SmallMachine() {
  Machine machine;
  machine.node_name = "node";
  machine.node_ips = {"10.0.0.1"};
  machine.cpu_count = 2;
  machine.memory_bytes = 2048 * kMib;
  machine.max_tasks = 32000;
  machine.hugepages = {{2 * kMib, 64 * kMib}, {1024 * kMib, 0}};
  return machine;
}

cgroups::Resources Kubepods(const config::Config& config) {
  const auto settings = MakeSettings(config, SmallMachine());
  EXPECT_TRUE(settings.ok()) << settings.status();
  return settings.ok() ? settings->kubepods : cgroups::Resources{};
}

TEST(KubepodsLimits, AreTheNodesWithoutReservations) {
  const cgroups::Resources limits = Kubepods(Defaults());
  EXPECT_EQ(limits.cpu_shares, 2048u);
  EXPECT_EQ(limits.memory_limit_bytes, 2048 * kMib);
  EXPECT_EQ(limits.pids_limit, std::nullopt);
  EXPECT_THAT(limits.hugepage_limits, IsEmpty());
}

TEST(KubepodsLimits, LeaveWhatIsReserved) {
  config::Config config = Defaults();
  auto& system = *config.kubelet.mutable_systemreserved();
  system["cpu"] = "100m";
  system["memory"] = "100Mi";
  system["pid"] = "1000";
  system["hugepages-2Mi"] = "16Mi";
  (*config.kubelet.mutable_kubereserved())["memory"] = "48Mi";
  cgroups::Resources limits = Kubepods(config);
  EXPECT_EQ(limits.cpu_shares, 1945u);
  EXPECT_EQ(limits.memory_limit_bytes, 1900 * kMib);
  EXPECT_EQ(limits.pids_limit, 31000);
  EXPECT_THAT(limits.hugepage_limits, ElementsAre(Pair("2MB", 48 * kMib)));

  config.kubelet.clear_enforcenodeallocatable();
  limits = Kubepods(config);
  EXPECT_EQ(limits.cpu_shares, 2048u);
  EXPECT_EQ(limits.memory_limit_bytes, 2048 * kMib);
  EXPECT_EQ(limits.pids_limit, std::nullopt);
  EXPECT_THAT(limits.hugepage_limits, IsEmpty());
}

// Taken as it stands it would be a limit below zero, which the kernel reads as none at all.
TEST(KubepodsLimits, MoreReservedThanThereIsIsRefused) {
  config::Config config = Defaults();
  (*config.kubelet.mutable_systemreserved())["memory"] = "3Gi";
  EXPECT_THAT(Message(MakeSettings(config, SmallMachine()).status()),
              HasSubstr("they reserve 3Gi of memory, of which this node has 2Gi"));
}

}  // namespace
}  // namespace cubelet::kubelet
