#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "cgroups/manager.h"

namespace cubelet::cgroups {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(SharesOf, IsTheRequestOf1024PerProcessor) {
  EXPECT_EQ(SharesOf(0), 2u);
  EXPECT_EQ(SharesOf(-5), 2u);
  EXPECT_EQ(SharesOf(1), 2u);
  EXPECT_EQ(SharesOf(50), 51u);
  EXPECT_EQ(SharesOf(1000), 1024u);
  EXPECT_EQ(SharesOf(256000), 262144u);
  EXPECT_EQ(SharesOf(std::numeric_limits<int64_t>::max()), 262144u);
}

TEST(WeightOf, IsLinearInShares) {
  EXPECT_EQ(WeightOf(0), 1u);
  EXPECT_EQ(WeightOf(2), 1u);
  EXPECT_EQ(WeightOf(102), 4u);
  EXPECT_EQ(WeightOf(1024), 39u);
  EXPECT_EQ(WeightOf(2048), 79u);
  EXPECT_EQ(WeightOf(262144), 10000u);
  EXPECT_EQ(WeightOf(1 << 30), 10000u);
}

TEST(QuotaOf, IsTheLimitInThePeriod) {
  EXPECT_EQ(QuotaOf(0, 100000), 0);
  EXPECT_EQ(QuotaOf(200, 100000), 20000);
  EXPECT_EQ(QuotaOf(5, 100000), 1000);
  EXPECT_EQ(QuotaOf(1500, 10000), 15000);
  EXPECT_EQ(QuotaOf(std::numeric_limits<int64_t>::max(), 100000),
            std::numeric_limits<int64_t>::max());
}

// Amounts by name for one container; "" leaves the amount out.
struct Amounts {
  std::string cpu_request, cpu_limit, memory_request, memory_limit;
};

void Fill(v1::ResourceRequirements& resources, const Amounts& amounts) {
  const auto set = [](auto& map, const std::string& name, const std::string& value) {
    if (!value.empty()) map[name].set_string(value);
  };
  set(*resources.mutable_requests(), "cpu", amounts.cpu_request);
  set(*resources.mutable_limits(), "cpu", amounts.cpu_limit);
  set(*resources.mutable_requests(), "memory", amounts.memory_request);
  set(*resources.mutable_limits(), "memory", amounts.memory_limit);
}

v1::Pod PodOf(const std::vector<Amounts>& containers) {
  v1::Pod pod;
  for (const Amounts& amounts : containers) {
    v1::Container& container = *pod.mutable_spec()->add_containers();
    container.set_name("c");
    Fill(*container.mutable_resources(), amounts);
  }
  return pod;
}

TEST(PodResources, BestEffortHasTheLeastShares) {
  const Resources resources = PodResources(PodOf({{}}), {});
  EXPECT_EQ(resources.cpu_shares, 2u);
  EXPECT_FALSE(resources.cpu_quota_us);
  EXPECT_FALSE(resources.cpu_period_us);
  EXPECT_FALSE(resources.memory_limit_bytes);
  EXPECT_FALSE(resources.pids_limit);
}

TEST(PodResources, GuaranteedHasAll) {
  const Resources resources = PodResources(PodOf({{"500m", "500m", "64Mi", "64Mi"}}), {});
  EXPECT_EQ(resources.cpu_shares, 512u);
  EXPECT_EQ(resources.cpu_quota_us, 50000);
  EXPECT_EQ(resources.cpu_period_us, 100000u);
  EXPECT_EQ(resources.memory_limit_bytes, 64 << 20);
}

TEST(PodResources, BurstableIsLimitedOnlyIfEveryContainerIs) {
  const Resources partly =
      PodResources(PodOf({{"100m", "200m", "32Mi", "64Mi"}, {"100m", "", "32Mi", "64Mi"}}), {});
  EXPECT_EQ(partly.cpu_shares, 204u);
  EXPECT_FALSE(partly.cpu_quota_us);
  EXPECT_FALSE(partly.cpu_period_us);
  EXPECT_EQ(partly.memory_limit_bytes, 128 << 20);
  const Resources whole =
      PodResources(PodOf({{"100m", "200m", "32Mi", ""}, {"100m", "200m", "32Mi", ""}}), {});
  EXPECT_EQ(whole.cpu_quota_us, 40000);
  EXPECT_FALSE(whole.memory_limit_bytes);
}

TEST(PodResources, AnUnlimitedInitContainerCounts) {
  v1::Pod pod = PodOf({{"100m", "200m", "32Mi", "64Mi"}});
  pod.mutable_spec()->add_initcontainers()->set_name("init");
  const Resources resources = PodResources(pod, {});
  EXPECT_FALSE(resources.cpu_quota_us);
  EXPECT_FALSE(resources.memory_limit_bytes);
}

TEST(PodResources, LimitsOfThePodStandForAllContainers) {
  v1::Pod pod = PodOf({{"100m", "", "", ""}, {}});
  Fill(*pod.mutable_spec()->mutable_resources(), {"", "1", "", "256Mi"});
  const Resources resources = PodResources(pod, {});
  EXPECT_EQ(resources.cpu_quota_us, 100000);
  EXPECT_EQ(resources.memory_limit_bytes, 256 << 20);
}

TEST(PodResources, WithoutEnforcementTheQuotaIsLifted) {
  const Resources resources =
      PodResources(PodOf({{"1", "1", "64Mi", "64Mi"}}), {.enforce_cpu_limits = false});
  EXPECT_EQ(resources.cpu_quota_us, -1);
  EXPECT_EQ(resources.cpu_period_us, 100000u);
}

TEST(PodResources, OverheadAndPidsAreAdded) {
  v1::Pod pod = PodOf({{"1", "1", "64Mi", "64Mi"}});
  (*pod.mutable_spec()->mutable_overhead())["cpu"].set_string("250m");
  (*pod.mutable_spec()->mutable_overhead())["memory"].set_string("16Mi");
  const Resources resources = PodResources(pod, {.cpu_period_us = 10000, .pids_limit = 42});
  EXPECT_EQ(resources.cpu_shares, 1280u);
  EXPECT_EQ(resources.cpu_quota_us, 12500);
  EXPECT_EQ(resources.memory_limit_bytes, 80 << 20);
  EXPECT_EQ(resources.pids_limit, 42);
}

TEST(PodResources, EveryPageSizeOfTheNodeGetsALimit) {
  v1::Pod pod = PodOf({{"1", "1", "64Mi", "64Mi"}});
  v1::ResourceRequirements& resources =
      *pod.mutable_spec()->mutable_containers(0)->mutable_resources();
  (*resources.mutable_requests())["hugepages-2Mi"].set_string("8Mi");
  (*resources.mutable_limits())["hugepages-2Mi"].set_string("8Mi");
  EXPECT_THAT(PodResources(pod, {.hugepage_sizes = {"1GB", "2MB"}}).hugepage_limits,
              ElementsAre(Pair("1GB", 0), Pair("2MB", 8 << 20)));
}

}  // namespace
}  // namespace cubelet::cgroups
