#include "node/report_schedule.h"

#include <gtest/gtest.h>

#include <vector>

#include "node/lease.h"
#include "node/node_object.h"
#include "node/test_facts.h"

namespace cubelet::node {
namespace {

TEST(HasChanged, NotByHeartbeats) {
  NodeFacts facts = RecordedFacts();
  const v1::Node before = InitialNode(facts).node;
  facts.now += absl::Minutes(1);
  NodeMemory memory;
  EXPECT_FALSE(HasChanged(before, UpdatedNode(facts, before, memory).node));
  facts.problems = {"container runtime is down"};
  EXPECT_TRUE(HasChanged(before, UpdatedNode(facts, before, memory).node));
}

TEST(HasChanged, ByOneFieldOfEachKind) {
  const v1::Node before = InitialNode(RecordedFacts()).node;
  using Change = void (*)(NodeFacts&);
  const std::vector<Change> changes = {
      [](NodeFacts& facts) { facts.kubelet_version = "v1.36.3"; },
      [](NodeFacts& facts) { facts.capacity["cpu"] = api::Quantity::FromInt(3); },
      [](NodeFacts& facts) { facts.images.emplace(1); },
      [](NodeFacts& facts) { facts.swap_bytes = 1; },
      [](NodeFacts& facts) { facts.handlers.pop_back(); },
      [](NodeFacts& facts) { facts.supplemental_groups_policy = false; },
      [](NodeFacts& facts) { facts.volumes_in_use = {"v"}; },
      [](NodeFacts& facts) { facts.declared_features.clear(); },
      [](NodeFacts& facts) { facts.ips = std::vector<std::string>{"10.0.0.9"}; },
      [](NodeFacts& facts) { facts.architecture = "arm64"; },
      [](NodeFacts& facts) {
        facts.external_cloud_provider = true;
        facts.node_ip.ips = {"10.99.0.1"};
      },
  };
  for (size_t i = 0; i < changes.size(); ++i) {
    NodeFacts facts = RecordedFacts();
    changes[i](facts);
    NodeMemory memory;
    EXPECT_TRUE(HasChanged(before, UpdatedNode(facts, before, memory).node)) << i;
  }
}

TEST(ReportSchedule, ForcedReports) {
  ReportSchedule schedule(absl::Minutes(5));
  const absl::Duration start = absl::Hours(1);
  EXPECT_TRUE(schedule.IsDue(absl::ZeroDuration()));
  schedule.Reported(start, /*changed=*/false, 0.9);
  EXPECT_FALSE(schedule.IsDue(start + absl::Seconds(299)));
  EXPECT_TRUE(schedule.IsDue(start + absl::Seconds(300)));
  schedule.Reported(start, /*changed=*/true, 0);
  EXPECT_FALSE(schedule.IsDue(start + absl::Seconds(149)));
  EXPECT_TRUE(schedule.IsDue(start + absl::Seconds(150)));
  schedule.Reported(start, /*changed=*/true, 1);
  EXPECT_FALSE(schedule.IsDue(start + absl::Seconds(449)));
  EXPECT_TRUE(schedule.IsDue(start + absl::Seconds(450)));
}

TEST(Lease, Times) {
  EXPECT_EQ(LeaseRenewInterval(40), absl::Seconds(10));
  EXPECT_EQ(LeaseRenewInterval(1), absl::Milliseconds(250));
  EXPECT_EQ(Jittered(absl::Seconds(10), 0.04, 0), absl::Seconds(10));
  EXPECT_EQ(Jittered(absl::Seconds(10), 0.04, 0.5), absl::Milliseconds(10200));
}

TEST(Lease, OwnerIsAddedOnceAndWhatOthersWroteStays) {
  v1::Node node;
  node.mutable_metadata()->set_name("lab");
  node.mutable_metadata()->set_uid("uid-1");
  const absl::Time now = absl::FromUnixMicros(1'500'000'000'123'456);
  coordinationv1::Lease lease = WantedLease(nullptr, "lab", 40, nullptr, now);
  EXPECT_EQ(lease.metadata().ownerreferences_size(), 0);
  EXPECT_EQ(lease.spec().renewtime().seconds(), 1'500'000'000);
  EXPECT_EQ(lease.spec().renewtime().nanos(), 123'456'000);
  lease.mutable_metadata()->set_resourceversion("7");
  lease.mutable_spec()->set_leasetransitions(3);
  lease = WantedLease(&lease, "lab", 20, &node, now);
  lease = WantedLease(&lease, "lab", 20, &node, now);
  ASSERT_EQ(lease.metadata().ownerreferences_size(), 1);
  EXPECT_EQ(lease.metadata().ownerreferences(0).uid(), "uid-1");
  EXPECT_EQ(lease.metadata().resourceversion(), "7");
  EXPECT_EQ(lease.spec().leasetransitions(), 3);
  EXPECT_EQ(lease.spec().leasedurationseconds(), 20);
}

}  // namespace
}  // namespace cubelet::node
