#include "status/termination_message.h"

#include <gtest/gtest.h>

#include <string>

#include "base/strings.h"
#include "status/test_pods.h"

namespace cubelet::status {
namespace {

std::string Line(std::string_view text, std::string_view tag = "F") {
  return StrCat("2026-01-01T00:00:00.000000000Z stderr ", tag, " ", text, "\n");
}

TEST(TerminationMessageTest, FileTail) {
  EXPECT_EQ(FileTail("short"), "short");
  EXPECT_EQ(FileTail("x" + std::string(4096, 'y')), std::string(4096, 'y'));
}

TEST(TerminationMessageTest, LogTail) {
  EXPECT_EQ(LogTail(""), "");
  EXPECT_EQ(LogTail(Line("a") + Line("b")), "a\nb\n");
  EXPECT_EQ(LogTail(Line("par", "P") + Line("tial")), "partial\n");
  EXPECT_EQ(LogTail("the rest of a line\n" + Line("a") + "no log line\n"), "a\n");
  EXPECT_EQ(LogTail("t stdout F"), "");
  EXPECT_EQ(LogTail("t other F x\n"), "");
  EXPECT_EQ(LogTail("t stdout X x\n"), "");
  EXPECT_EQ(LogTail("t stdout F:tag no newline"), "no newline\n");
}

TEST(TerminationMessageTest, LogTailIsBounded) {
  std::string log, want;
  for (int i = 0; i < 100; ++i) {
    log += Line(StrCat("line", i));
    if (i >= 20) want += StrCat("line", i, "\n");
  }
  EXPECT_EQ(LogTail(log), want);
  const std::string wide = LogTail(Line(std::string(3000, 'x')));
  EXPECT_EQ(wide.size(), 2048U);
  EXPECT_TRUE(wide.ends_with("x\n"));
}

TEST(TerminationMessageTest, FallsBackToLog) {
  pleg::ContainerRecord record;
  record.state = pleg::ContainerState::kExited;
  record.exit_code = 1;
  record.reason = "Error";
  record.termination_message_policy = "FallbackToLogsOnError";
  EXPECT_TRUE(FallsBackToLog(record, ""));
  EXPECT_FALSE(FallsBackToLog(record, "said it"));
  record.reason = "ContainerCannotRun";
  EXPECT_FALSE(FallsBackToLog(record, ""));
  record.reason = "Error";
  record.exit_code = 0;
  EXPECT_FALSE(FallsBackToLog(record, ""));
  record.exit_code = 1;
  record.termination_message_policy = "File";
  EXPECT_FALSE(FallsBackToLog(record, ""));
}

TEST(TerminationMessageTest, Failures) {
  EXPECT_EQ(FileReadFailure("/x", absl::NotFoundError("gone")),
            "Error on reading termination log /x: gone");
  EXPECT_EQ(LogReadFailure(absl::NotFoundError("gone")),
            "Error on reading termination message from logs: gone");
}

TEST(TerminationMessageTest, ShareOfThePod) {
  EXPECT_EQ(TerminationMessageLimit(PodOf("{containers: [{name: c}]}")), 12288U);
  EXPECT_EQ(TerminationMessageLimit(PodOf("{initContainers: [{name: i}], containers: [{name: c}, "
                                          "{name: d}], ephemeralContainers: [{name: e}]}")),
            3072U);
  EXPECT_EQ(JoinMessages("a", "b", 100), "a: b");
  EXPECT_EQ(JoinMessages("", "b", 100), "b");
  EXPECT_EQ(JoinMessages("a", "", 100), "a");
  EXPECT_EQ(JoinMessages("abc", "def", 4), "abc:");
}

}  // namespace
}  // namespace cubelet::status
