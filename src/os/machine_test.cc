#include "os/machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "os/process.h"

namespace cubelet::os {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(Machine, MemInfo) {
  const absl::StatusOr<MemoryFacts> facts = ParseMemInfo(
      "MemTotal:       24684096 kB\nMemFree: 1 kB\nSwapCached:  5 kB\nSwapTotal:       2048 kB\n");
  ASSERT_TRUE(facts.ok());
  EXPECT_EQ(facts->total_bytes, 24684096LL * 1024);
  EXPECT_EQ(facts->swap_total_bytes, 2048 * 1024);
  EXPECT_EQ(ParseMemInfo("MemTotal: 1 kB\n")->swap_total_bytes, 0);
  EXPECT_FALSE(ParseMemInfo("").ok());
  EXPECT_FALSE(ParseMemInfo("MemTotal: many kB\n").ok());
  EXPECT_FALSE(ParseMemInfo("MemTotal: 99999999999999999 kB\n").ok());
}

TEST(Machine, RoomForTasks) {
  const absl::StatusOr<int64_t> tasks = ReadMaxTasks();
  ASSERT_TRUE(tasks.ok()) << tasks.status();
  EXPECT_GT(*tasks, 300);
  EXPECT_LE(*tasks, 1 << 22);  // the kernel's own bound of pid_max
}

TEST(Machine, CpuLists) {
  EXPECT_THAT(*ParseCpuList("0-3,8\n"), ElementsAre(0, 1, 2, 3, 8));
  EXPECT_THAT(*ParseCpuList("5,2-3,2"), ElementsAre(2, 3, 5));
  EXPECT_THAT(*ParseCpuList("\n"), IsEmpty());
  std::string repeated = "0-65535";
  for (int i = 0; i < 1000; ++i) repeated += ",0-65535";
  EXPECT_THAT(*ParseCpuList(repeated), SizeIs(65536));
  for (const char* wrong : {"3-1", "x", "-1", "1-", "1-2-3", "0-999999999"})
    EXPECT_FALSE(ParseCpuList(wrong).ok()) << wrong;
}

TEST(Machine, HugePageNames) {
  EXPECT_EQ(ParseHugePageName("hugepages-2048kB"), 2 << 20);
  EXPECT_EQ(ParseHugePageName("hugepages-1048576kB"), 1 << 30);
  EXPECT_EQ(ParseHugePageName("hugepages-kB"), 0);
  EXPECT_EQ(ParseHugePageName("other"), 0);
}

TEST(Machine, KernelReleases) {
  EXPECT_EQ(ParseKernelRelease("6.1.0-13-amd64"), (KernelRelease{6, 1}));
  EXPECT_EQ(ParseKernelRelease("5.10-rc1"), (KernelRelease{5, 10}));
  EXPECT_EQ(ParseKernelRelease("nonsense"), (KernelRelease{0, 0}));
  EXPECT_LT((KernelRelease{5, 10}), (KernelRelease{6, 1}));
  EXPECT_GT((KernelRelease{5, 10}), (KernelRelease{5, 8}));
}

TEST(Machine, OsImage) {
  EXPECT_EQ(ParseOsImage("ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"),
            "Debian GNU/Linux 12 (bookworm)");
  EXPECT_EQ(ParseOsImage("PRETTY_NAME=Plain\n"), "Plain");
  EXPECT_EQ(ParseOsImage("PRETTY_NAME='single $x'"), "single $x");
  EXPECT_EQ(ParseOsImage("PRETTY_NAME=\"a \\\"b\\\"\""), "a \"b\"");
  EXPECT_EQ(ParseOsImage(""), "Linux");
}

TEST(Machine, ThisOneHasFacts) {
  EXPECT_GT(ReadMemInfo()->total_bytes, 0);
  EXPECT_GT(*CountCpus(), 0);
  EXPECT_TRUE(ReadHugePageSizes().ok());
  EXPECT_EQ(ReadBootId().size(), 36u);
  EXPECT_FALSE(KernelReleaseText().empty());
  EXPECT_FALSE(Architecture().empty());
  EXPECT_FALSE(ReadOsImage().empty());
}

TEST(Process, GivesOutputsAndExitCode) {
  const absl::StatusOr<ProcessResult> result =
      RunProcess({.arguments = {"sh", "-c", "cat; echo error >&2; echo $GREETING; exit 3"},
                  .environment = {"GREETING=hello"},
                  .input = std::string(200'000, 'i')});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->output, std::string(200'000, 'i') + "hello\n");
  EXPECT_EQ(result->error_output, "error\n");
  EXPECT_EQ(result->exit_code, 3);
  EXPECT_FALSE(result->ok());
  EXPECT_EQ(result->Describe(), "exit status 3");
}

TEST(Process, EnvironmentCanBeItsOwn) {
  const auto result = RunProcess(
      {.arguments = {"/usr/bin/env"}, .environment = {"ONLY=this"}, .inherit_environment = false});
  EXPECT_EQ(result->output, "ONLY=this\n");
}

TEST(Process, OutputIsBounded) {
  const auto result =
      RunProcess({.arguments = {"sh", "-c", "head -c 300000 /dev/zero"}, .max_output_bytes = 1000});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->output.size(), 1000u);
  EXPECT_TRUE(result->truncated);
  EXPECT_TRUE(result->ok());
}

TEST(Process, DeadlineKillsTheGroup) {
  const auto result = RunProcess(
      {.arguments = {"sh", "-c", "sleep 100 & wait"}, .timeout = absl::Milliseconds(50)});
  EXPECT_TRUE(absl::IsDeadlineExceeded(result.status()));
  EXPECT_THAT(Message(result.status()), HasSubstr("killed after 50ms"));
}

TEST(Process, EndsWithTheProgramNotItsChildren) {
  const auto result =
      RunProcess({.arguments = {"sh", "-c", "sleep 5 & echo done"}, .timeout = absl::Seconds(4)});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->output, "done\n");
}

TEST(Process, TellsWhatCannotBeRun) {
  EXPECT_TRUE(absl::IsNotFound(RunProcess({.arguments = {"/no/such/program"}}).status()));
  EXPECT_FALSE(RunProcess({}).ok());
  const auto killed = RunProcess({.arguments = {"sh", "-c", "kill -9 $$"}});
  EXPECT_EQ(killed->Describe(), "signal 9");
}

}  // namespace
}  // namespace cubelet::os
