// The life of pods: crashes, sidecars, hooks, graceful ends. All pods of the suite run side by
// side from its start; each case waits for what it is about.
#include "base/strings.h"
#include "e2e/node_fixture.h"

namespace cubelet::e2e {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class LifeTest : public NodeTest {
 protected:
  static void SetUpTestSuite() {
    StartNode({.name = "life", .subnet = 2});
    if (!has_node()) return;
    AddPod("crash", StrCat("  containers:\n", ContainerYaml("main", "note start; exit 3")));
    AddPod("job", StrCat("  restartPolicy: OnFailure\n  containers:\n",
                         ContainerYaml("main",
                                       "note run; test -e /j/tried || { : > /j/tried; "
                                       "exit 1; }; echo done")));
    AddPod("sidecars", Sidecars());
    AddPod("hooks", Hooks());
    AddPod("slow-stop", StrCat("  terminationGracePeriodSeconds: 20\n  containers:\n",
                               ContainerYaml("main", Polite("main"),
                                             "    lifecycle: {preStop: {sleep: {seconds: 2}}}\n")));
    AddPod("polite", StrCat("  containers:\n", ContainerYaml("main", Polite("main", "1"))));
    AddPod("stubborn",
           StrCat("  terminationGracePeriodSeconds: 2\n  containers:\n",
                  ContainerYaml("main",
                                "trap 'note asked' TERM; note main-start; while true; do "
                                "sleep 1000 & wait $!; done")));
  }

  static std::string Sidecars() {
    const std::string always = "    restartPolicy: Always\n";
    return StrCat("  terminationGracePeriodSeconds: 20\n  initContainers:\n",
                  ContainerYaml("prepare", "note prepare"),
                  ContainerYaml("first", StrCat("sleep 1; ", Polite("first", "0.5")),
                                StrCat(always,
                                       "    startupProbe:\n      exec: {command: [grep, -q, "
                                       "first-start, /j/log]}\n      periodSeconds: 1\n")),
                  ContainerYaml("second", Polite("second", "0.5"), always), "  containers:\n",
                  ContainerYaml("main", Polite("main", "0.5")));
  }

  static std::string Hooks() {
    const auto hook = [](const char* script) {
      return JsonQuote(StrCat("echo \"", script, " $(cut -d ' ' -f 1 /proc/uptime)\" >> /j/log"));
    };
    return StrCat(
        "  containers:\n",
        ContainerYaml("main", Polite("main"),
                      StrCat("    lifecycle:\n      postStart:\n        exec: {command: "
                             "[sh, -c, ",
                             hook("post"), "]}\n      preStop:\n        exec: {command: [sh, -c, ",
                             hook("pre"), "]}\n")));
  }

  static std::vector<std::string> NotedAll(std::string_view pod) {
    std::vector<std::string> all;
    for (const JournalLine& line : Journal(pod)) all.push_back(line.what);
    return all;
  }

  // How long the pod's end took, from the removal of its manifest.
  static absl::Duration End(std::string_view pod) {
    const absl::Duration start = Uptime();
    RemovePod(pod);
    EXPECT_TRUE(BecomesGone(pod, absl::Seconds(40)));
    return Uptime() - start;
  }
};

TEST_F(LifeTest, SidecarsStartInOrderAndEndInReverse) {
  ASSERT_TRUE(BecomesReady("sidecars"));
  EXPECT_EQ(Row("sidecars")->restarts, 0);
  End("sidecars");
  EXPECT_THAT(NotedAll("sidecars"),
              ElementsAre("prepare", "first-start", "second-start", "main-start", "main-end",
                          "second-end", "first-end"));
}

TEST_F(LifeTest, HooksRunAfterTheStartAndBeforeTheEnd) {
  ASSERT_TRUE(BecomesReady("hooks"));
  // The hook and the container's own start run side by side.
  EXPECT_THAT(NotedAll("hooks"), testing::UnorderedElementsAre("main-start", "post"));
  End("hooks");
  const std::vector<std::string> all = NotedAll("hooks");
  ASSERT_THAT(all, SizeIs(4));
  EXPECT_EQ(all[2], "pre");
  EXPECT_EQ(all[3], "main-end");
}

TEST_F(LifeTest, ASleepHookDelaysTheEnd) {
  ASSERT_TRUE(BecomesReady("slow-stop"));
  const absl::Duration removed = Uptime();
  const absl::Duration took = End("slow-stop");
  ASSERT_THAT(Noted("slow-stop", "main-end"), SizeIs(1));
  EXPECT_GE(Noted("slow-stop", "main-end")[0] - removed, absl::Seconds(1.9));
  EXPECT_LE(took, AtMost(absl::Seconds(8)));
}

TEST_F(LifeTest, WhoEndsWhenAskedIsNotKilled) {
  ASSERT_TRUE(BecomesReady("polite"));
  const absl::Duration took = End("polite");
  EXPECT_THAT(NotedAll("polite"), ElementsAre("main-start", "main-end"));
  EXPECT_LE(took, AtMost(absl::Seconds(8)));
}

TEST_F(LifeTest, WhoDoesNotEndIsKilledAfterTheGracePeriod) {
  ASSERT_TRUE(BecomesReady("stubborn"));
  const absl::Duration took = End("stubborn");
  EXPECT_THAT(NotedAll("stubborn"), ElementsAre("main-start", "asked"));
  EXPECT_GE(took, absl::Seconds(2));
  EXPECT_LE(took, AtMost(absl::Seconds(10)));
}

TEST_F(LifeTest, WorkThatFailsOnceIsDoneAgainUntilItSucceeds) {
  EXPECT_TRUE(Eventually(absl::Seconds(30), [] {
    const auto row = Row("job");
    return row && row->phase == "Succeeded";
  }));
  EXPECT_THAT(NotedAll("job"), ElementsAre("run", "run"));
  EXPECT_EQ(Log("job", "main").find("stdout F done") == std::string::npos, false);
}

TEST_F(LifeTest, TheFirstRestartIsImmediateTheSecondAfterTenSeconds) {
  const auto starts = [] { return Noted("crash", "start"); };
  ASSERT_TRUE(Eventually(absl::Seconds(15), [&] { return starts().size() >= 2; }));
  EXPECT_TRUE(Eventually(absl::Seconds(5), [] {
    const auto row = Row("crash");
    return row && row->status == "CrashLoopBackOff";
  }));
  const auto row = Row("crash");
  if (row) {
    EXPECT_THAT(row->reason, HasSubstr("exit code 3"));
  }
  ASSERT_TRUE(Eventually(absl::Seconds(20), [&] { return starts().size() >= 3; }));
  EXPECT_LE(starts()[1] - starts()[0], AtMost(absl::Seconds(4)));
  EXPECT_GE(starts()[2] - starts()[1], absl::Seconds(9.5));
  EXPECT_LE(starts()[2] - starts()[1], AtMost(absl::Seconds(14)));
  EXPECT_TRUE(Eventually(absl::Seconds(5), [] {
    const auto now = Row("crash");
    return now && now->restarts == 2;
  }));
}

}  // namespace
}  // namespace cubelet::e2e
