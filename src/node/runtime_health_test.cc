#include "node/runtime_health.h"

#include <gtest/gtest.h>

namespace cubelet::node {
namespace {

TEST(RuntimeHealth, AskAgainAfter) {
  struct Case {
    bool good;
    bool was_good;
    absl::Duration waited;
    absl::Duration want;
  };
  const Case cases[] = {
      {true, true, absl::ZeroDuration(), absl::Seconds(15)},
      {true, true, absl::Hours(1), absl::Seconds(15)},
      {false, true, absl::ZeroDuration(), absl::Seconds(5)},
      {false, false, absl::ZeroDuration(), absl::Milliseconds(100)},
      {false, false, absl::Seconds(2), absl::Milliseconds(100)},
      {false, false, absl::Seconds(20), absl::Seconds(1)},
      {false, false, absl::Hours(1), absl::Seconds(5)},
  };
  for (const Case& c : cases)
    EXPECT_EQ(AskAgainAfter(c.good, c.was_good, c.waited), c.want) << c.waited;
}

}  // namespace
}  // namespace cubelet::node
