// Container logs: rotation that holds its limit, and a disk that is full.
#include <fcntl.h>
#include <sys/mount.h>

#include <csignal>

#include "base/fd.h"
#include "base/status.h"
#include "base/strings.h"
#include "e2e/node_fixture.h"
#include "os/files.h"
#include "os/tree.h"

namespace cubelet::e2e {
namespace {

using testing::HasSubstr;

constexpr int64_t kMiB = 1 << 20;

class LogsTest : public NodeTest {
 protected:
  static void SetUpTestSuite() {
    StartNode({.name = "logs",
               .subnet = 6,
               .configuration = "containerLogMaxSize: 1Mi\ncontainerLogMaxFiles: 3\n"});
  }

  static std::string Directory(std::string_view pod) {
    const auto row = Row(pod);
    return StrCat(node().pod_logs(), "/default_", FullName(pod), "_", row ? row->uid : "");
  }
};

TEST_F(LogsTest, AFastWriterIsHeldToItsLimit) {
  AddPod("writer",
         StrCat("  terminationGracePeriodSeconds: 1\n  containers:\n",
                ContainerYaml("main",
                              "until test -e /j/go; do sleep 0.1; done; note begin; "
                              "timeout 5 yes 'a line of what a busy program writes to its log'; "
                              "note end; while true; do echo alive; sleep 1; done")));
  ASSERT_TRUE(BecomesReady("writer"));
  const std::string directory = Directory("writer");
  ASSERT_TRUE(os::WriteFileAtomic(JournalDirectory("writer") + "/go", "", 0644).ok());
  ASSERT_TRUE(Eventually(absl::Seconds(10), [] { return !Noted("writer", "begin").empty(); }));
  int64_t most = 0;
  EXPECT_TRUE(Eventually(absl::Seconds(30), [&] {
    const auto usage = os::MeasureTree(directory);
    if (usage.ok()) most = std::max(most, usage->bytes);
    return !Noted("writer", "end").empty();
  }));
  RecordProperty("most_bytes", StrCat(most));
  // Three files of 1 MiB, and what is written until a full one is noticed.
  EXPECT_LE(most, 24 * kMiB);
  EXPECT_GE(most, kMiB);
  // The live log goes on where `kubectl logs` would read it.
  EXPECT_TRUE(Eventually(absl::Seconds(10), [&] {
    const auto log = os::ReadFile(directory + "/main/0.log", 64 << 20);
    return log.ok() && log->find("stdout F alive") != std::string::npos;
  }));
  const auto files = os::ListDirectory(directory + "/main");
  ASSERT_TRUE(files.ok());
  EXPECT_LE(files->size(), 3u);
  EXPECT_EQ(Row("writer")->restarts, 0);
  RemovePod("writer");
  EXPECT_TRUE(BecomesGone("writer"));
}

TEST_F(LogsTest, AKilledKubeletGoesOnRotating) {
  AddPod("busy", StrCat("  terminationGracePeriodSeconds: 1\n  containers:\n",
                        ContainerYaml("main",
                                      "note start; until test -e /j/stop; do yes 'a line of a busy "
                                      "program' | head -n 20000; sleep 0.05; done; "
                                      "while true; do echo alive; sleep 0.2; done")));
  ASSERT_TRUE(BecomesReady("busy"));
  const auto before = Running();
  const std::string directory = Directory("busy");
  for (int round = 0; round < 5; ++round) {
    Pause(absl::Milliseconds(300 + 70 * round));
    ASSERT_TRUE(node().EndKubelet(SIGKILL).ok());
    const absl::Status started = node().StartKubelet();
    ASSERT_TRUE(started.ok()) << started;
  }
  ASSERT_TRUE(BecomesReady("busy"));
  ASSERT_TRUE(os::WriteFileAtomic(JournalDirectory("busy") + "/stop", "", 0644).ok());
  // Wherever it was killed, the runtime writes to the file that is read.
  EXPECT_TRUE(Eventually(absl::Seconds(20), [&] {
    const auto log = os::ReadFile(directory + "/main/0.log", 64 << 20);
    return log.ok() && log->find("stdout F alive") != std::string::npos;
  }));
  const auto usage = os::MeasureTree(directory);
  ASSERT_TRUE(usage.ok()) << usage.status();
  EXPECT_LE(usage->bytes, 24 * kMiB);
  EXPECT_EQ(Running(), before);
  RemovePod("busy");
  EXPECT_TRUE(BecomesGone("busy"));
}

class FullDiskTest : public NodeTest {
 protected:
  static void SetUpTestSuite() {
    StartNode({.name = "full", .subnet = 7, .start_kubelet = false});
    if (!has_node()) return;
    ASSERT_EQ(::mount("tmpfs", node().pod_logs().c_str(), "tmpfs", 0, "size=4m"), 0);
    const absl::Status started = node().StartKubelet();
    ASSERT_TRUE(started.ok()) << started;
  }

  // Takes all that is free.
  static std::string Fill() {
    const std::string path = node().pod_logs() + "/filler";
    auto fd = os::Open(path, O_WRONLY | O_CREAT, 0644);
    EXPECT_TRUE(fd.ok());
    const std::string block(4096, 'x');
    while (fd.ok() && ::write(fd->get(), block.data(), block.size()) > 0) {
    }
    return path;
  }
};

TEST_F(FullDiskTest, IsSurvivedAndLeftBehind) {
  const std::string chatter = "note start; while true; do echo tick; sleep 0.2; done";
  AddPod("old", StrCat("  terminationGracePeriodSeconds: 1\n  containers:\n",
                       ContainerYaml("main", chatter)));
  ASSERT_TRUE(BecomesReady("old"));
  const auto before = Running();
  const std::string filler = Fill();
  AddPod("new", StrCat("  terminationGracePeriodSeconds: 1\n  containers:\n",
                       ContainerYaml("main", chatter)));
  // A listing or two of the runtime, and some tries at the new pod.
  Pause(absl::Seconds(4));
  EXPECT_TRUE(node().kubelet_runs());
  EXPECT_TRUE(node().Healthy());
  EXPECT_TRUE(Ready("old"));
  for (const auto& [id, what] : before) EXPECT_TRUE(Running().contains(id)) << what;

  ASSERT_TRUE(os::RemoveFile(filler).ok());
  EXPECT_TRUE(BecomesReady("new", absl::Seconds(60)));
  EXPECT_TRUE(Eventually(absl::Seconds(10),
                         [] { return Log("new", "main").find("tick") != std::string::npos; }));
  for (const auto& [id, what] : before) EXPECT_TRUE(Running().contains(id)) << what;
  EXPECT_EQ(Row("old")->restarts, 0);
}

TEST_F(FullDiskTest, AKubeletStartsOnAFullDisk) {
  const std::string filler = Fill();
  const auto before = Running();
  ASSERT_TRUE(node().EndKubelet(SIGKILL).ok());
  const absl::Status started = node().StartKubelet();
  EXPECT_TRUE(started.ok()) << started;
  ASSERT_TRUE(os::RemoveFile(filler).ok());
  EXPECT_TRUE(BecomesReady("old"));
  EXPECT_TRUE(BecomesReady("new"));
  EXPECT_EQ(Running(), before);
}

}  // namespace
}  // namespace cubelet::e2e
