#include "server/health.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/strings.h"

namespace cubelet::server {
namespace {

TEST(SyncLoopCheck, AllowsTwiceTheFrequencyAndAtLeastFiveMinutes) {
  const absl::Duration now = absl::Hours(1);
  EXPECT_TRUE(CheckSyncLoop(now, -absl::InfiniteDuration(), absl::Minutes(1)).ok());
  EXPECT_TRUE(CheckSyncLoop(now, now - absl::Minutes(5), absl::Minutes(1)).ok());
  EXPECT_EQ(Message(CheckSyncLoop(now, now - absl::Seconds(301), absl::Minutes(1))),
            "sync Loop took longer than expected");
  EXPECT_TRUE(CheckSyncLoop(now, now - absl::Minutes(20), absl::Minutes(10)).ok());
  EXPECT_FALSE(CheckSyncLoop(now, now - absl::Minutes(21), absl::Minutes(10)).ok());
}

TEST(LogCheck, FailsWhenNobodyHasReadForTwoMinutes) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
  const UniqueFd reader(ends[0]), writer(ends[1]);
  LogCheck check(writer.get());
  EXPECT_TRUE(check.Check(absl::Hours(1)).ok());
  const std::string chunk(65536, 'x');
  while (::write(writer.get(), chunk.data(), chunk.size()) > 0) {
  }
  // Blocked, but nobody had looked for an hour: the two minutes begin now.
  EXPECT_TRUE(check.Check(absl::Hours(2)).ok());
  EXPECT_TRUE(check.Check(absl::Hours(2) + absl::Seconds(119)).ok());
  EXPECT_EQ(Message(check.Check(absl::Hours(2) + absl::Seconds(120))), "logging blocked");
  std::string rest(chunk.size(), ' ');
  while (::read(reader.get(), rest.data(), rest.size()) > 0) {
  }
  EXPECT_TRUE(check.Check(absl::Hours(2) + absl::Seconds(121)).ok());
}

}  // namespace
}  // namespace cubelet::server
