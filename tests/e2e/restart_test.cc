// The kubelet or the runtime ends at any moment and comes back: what ran runs on.
#include <csignal>

#include "base/strings.h"
#include "e2e/node_fixture.h"
#include "os/files.h"

namespace cubelet::e2e {
namespace {

using testing::SizeIs;

class RestartTest : public NodeTest {
 protected:
  static void SetUpTestSuite() {
    StartNode({.name = "restart", .subnet = 5});
    if (!has_node()) return;
    AddPod("plain", StrCat("  containers:\n", ContainerYaml("main", Polite("main"))));
    AddPod("sidecar", StrCat("  initContainers:\n", ContainerYaml("prepare", "note prepare"),
                             ContainerYaml("side", Polite("side"), "    restartPolicy: Always\n"),
                             "  containers:\n", ContainerYaml("main", Polite("main"))));
    AddPod(
        "probed",
        StrCat("  containers:\n",
               ContainerYaml("main", "note main-start; exec httpd -f -p 8080 -h /j",
                             "    startupProbe:\n      tcpSocket: {port: 8080}\n      "
                             "periodSeconds: 1\n    readinessProbe:\n      httpGet: {path: /log, "
                             "port: 8080}\n      periodSeconds: 1\n    livenessProbe:\n      "
                             "exec: {command: [\"true\"]}\n      periodSeconds: 1\n")));
    AddPod("hooked",
           StrCat("  containers:\n",
                  ContainerYaml("main", Polite("main"),
                                "    lifecycle: {postStart: {exec: {command: [\"true\"]}}}\n")));
    AddPod("done",
           StrCat("  restartPolicy: Never\n  containers:\n", ContainerYaml("main", "note done")));
  }

  static constexpr const char* kSteady[] = {"plain", "sidecar", "probed", "hooked"};

  void SetUp() override {
    NodeTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    if (!node().kubelet_runs()) Start();
    for (const char* pod : kSteady) ASSERT_TRUE(BecomesReady(pod));
  }

  static void Kill() {
    const auto code = node().EndKubelet(SIGKILL);
    ASSERT_TRUE(code.ok()) << code.status();
    ASSERT_EQ(*code, 128 + SIGKILL);
  }
  static void Start() {
    const absl::Status started = node().StartKubelet();
    ASSERT_TRUE(started.ok()) << started;
  }

  static void AddVolumesPod(const std::string& pod, std::string_view script) {
    const std::string yaml = PodManifest(
        pod, JournalDirectory(pod),
        StrCat("  terminationGracePeriodSeconds: 2\n  containers:\n",
               ContainerYaml("main", script,
                             "    volumeMounts: [{name: j, mountPath: /j}, {name: disk, mountPath: "
                             "/disk}, {name: memory, mountPath: /memory}, {name: info, mountPath: "
                             "/info}]\n")));
    const absl::Status written = node().WriteManifest(
        pod, StrCat(yaml,
                    "  - {name: disk, emptyDir: {}}\n  - {name: memory, emptyDir: {medium: "
                    "Memory}}\n  - name: info\n    downwardAPI: {items: [{path: name, fieldRef: "
                    "{fieldPath: metadata.name}}]}\n"));
    ASSERT_TRUE(written.ok()) << written;
  }

  // That everything of `before` still runs, and was restarted by nobody.
  static void ExpectStillRunning(const std::map<std::string, std::string>& before) {
    const auto now = Running();
    for (const auto& [id, what] : before) EXPECT_TRUE(now.contains(id)) << what << " does not run";
  }
};

TEST_F(RestartTest, AKilledKubeletFindsEverythingAsItWas) {
  const auto before = Running();
  Kill();
  EXPECT_EQ(Running(), before);
  Start();
  // From the first time that the kubelet tells of them all are as they were.
  for (const char* pod : kSteady) {
    std::optional<server::PodRow> row;
    ASSERT_TRUE(Eventually(absl::Seconds(20), [&] {
      row = Row(pod);
      return row && row->phase != "Pending";
    })) << pod;
    // Without an API server nobody remembers what a probe has said.
    if (std::string_view(pod) != "probed") {
      EXPECT_TRUE(row->ready) << pod << ": " << row->reason;
    }
    EXPECT_TRUE(BecomesReady(pod, absl::Seconds(5)));
    EXPECT_EQ(row->restarts, 0) << pod;
  }
  // As long as a probe or two.
  Pause(absl::Seconds(2));
  EXPECT_EQ(Running(), before);
  EXPECT_THAT(Noted("done", "done"), SizeIs(1));
  EXPECT_THAT(Noted("sidecar", "prepare"), SizeIs(1));
}

TEST_F(RestartTest, ManifestsThatComeAndGoMeanwhile) {
  AddPod("leaves", StrCat("  containers:\n", ContainerYaml("main", Polite("main"))));
  ASSERT_TRUE(BecomesReady("leaves"));
  const std::string uid = Row("leaves")->uid;
  auto before = Running();
  Kill();
  RemovePod("leaves");
  AddPod("comes", StrCat("  containers:\n", ContainerYaml("main", Polite("main"))));
  Start();
  EXPECT_TRUE(BecomesReady("comes"));
  EXPECT_TRUE(BecomesGone("leaves"));
  EXPECT_THAT(Noted("leaves", "main-end"), SizeIs(1)) << "it was not asked to end";
  EXPECT_TRUE(Eventually(absl::Seconds(20),
                         [&] { return !os::Stat(StrCat(node().root(), "/pods/", uid)).ok(); }));
  std::erase_if(before, [](const auto& c) { return c.second.starts_with("leaves-"); });
  ExpectStillRunning(before);
  RemovePod("comes");
  EXPECT_TRUE(BecomesGone("comes"));
}

// A pod with all that a start consists of, killed into at moments across all of it.
TEST_F(RestartTest, KilledAtAnyMomentOfAStart) {
  constexpr int kRounds = 8;
  for (int round = 0; round < kRounds; ++round) {
    const std::string pod = StrCat("start-", round);
    AddPod(pod,
           StrCat("  terminationGracePeriodSeconds: 2\n  initContainers:\n",
                  ContainerYaml("prepare", "note prepare"),
                  ContainerYaml("side", Polite("side"), "    restartPolicy: Always\n"),
                  "  containers:\n",
                  ContainerYaml("main", Polite("main"),
                                "    readinessProbe:\n      exec: {command: [\"true\"]}\n      "
                                "periodSeconds: 1\n    lifecycle: {postStart: {exec: {command: "
                                "[sh, -c, 'sleep 0.2']}}}\n")));
    Pause(absl::Milliseconds(30 + 160 * round));
    Kill();
    const auto before = Running();
    Start();
    ASSERT_TRUE(BecomesReady(pod)) << "killed in round " << round;
    auto expected = before;
    // What has a work to do and does it may have ended meanwhile.
    std::erase_if(expected,
                  [](const auto& c) { return c.second.find("/prepare/") != c.second.npos; });
    ExpectStillRunning(expected);
    std::map<std::string, int> instances;
    for (const Container& container : Containers(pod)) {
      if (container.running) ++instances[container.name];
    }
    EXPECT_EQ(instances["side"], 1) << "killed in round " << round;
    EXPECT_EQ(instances["main"], 1) << "killed in round " << round;
  }
  for (int round = 0; round < kRounds; ++round) RemovePod(StrCat("start-", round));
  for (int round = 0; round < kRounds; ++round) EXPECT_TRUE(BecomesGone(StrCat("start-", round)));
}

TEST_F(RestartTest, KilledWhileAPodEnds) {
  AddPod("ends", StrCat("  terminationGracePeriodSeconds: 20\n  containers:\n",
                        ContainerYaml("main", Polite("main", "3"))));
  ASSERT_TRUE(BecomesReady("ends"));
  auto before = Running();
  RemovePod("ends");
  Pause(absl::Seconds(1));
  Kill();
  Start();
  EXPECT_TRUE(BecomesGone("ends", absl::Seconds(40)));
  // It was given the time it had.
  EXPECT_THAT(Noted("ends", "main-end"), SizeIs(1));
  std::erase_if(before, [](const auto& c) { return c.second.starts_with("ends-"); });
  ExpectStillRunning(before);
}

TEST_F(RestartTest, KilledWhileALivenessProbeRestarts) {
  AddPod("unwell",
         StrCat("  terminationGracePeriodSeconds: 20\n  containers:\n",
                ContainerYaml("main",
                              "note start; : > /j/alive; trap 'note asked; sleep 3; exit 0' TERM; "
                              "while true; do sleep 1000 & wait $!; done",
                              "    livenessProbe:\n      exec: {command: [test, -e, /j/alive]}\n   "
                              "   periodSeconds: 1\n      failureThreshold: 1\n")));
  ASSERT_TRUE(BecomesReady("unwell"));
  auto before = Running();
  ASSERT_TRUE(os::RemoveFile(JournalDirectory("unwell") + "/alive").ok());
  ASSERT_TRUE(Eventually(absl::Seconds(20), [] { return !Noted("unwell", "asked").empty(); }));
  Kill();
  Start();
  ASSERT_TRUE(Eventually(absl::Seconds(40), [] { return Noted("unwell", "start").size() >= 2; }));
  EXPECT_TRUE(BecomesReady("unwell"));
  // As long as two probes.
  Pause(absl::Seconds(3));
  EXPECT_THAT(Noted("unwell", "start"), SizeIs(2));
  EXPECT_EQ(Row("unwell")->restarts, 1);
  std::erase_if(before, [](const auto& c) { return c.second.starts_with("unwell-"); });
  ExpectStillRunning(before);
  RemovePod("unwell");
  EXPECT_TRUE(BecomesGone("unwell"));
}

// A hook of three seconds.
std::string PreStop() {
  return StrCat("    lifecycle: {preStop: {exec: {command: [sh, -c, ",
                JsonQuote("echo \"pre-begin $(cut -d ' ' -f 1 /proc/uptime)\" >> /j/log; sleep 3; "
                          "echo \"pre-end $(cut -d ' ' -f 1 /proc/uptime)\" >> /j/log"),
                "]}}}\n");
}

// The manifest is gone, and with it the hook: the pod ends as one that only the runtime knows.
TEST_F(RestartTest, KilledDuringThePreStopHookOfARemovedPod) {
  AddPod("hook", StrCat("  terminationGracePeriodSeconds: 20\n  containers:\n",
                        ContainerYaml("main", Polite("main"), PreStop())));
  ASSERT_TRUE(BecomesReady("hook"));
  auto before = Running();
  RemovePod("hook");
  ASSERT_TRUE(Eventually(absl::Seconds(20), [] { return !Noted("hook", "pre-begin").empty(); }));
  EXPECT_THAT(Noted("hook", "main-end"), SizeIs(0)) << "it was asked to end during its hook";
  Kill();
  Start();
  EXPECT_TRUE(BecomesGone("hook", absl::Seconds(40)));
  EXPECT_THAT(Noted("hook", "main-end"), SizeIs(1));
  std::erase_if(before, [](const auto& c) { return c.second.starts_with("hook-"); });
  ExpectStillRunning(before);
}

// The hook is run again, to its end, before the container is asked to end; once.
TEST_F(RestartTest, KilledDuringThePreStopHookOfARestart) {
  AddPod("hooked-unwell",
         StrCat("  terminationGracePeriodSeconds: 20\n  containers:\n",
                ContainerYaml("main", StrCat(": > /j/alive; ", Polite("main")),
                              StrCat(PreStop(),
                                     "    livenessProbe:\n      exec: {command: [test, -e, "
                                     "/j/alive]}\n      periodSeconds: 1\n      "
                                     "failureThreshold: 1\n"))));
  ASSERT_TRUE(BecomesReady("hooked-unwell"));
  auto before = Running();
  ASSERT_TRUE(os::RemoveFile(JournalDirectory("hooked-unwell") + "/alive").ok());
  ASSERT_TRUE(
      Eventually(absl::Seconds(20), [] { return !Noted("hooked-unwell", "pre-begin").empty(); }));
  Kill();
  Start();
  ASSERT_TRUE(Eventually(absl::Seconds(40),
                         [] { return Noted("hooked-unwell", "main-start").size() >= 2; }));
  EXPECT_TRUE(BecomesReady("hooked-unwell"));
  ASSERT_THAT(Noted("hooked-unwell", "main-end"), SizeIs(1));
  ASSERT_FALSE(Noted("hooked-unwell", "pre-end").empty());
  EXPECT_LE(Noted("hooked-unwell", "pre-end").back(), Noted("hooked-unwell", "main-end").front());
  EXPECT_EQ(Row("hooked-unwell")->restarts, 1);
  std::erase_if(before, [](const auto& c) { return c.second.starts_with("hooked-unwell-"); });
  ExpectStillRunning(before);
  RemovePod("hooked-unwell");
  EXPECT_TRUE(BecomesGone("hooked-unwell"));
}

// Some milliseconds after the pod's directory has come, while its volumes are made.
TEST_F(RestartTest, KilledWhileVolumesAreSetUp) {
  const std::string script = StrCat(
      "test -e /info/name && grep -q ' /memory tmpfs' /proc/mounts && touch /disk/x && "
      "note complete; ",
      Polite("main"));
  constexpr int kAfter[] = {0, 1, 2, 4, 8, 16, 32};
  const auto pods = [] {
    const auto names = os::ListDirectory(node().root() + "/pods");
    return names.ok() ? names->size() : 0;
  };
  for (const int after : kAfter) {
    const std::string pod = StrCat("volumes-", after);
    const size_t pods_before = pods();
    AddVolumesPod(pod, script);
    const absl::Duration limit = Uptime() + absl::Seconds(10);
    while (pods() == pods_before && Uptime() < limit) Pause(absl::Microseconds(300));
    Pause(absl::Milliseconds(after));
    Kill();
    const auto before = Running();
    Start();
    ASSERT_TRUE(BecomesReady(pod)) << "killed after " << after << " ms";
    EXPECT_TRUE(Eventually(absl::Seconds(10), [&] { return Noted(pod, "complete").size() == 1; }))
        << Noted(pod, "complete").size() << " complete starts, killed after " << after << " ms";
    EXPECT_THAT(Containers(pod), SizeIs(1));
    ExpectStillRunning(before);
  }
  for (const int after : kAfter) {
    const std::string pod = StrCat("volumes-", after);
    const std::string directory = StrCat(node().root(), "/pods/", Row(pod)->uid);
    RemovePod(pod);
    EXPECT_TRUE(BecomesGone(pod));
    EXPECT_TRUE(Eventually(absl::Seconds(20), [&] { return !os::Stat(directory).ok(); }))
        << directory << " is left";
  }
}

TEST_F(RestartTest, KilledWhileAPodCrashes) {
  AddPod("crashes",
         StrCat("  containers:\n", ContainerYaml("main", "note start; sleep 1; exit 1")));
  ASSERT_TRUE(Eventually(absl::Seconds(20), [] { return Noted("crashes", "start").size() >= 2; }));
  const auto before = Running();
  Kill();
  Pause(absl::Seconds(1));
  Start();
  ASSERT_TRUE(Eventually(absl::Seconds(20), [] { return Noted("crashes", "start").size() >= 3; }));
  const auto row = Row("crashes");
  ASSERT_TRUE(row.has_value());
  EXPECT_GE(row->restarts, 1) << "the count of restarts began anew";
  auto others = before;
  std::erase_if(others, [](const auto& c) { return c.second.starts_with("crashes-"); });
  ExpectStillRunning(others);
  RemovePod("crashes");
  EXPECT_TRUE(BecomesGone("crashes"));
}

class RuntimeRestart : public RestartTest, public testing::WithParamInterface<int> {};

TEST_P(RuntimeRestart, PodsRunOnAndNewOnesStart) {
  const auto before = Running();
  ASSERT_TRUE(node().EndRuntime(GetParam()).ok());
  Pause(absl::Seconds(2));
  EXPECT_TRUE(node().kubelet_runs());
  const std::string fresh = StrCat("fresh-", GetParam());
  AddPod(fresh, StrCat("  containers:\n", ContainerYaml("main", Polite("main"))));
  ASSERT_TRUE(node().StartRuntime().ok());
  EXPECT_TRUE(BecomesReady(fresh));
  for (const char* pod : kSteady) {
    EXPECT_TRUE(BecomesReady(pod));
    EXPECT_EQ(Row(pod)->restarts, 0) << pod;
  }
  ExpectStillRunning(before);
  EXPECT_TRUE(Eventually(absl::Seconds(10), [] {
    const auto report = node().Status();
    return report.ok() && report->problems.empty();
  }));
  RemovePod(fresh);
  EXPECT_TRUE(BecomesGone(fresh));
}

INSTANTIATE_TEST_SUITE_P(Signals, RuntimeRestart, testing::Values(SIGTERM, SIGKILL),
                         [](const auto& info) {
                           return info.param == SIGTERM ? "Terminated" : "Killed";
                         });

}  // namespace
}  // namespace cubelet::e2e
