#include "pleg/runtime_records.h"

#include <gtest/gtest.h>

#include <limits>

namespace cubelet::pleg {
namespace {

ContainerRecord::Resources ResourcesOf(int64_t shares, int64_t quota, int64_t period) {
  criv1::ContainerStatus status;
  criv1::LinuxContainerResources& linux = *status.mutable_resources()->mutable_linux();
  linux.set_cpu_shares(shares);
  linux.set_cpu_quota(quota);
  linux.set_cpu_period(period);
  return MakeContainerRecord(status, "sandbox").resources.value();
}

TEST(MakeContainerRecord, ReadsSharesAndQuotaAsMillicores) {
  const auto resources = ResourcesOf(102, 150'000, 100'000);
  EXPECT_EQ(resources.cpu_request_millis, 100);
  EXPECT_EQ(resources.cpu_limit_millis, 1500);
  const auto none = ResourcesOf(0, -1, 0);
  EXPECT_EQ(none.cpu_request_millis, std::nullopt);
  EXPECT_EQ(none.cpu_limit_millis, std::nullopt);
}

TEST(MakeContainerRecord, AmountsThatNoMachineHasAreCutOff) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(ResourcesOf(kMax, kMax, 1).cpu_limit_millis, kMax);
  EXPECT_EQ(ResourcesOf(kMax, kMax, kMax).cpu_limit_millis, 1000);
  EXPECT_EQ(ResourcesOf(kMax, 0, 0).cpu_request_millis, kMax / 1024 * 1000 + 1000);
}

}  // namespace
}  // namespace cubelet::pleg
