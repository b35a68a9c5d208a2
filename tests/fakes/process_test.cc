#include "fakes/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"

namespace cubelet::fakes {
namespace {

using absl::Seconds;

Process Of(std::vector<std::string> command) {
  criv1::ContainerConfig config;
  for (std::string& word : command) config.add_command(std::move(word));
  return ProcessOf(config);
}

struct Case {
  std::vector<std::string> command;
  absl::Duration runs_for;
  int exit_code = 0;
  int stop_exit_code = -1;  // -1: ignores the stop signal
};

TEST(Process, IsReadFromTheCommand) {
  const absl::Duration for_ever = absl::InfiniteDuration();
  const absl::Duration at_once = absl::ZeroDuration();
  const Case cases[] = {
      {{}, for_ever},
      {{"httpd", "-f"}, for_ever},
      {{"sleep", "3600"}, Seconds(3600)},
      {{"/bin/sleep", "0.5"}, Seconds(0.5)},
      {{"sleep", "infinity"}, for_ever},
      {{"true"}, at_once},
      {{"false"}, at_once, 1},
      {{"sh", "-c", "exit 5"}, at_once, 5},
      {{"sh", "-c", "exit"}, at_once, 0},
      {{"sh", "-c", "sleep 2; false; exit 3; sleep 9"}, Seconds(2), 3},
      {{"sh", "-c", "sleep 2 && sleep 3"}, Seconds(5)},
      {{"sh", "-c", "false"}, at_once, 1},
      {{"sh", "-c", "exec sleep 7"}, Seconds(7)},
      {{"sh", "-c", "cat /data/x; sleep 3600"}, Seconds(3600)},
      {{"sh", "-c", "trap 'exit 3' TERM; while :; do sleep 1; done"}, for_ever, 0, 3},
      {{"sh", "-c", "trap \"sleep 1; exit 0\" TERM\nsleep 5 & wait"}, for_ever, 0, 0},
      {{"sh", "-c", "trap '' TERM; sleep 5"}, Seconds(5), 0, -1},
      {{"sh", "-c", "trap 'exit 1' HUP; sleep 5"}, Seconds(5), 0, -1},
      {{"sim", "after=5s", "exit=3"}, Seconds(5), 3},
      {{"sim", "stop=0"}, for_ever, 0, 0},
      {{"sh", "-c", "echo 'unclosed"}, at_once},
      {{"sh", "-c", ";;&&"}, at_once},
  };
  for (const Case& c : cases) {
    const Process process = Of(c.command);
    const std::string name = GoList(c.command);
    EXPECT_EQ(process.runs_for, c.runs_for) << name;
    EXPECT_EQ(process.exit_code, c.exit_code) << name;
    EXPECT_EQ(process.handles_stop, c.stop_exit_code >= 0) << name;
    if (c.stop_exit_code >= 0) {
      EXPECT_EQ(process.stop_exit_code, c.stop_exit_code) << name;
    }
  }
}

TEST(Process, SaysWhatItEchoes) {
  const Process process =
      Of({"sh", "-c", "echo dying now; sleep 2; echo reason > /dev/termination-log; exit 7"});
  ASSERT_EQ(process.lines.size(), 1u);
  EXPECT_EQ(process.lines[0].text, "dying now");
  EXPECT_EQ(process.termination_message, "reason\n");
  EXPECT_EQ(process.exit_code, 7);
  EXPECT_EQ(Of({"sh", "-c", "echo x >/dev/termination-log"}).termination_message, "x\n");
  EXPECT_EQ(Of({"sh", "-c", "echo prep > /data/x"}).lines.size(), 0u);
}

TEST(Process, SimCommandSetsEverything) {
  const Process process = Of({"sim", "stop=143", "stop-delay=1s", "say=hello", "message=why",
                              "unkillable", "start-error=no such file"});
  EXPECT_EQ(process.stop_delay, Seconds(1));
  EXPECT_EQ(process.lines.at(0).text, "hello");
  EXPECT_EQ(process.termination_message, "why");
  EXPECT_TRUE(process.unkillable);
  EXPECT_EQ(Message(process.start_error), "no such file");
}

}  // namespace
}  // namespace cubelet::fakes
