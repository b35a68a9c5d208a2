#include "node/capacity.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "api/codec.h"
#include "api/types.h"
#include "api/yaml.h"

namespace cubelet::node {
namespace {

MachineFacts Machine() {
  MachineFacts machine;
  machine.cpu_count = 2;
  machine.memory_bytes = uint64_t{24684096} << 10;
  machine.nodefs_capacity_bytes = uint64_t{264212084} << 10;
  machine.hugepages = {{2 << 20, 0}, {1 << 30, 0}};
  return machine;
}

std::map<std::string, std::string> Texts(const api::ResourceAmounts& amounts) {
  std::map<std::string, std::string> texts;
  for (const auto& [name, amount] : amounts) texts[name] = amount.ToString();
  return texts;
}

template <typename Map>
std::map<std::string, std::string> Recorded(const Map& map) {
  std::map<std::string, std::string> texts;
  for (const auto& [name, quantity] : map) texts[name] = quantity.string();
  return texts;
}

// What the Go kubelet said of the machine of the recordings.
TEST(CapacityTest, EqualsTheRecordedNode) {
  std::ifstream file(std::string(CUBELET_SOURCE_DIR) + "/tests/golden/node/node.json");
  std::stringstream text;
  text << file.rdbuf();
  const auto value = api::ParseJson(text.str());
  ASSERT_TRUE(value.ok()) << value.status();
  v1::Node node;
  ASSERT_TRUE(api::FromJson(*value, node).ok());

  CapacityConfig config;
  config.max_pods = 500;
  config.eviction_hard = {{"memory.available", "100Mi"},
                          {"nodefs.available", "10%"},
                          {"nodefs.inodesFree", "5%"},
                          {"imagefs.available", "15%"}};
  const api::ResourceAmounts capacity = Capacity(Machine(), config);
  EXPECT_EQ(Texts(capacity), Recorded(node.status().capacity()));
  const auto allocatable = Allocatable(capacity, config);
  ASSERT_TRUE(allocatable.ok());
  EXPECT_EQ(Texts(*allocatable), Recorded(node.status().allocatable()));
}

TEST(CapacityTest, Pods) {
  CapacityConfig config;
  config.max_pods = 110;
  EXPECT_EQ(Capacity(Machine(), config)["pods"].Value(), 110);
  config.pods_per_core = 10;
  EXPECT_EQ(Capacity(Machine(), config)["pods"].Value(), 20);
  config.pods_per_core = 100;
  EXPECT_EQ(Capacity(Machine(), config)["pods"].Value(), 110);
}

TEST(CapacityTest, ReservationsAndHugePages) {
  MachineFacts machine = Machine();
  machine.memory_bytes = uint64_t{1} << 30;
  machine.hugepages[2 << 20] = uint64_t{100} << 20;
  machine.nodefs_capacity_bytes.reset();
  CapacityConfig config;
  config.kube_reserved["cpu"] = api::Quantity::ParseOrZero("100m");
  config.system_reserved["cpu"] = api::Quantity::ParseOrZero("200m");
  config.system_reserved["memory"] = api::Quantity::ParseOrZero("24Mi");
  config.system_reserved["ephemeral-storage"] = api::Quantity::ParseOrZero("1Gi");
  config.eviction_hard = {{"memory.available", "100Mi"}, {"nodefs.available", "10%"}};
  auto allocatable = *Allocatable(Capacity(machine, config), config);
  EXPECT_EQ(allocatable["cpu"].ToString(), "1700m");
  EXPECT_EQ(allocatable["memory"].ToString(), "800Mi");
  EXPECT_EQ(allocatable["hugepages-2Mi"].ToString(), "100Mi");
  EXPECT_FALSE(allocatable.contains("ephemeral-storage")) << "not known yet";

  config.ignore_eviction = true;
  EXPECT_EQ((*Allocatable(Capacity(machine, config), config))["memory"].ToString(), "900Mi");
  config.system_reserved["memory"] = api::Quantity::ParseOrZero("2Gi");
  EXPECT_TRUE((*Allocatable(Capacity(machine, config), config))["memory"].IsZero());
}

TEST(CapacityTest, Thresholds) {
  CapacityConfig config;
  const api::ResourceAmounts capacity = Capacity(Machine(), config);
  for (const char* off : {"0%", "100%"}) {
    config.eviction_hard = {{"memory.available", off}};
    const auto allocatable = Allocatable(capacity, config);
    ASSERT_TRUE(allocatable.ok());
    EXPECT_EQ(allocatable->at("memory"), capacity.at("memory")) << off;
  }
  for (const char* bad : {"ten", "-1%", "101%", "x%", "nan%", ""}) {
    config.eviction_hard = {{"memory.available", bad}};
    EXPECT_FALSE(Allocatable(capacity, config).ok()) << bad;
  }
  config.eviction_hard = {{"memory.available", "ten"}};
  EXPECT_EQ(Allocatable(capacity, config).status().message(),
            "evictionHard[memory.available]: \"ten\" is no quantity or percentage");
}

TEST(CapacityTest, HugePageResource) {
  EXPECT_EQ(HugePageResource(2 << 20), "hugepages-2Mi");
  EXPECT_EQ(HugePageResource(1 << 30), "hugepages-1Gi");
  EXPECT_EQ(HugePageResource(64 << 10), "hugepages-64Ki");
}

}  // namespace
}  // namespace cubelet::node
