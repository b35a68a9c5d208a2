#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "os/files.h"
#include "pods/container_starter.h"
#include "pods/log_files.h"
#include "pods/log_rotation.h"

namespace cubelet::pods {
namespace {

using ::testing::ElementsAre;

TEST(NextLogCheck, LooksBeforeTheLimitIsReached) {
  const absl::Duration interval = absl::Seconds(10);
  constexpr int64_t kMb = 1 << 20;
  // 1 MB a second, 8 MB to go: half of the way.
  EXPECT_EQ(NextLogCheck(kMb, 2 * kMb, absl::Seconds(1), 10 * kMb, interval), absl::Seconds(4));
  // 100 MB a second: as often as it makes sense.
  EXPECT_EQ(NextLogCheck(0, 10 * kMb, absl::Milliseconds(100), 10 * kMb, interval),
            absl::Milliseconds(50));
  // A line now and then: not more often than the interval.
  EXPECT_EQ(NextLogCheck(0, 100, absl::Seconds(10), 10 * kMb, interval), interval);
  EXPECT_EQ(NextLogCheck(100, 100, absl::Seconds(10), 10 * kMb, interval), interval);
  EXPECT_EQ(NextLogCheck(kMb, 100, absl::Seconds(1), 10 * kMb, interval), interval);
}

TEST(RestartCount, FromLogFiles) {
  EXPECT_EQ(RestartCountFromLogs({}), 0);
  EXPECT_EQ(RestartCountFromLogs({"0.log"}), 1);
  EXPECT_EQ(RestartCountFromLogs({"0.log", "3.log.20260101-000000.gz", "x.log", "9.logs", "7"}), 4);
}

class LogFilesTest : public ::testing::Test {
 protected:
  LogFilesTest() : directory_(os::JoinPath(::testing::TempDir(), os::RandomHex(8))) {
    EXPECT_TRUE(os::MakeDirectories(directory_, 0755).ok());
  }
  std::string Path(const std::string& name) { return os::JoinPath(directory_, name); }
  void Write(const std::string& name) {
    EXPECT_TRUE(os::WriteFileAtomic(Path(name), "text\n", 0644).ok());
  }
  std::vector<std::string> Names() { return *os::ListDirectory(directory_); }

  std::string directory_;
};

TEST_F(LogFilesTest, TwoRotationsWithinASecondDoNotMeet) {
  const absl::TimeZone utc = absl::UTCTimeZone();
  const absl::Time now = absl::FromUnixSeconds(0);
  const std::string first = RotatedName("/l/0.log", {}, now, utc);
  EXPECT_EQ(first, "/l/0.log.19700101-000000");
  const std::string second = RotatedName("/l/0.log", {first}, now, utc);
  EXPECT_EQ(second, "/l/0.log.19700101-000001");
  EXPECT_EQ(RotatedName("/l/0.log", {StrCat(second, ".gz")}, now, utc), "/l/0.log.19700101-000002");
}

TEST_F(LogFilesTest, CleansLeftoversAndSortsByAge) {
  for (const char* name :
       {"0.log", "0.log.20260102-000000", "0.log.20260101-000000.gz", "0.log.20260103-000000",
        "0.log.20260103-000000.gz", "0.log.20260104-000000.tmp", "0.log.note", "1.log"})
    Write(name);
  EXPECT_THAT(*CleanRotated(Path("0.log")),
              ElementsAre(Path("0.log.20260101-000000.gz"), Path("0.log.20260102-000000"),
                          Path("0.log.20260103-000000.gz")));
  EXPECT_THAT(Names(), ElementsAre("0.log", "0.log.20260101-000000.gz", "0.log.20260102-000000",
                                   "0.log.20260103-000000.gz", "0.log.note", "1.log"));
}

TEST_F(LogFilesTest, DeletesTheOldest) {
  Write("0.log.20260101-000000");
  Write("0.log.20260102-000000");
  std::vector<std::string> rotated = {Path("0.log.20260101-000000"), Path("0.log.20260102-000000")};
  EXPECT_TRUE(DeleteOldest(rotated, 1).ok());
  EXPECT_THAT(Names(), ElementsAre("0.log.20260102-000000"));
}

TEST_F(LogFilesTest, CompressedOnesReplaceTheirOriginals) {
  Write("0.log.20260101-000000");
  EXPECT_TRUE(CompressLog(Path("0.log.20260101-000000")).ok());
  EXPECT_THAT(Names(), ElementsAre("0.log.20260101-000000.gz"));
  const std::string content = *os::ReadFile(Path("0.log.20260101-000000.gz"));
  EXPECT_EQ(content.substr(0, 2), "\x1f\x8b");
}

}  // namespace
}  // namespace cubelet::pods
