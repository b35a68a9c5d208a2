#include "containers/linux_resources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/pod.h"
#include "containers/testing.h"

namespace cubelet::containers {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr int64_t kMi = int64_t{1} << 20;
constexpr int64_t kGi = int64_t{1} << 30;

v1::Pod WithResources(std::string_view resources, std::string_view more = "") {
  return PodOf(StrCat("containers: [{name: c, resources: ", resources, "}]\n", more));
}

criv1::LinuxContainerResources Make(const v1::Pod& pod, const NodeContext& node = Node(),
                                    const CpuAssignment& cpus = {}) {
  return MakeContainerResources(pod, pod.spec().containers(0), node, cpus);
}

TEST(ContainerResources, CpuSharesComeFromTheRequestKey) {
  const struct {
    const char* resources;
    int64_t shares, quota;
  } cases[] = {
      {"{}", 2, 0},
      {"{requests: {cpu: 500m}, limits: {cpu: 2}}", 512, 200000},
      {"{requests: {cpu: 0}, limits: {cpu: 1}}", 2, 100000},
      {"{limits: {cpu: 1}}", 1024, 100000},
      {"{limits: {cpu: 5m}}", 5, 1000},
      {"{requests: {cpu: 300}}", 262144, 0},
  };
  for (const auto& c : cases) {
    const auto resources = Make(WithResources(c.resources));
    EXPECT_EQ(resources.cpu_shares(), c.shares) << c.resources;
    EXPECT_EQ(resources.cpu_quota(), c.quota) << c.resources;
    EXPECT_EQ(resources.cpu_period(), 100000);
  }
}

TEST(ContainerResources, QuotaFollowsTheNode) {
  const v1::Pod pod = WithResources("{limits: {cpu: 2}}");
  NodeContext node = Node();
  node.cpu_cfs_quota_period_us = 10000;
  EXPECT_EQ(Make(pod, node).cpu_quota(), 20000);
  EXPECT_EQ(Make(pod, node).cpu_period(), 10000);
  EXPECT_EQ(Make(pod, node, {.exclusive_cpus = true}).cpu_quota(), -1);
  node.cpu_cfs_quota = false;
  EXPECT_EQ(Make(pod, node).cpu_quota(), 0);
  EXPECT_EQ(Make(pod, node).cpu_period(), 0);
}

TEST(ContainerResources, CpusetsArePassedOn) {
  const auto resources =
      Make(WithResources("{}"), Node(), {.cpuset_cpus = "1-2", .cpuset_mems = "0"});
  EXPECT_EQ(resources.cpuset_cpus(), "1-2");
  EXPECT_EQ(resources.cpuset_mems(), "0");
}

TEST(ContainerResources, PodLevelLimitsStandIn) {
  const char pod_level[] = "resources: {limits: {cpu: 2, memory: 1Gi, hugepages-2Mi: 4Mi}}";
  NodeContext node = Node();
  node.hugepage_sizes = {"2MB"};
  const auto none = Make(WithResources("{}", pod_level), node);
  EXPECT_EQ(none.cpu_quota(), 200000);
  EXPECT_EQ(none.cpu_shares(), 2048);
  EXPECT_EQ(none.memory_limit_in_bytes(), kGi);
  EXPECT_EQ(none.hugepage_limits(0).limit(), 4u * kMi);
  const auto own =
      Make(WithResources("{limits: {cpu: 1, memory: 512Mi, hugepages-2Mi: 2Mi}}", pod_level), node);
  EXPECT_EQ(own.cpu_quota(), 100000);
  EXPECT_EQ(own.memory_limit_in_bytes(), 512 * kMi);
  EXPECT_EQ(own.hugepage_limits(0).limit(), 2u * kMi);
}

TEST(ContainerResources, HugepagesHaveALimitOfEachSize) {
  NodeContext node = Node();
  node.hugepage_sizes = {"2MB", "1GB", "64KB"};
  const auto resources = Make(
      WithResources("{limits: {hugepages-2Mi: 8Mi, hugepages-64Ki: 128Ki, hugepages-16Gi: 16Gi}}"),
      node);
  ASSERT_EQ(resources.hugepage_limits_size(), 3);
  EXPECT_EQ(resources.hugepage_limits(0).page_size(), "2MB");
  EXPECT_EQ(resources.hugepage_limits(0).limit(), 8u * kMi);
  EXPECT_EQ(resources.hugepage_limits(1).page_size(), "1GB");
  EXPECT_EQ(resources.hugepage_limits(1).limit(), 0u);
  EXPECT_EQ(resources.hugepage_limits(2).limit(), 128u * 1024);
}

TEST(Hugepages, SizesHaveTheKernelsNames) {
  EXPECT_EQ(HugepageSizeName("hugepages-2Mi"), "2MB");
  EXPECT_EQ(HugepageSizeName("hugepages-1Gi"), "1GB");
  EXPECT_EQ(HugepageSizeName("hugepages-64Ki"), "64KB");
  EXPECT_EQ(HugepageSizeName("hugepages-2048Ki"), "2MB");
  EXPECT_EQ(HugepageSizeName("hugepages-x"), "");
  EXPECT_EQ(HugepageSizeName("hugepages-0"), "");
  EXPECT_EQ(HugepageSizeName("memory"), "");
}

TEST(ContainerResources, OomGroupOnUnifiedHierarchy) {
  const v1::Pod pod = WithResources("{}");
  NodeContext node = Node();
  EXPECT_THAT(Make(pod, node).unified(), ElementsAre(Pair("memory.oom.group", "1")));
  EXPECT_THAT(MakeSandboxResources(pod, node).unified(),
              ElementsAre(Pair("memory.oom.group", "1")));
  node.single_process_oom_kill = true;
  EXPECT_THAT(Make(pod, node).unified(), IsEmpty());
  node.single_process_oom_kill = false;
  node.cgroup_v2 = false;
  EXPECT_THAT(Make(pod, node).unified(), IsEmpty());
}

// ---- Swap

std::string SwapOf(const v1::Pod& pod, const NodeContext& node) {
  const auto resources = Make(pod, node);
  const auto swap = resources.unified().find("memory.swap.max");
  return swap == resources.unified().end() ? "none" : swap->second;
}

NodeContext SwapNode(SwapBehavior behavior) {
  NodeContext node = Node();
  node.swap_controller_available = true;
  node.swap_behavior = behavior;
  node.memory_capacity_bytes = 8 * kGi;
  node.swap_capacity_bytes = 4 * kGi;
  return node;
}

TEST(Swap, NoneByDefault) {
  const v1::Pod pod = WithResources("{requests: {memory: 2Gi}, limits: {memory: 3Gi}}");
  EXPECT_EQ(SwapOf(pod, Node()), "none");
  EXPECT_EQ(SwapOf(pod, SwapNode(SwapBehavior::kNoSwap)), "0");
  NodeContext v1_node = SwapNode(SwapBehavior::kLimitedSwap);
  v1_node.cgroup_v2 = false;
  EXPECT_EQ(Make(pod, v1_node).memory_swap_limit_in_bytes(), 3 * kGi);
  EXPECT_THAT(Make(pod, v1_node).unified(), IsEmpty());
}

TEST(Swap, LimitedGoesByTheShareOfMemory) {
  const NodeContext node = SwapNode(SwapBehavior::kLimitedSwap);
  const struct {
    const char* resources;
    const char* more;
    int64_t swap;
  } cases[] = {
      {"{requests: {memory: 2Gi}}", "", kGi},
      {"{requests: {memory: 2Gi}, limits: {memory: 3Gi}}", "", kGi},
      {"{requests: {memory: 2Gi, cpu: 1}, limits: {memory: 2Gi}}", "", 0},
      {"{requests: {cpu: 1}}", "", 0},
      {"{}", "", 0},
      {"{requests: {memory: 2Gi}}", "priority: 2000000000", 0},
      {"{requests: {memory: 9Gi}}", "", 0},
      {"{requests: {memory: 2Gi, cpu: 1}, limits: {memory: 2Gi, cpu: 1}}", "", 0},
      {"{requests: {memory: 3}}", "", 1},
  };
  for (const auto& c : cases)
    EXPECT_EQ(SwapOf(WithResources(c.resources, c.more), node), StrCat(c.swap)) << c.resources;
}

// ---- Sandboxes

TEST(SandboxResources, AreThePodsWithoutOverhead) {
  const v1::Pod pod = PodOf(R"(
overhead: {cpu: 250m, memory: 120Mi}
containers:
- {name: a, resources: {requests: {cpu: 500m}, limits: {cpu: 1, memory: 1Gi}}}
- {name: b, resources: {requests: {cpu: 500m}}})");
  NodeContext node = Node();
  node.single_process_oom_kill = true;
  const auto sandbox = MakeSandboxResources(pod, node);
  EXPECT_EQ(sandbox.cpu_shares(), 1024);
  EXPECT_EQ(sandbox.cpu_quota(), 100000);
  EXPECT_EQ(sandbox.memory_limit_in_bytes(), kGi);
  EXPECT_EQ(sandbox.oom_score_adj(), 0);
  EXPECT_EQ(sandbox.hugepage_limits_size(), 0);
  const auto overhead = MakeSandboxOverhead(pod, node);
  EXPECT_EQ(overhead.cpu_shares(), 256);
  EXPECT_EQ(overhead.cpu_quota(), 25000);
  EXPECT_EQ(overhead.memory_limit_in_bytes(), 120 * kMi);
  EXPECT_EQ(MakeSandboxOverhead(PodOf("{}"), node).ByteSizeLong(), 0u);
}

TEST(SandboxResources, PodLevelRequestsReplaceTheSums) {
  const auto sandbox = MakeSandboxResources(
      WithResources("{requests: {cpu: 1}}",
                    "resources: {requests: {cpu: 2}, limits: {cpu: 3, memory: 1Gi}}"),
      Node());
  EXPECT_EQ(sandbox.cpu_shares(), 2048);
  EXPECT_EQ(sandbox.cpu_quota(), 300000);
  EXPECT_EQ(sandbox.memory_limit_in_bytes(), kGi);
}

// ---- Out-of-memory score

int64_t ScoreOf(const v1::Pod& pod, std::string_view container = "c") {
  const v1::Container* found = api::FindContainer(pod, container);
  return OomScoreAdjust(pod, *found, 10 * kGi);
}

TEST(OomScore, GoesByClassAndMemory) {
  const struct {
    const char* resources;
    const char* more;
    int64_t score;
  } cases[] = {
      {"{}", "", 1000},
      {"{requests: {cpu: 1, memory: 1Gi}, limits: {cpu: 1, memory: 1Gi}}", "", -997},
      {"{requests: {memory: 1Gi}}", "", 900},
      {"{requests: {memory: 1}}", "", 999},
      {"{requests: {cpu: 1}}", "", 999},
      {"{requests: {memory: 10Gi}}", "", 3},
      {"{requests: {memory: 500Gi}}", "", 3},
      {"{requests: {memory: 9223372036854775807}}", "", 3},
      {"{}", "{priority: 2000000000, priorityClassName: system-node-critical}", -997},
      {"{}", "{priority: 2000000000, priorityClassName: system-cluster-critical}", 1000},
      {"{}", "{priority: 5, priorityClassName: system-node-critical}", 1000},
  };
  for (const auto& c : cases) {
    v1::Pod pod = WithResources(c.resources);
    if (*c.more != '\0') pod.mutable_spec()->MergeFrom(FromYaml<v1::PodSpec>(c.more));
    EXPECT_EQ(ScoreOf(pod), c.score) << c.resources << c.more;
  }
  EXPECT_EQ(OomScoreAdjust(WithResources("{requests: {memory: 1Gi}}"), v1::Container(), 0), 999);
}

TEST(OomScore, SidecarsOutliveTheContainersTheyServe) {
  const v1::Pod pod = PodOf(R"(
initContainers:
- {name: side, restartPolicy: Always, resources: {requests: {memory: 1Gi}}}
- {name: big, restartPolicy: Always, resources: {requests: {memory: 5Gi}}}
- {name: init, resources: {requests: {memory: 1Gi}}}
containers:
- {name: a, resources: {requests: {memory: 2Gi}}}
- {name: b, restartPolicy: Always, resources: {requests: {memory: 4Gi}}})");
  EXPECT_EQ(ScoreOf(pod, "side"), 800);
  EXPECT_EQ(ScoreOf(pod, "big"), 500);
  EXPECT_EQ(ScoreOf(pod, "init"), 900);
  EXPECT_EQ(ScoreOf(pod, "a"), 800);
  EXPECT_EQ(ScoreOf(pod, "b"), 600);
}

TEST(OomScore, PodLevelRequestIsSharedAmongContainers) {
  // The containers ask for 3Gi together, the pod for 6Gi: 1Gi more for each of three.
  const v1::Pod pod = PodOf(R"(
resources: {requests: {memory: 6Gi}}
initContainers:
- {name: init, resources: {requests: {memory: 2Gi}}}
containers:
- {name: a, resources: {requests: {memory: 2Gi}}}
- {name: b, resources: {requests: {memory: 1Gi}}})");
  EXPECT_EQ(ScoreOf(pod, "a"), 700);
  EXPECT_EQ(ScoreOf(pod, "b"), 800);
  EXPECT_EQ(ScoreOf(pod, "init"), 700);
}

}  // namespace
}  // namespace cubelet::containers
