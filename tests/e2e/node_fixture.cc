#include "e2e/node_fixture.h"

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "base/clock.h"
#include "base/status.h"
#include "base/strings.h"
#include "os/files.h"

namespace cubelet::e2e {
namespace {

std::optional<World> world;
std::string no_world;

// Why there can be no containers here, "" if there can.
std::string WhyNoNode() {
  if (!world) return no_world;
  const char* const other = std::getenv("CUBELET_TEST_CONTAINERD");
  const char* const containerd = other != nullptr ? other : "/usr/bin/containerd";
  for (const char* program : {containerd, "/usr/sbin/runc", "/usr/lib/cni/bridge"}) {
    if (::access(program, X_OK) != 0) return StrCat(program, " is not there");
  }
  return "";
}

}  // namespace

void SetWorld(const World& the_world) { world = the_world; }
void SetNoWorld(const std::string& why) { no_world = why; }

std::unique_ptr<Node> NodeTest::node_;
std::string NodeTest::failure_;

void NodeTest::StartNode(Settings settings) {
  failure_.clear();
  if (!WhyNoNode().empty()) return;
  NodeOptions options;
  options.world = *world;
  options.name = settings.name;
  options.subnet = settings.subnet;
  options.configuration = settings.configuration;
  options.kubelet = CUBELET_KUBELET;
  auto node = Node::Create(std::move(options));
  absl::Status status = node.status();
  if (status.ok()) {
    node_ = *std::move(node);
    status = node_->StartRuntime();
  }
  if (status.ok() && settings.start_kubelet) status = node_->StartKubelet();
  if (!status.ok()) failure_ = std::string(Message(status));
}

void NodeTest::TearDownTestSuite() {
  if (node_ == nullptr) return;
  if (node_->kubelet_runs()) (void)node_->EndKubelet(SIGTERM);
  (void)node_->EndRuntime(SIGTERM);
  node_.reset();
}

void NodeTest::SetUp() {
  if (const std::string why = WhyNoNode(); !why.empty()) GTEST_SKIP() << why;
  ASSERT_EQ(failure_, "");
}

void NodeTest::TearDown() {
  if (!HasFailure() || node_ == nullptr) return;
  std::string log = node_->KubeletLog();
  constexpr size_t kTail = 6000;
  if (log.size() > kTail) log.erase(0, log.size() - kTail);
  GTEST_LOG_(INFO) << "the kubelet's log ends with:\n" << log;
}

std::string NodeTest::JournalDirectory(std::string_view pod) {
  const std::string directory = StrCat(node().directory(), "/journals/", pod);
  EXPECT_TRUE(os::MakeDirectories(directory, 0777).ok());
  EXPECT_TRUE(os::ChangeMode(directory, 0777).ok());
  return directory;
}

std::vector<JournalLine> NodeTest::Journal(std::string_view pod) {
  return ReadJournal(JournalDirectory(pod));
}

std::vector<absl::Duration> NodeTest::Noted(std::string_view pod, std::string_view what) {
  std::vector<absl::Duration> times;
  for (const JournalLine& line : Journal(pod)) {
    if (line.what == what) times.push_back(line.at);
  }
  return times;
}

void NodeTest::AddPod(const std::string& pod, std::string_view spec) {
  const absl::Status written =
      node().WriteManifest(pod, PodManifest(pod, JournalDirectory(pod), spec));
  ASSERT_TRUE(written.ok()) << written;
}

void NodeTest::RemovePod(std::string_view pod) {
  const absl::Status removed = node().RemoveManifest(pod);
  ASSERT_TRUE(removed.ok()) << removed;
}

std::optional<server::PodRow> NodeTest::Row(std::string_view pod) {
  const auto report = node().Status();
  if (!report.ok()) return std::nullopt;
  for (const server::PodRow& row : report->pods) {
    if (row.name == FullName(pod)) return row;
  }
  return std::nullopt;
}

bool NodeTest::Ready(std::string_view pod) {
  const auto row = Row(pod);
  return row && row->ready;
}

std::vector<Container> NodeTest::Containers(std::string_view pod) {
  std::vector<Container> of_pod;
  const auto containers = node().runtime().Containers();
  if (!containers.ok()) return of_pod;
  for (const Container& container : *containers) {
    if (container.pod == FullName(pod)) of_pod.push_back(container);
  }
  return of_pod;
}

std::map<std::string, std::string> NodeTest::Running() {
  std::map<std::string, std::string> running;
  const auto containers = node().runtime().Containers();
  EXPECT_TRUE(containers.ok()) << containers.status();
  if (!containers.ok()) return running;
  for (const Container& container : *containers) {
    if (container.running)
      running[container.id] = StrCat(container.pod, "/", container.name, "/", container.attempt);
  }
  return running;
}

bool NodeTest::Gone(std::string_view pod) {
  const auto containers = node().runtime().Containers();
  if (!containers.ok()) return false;
  for (const Container& container : *containers) {
    if (container.pod == FullName(pod)) return false;
  }
  return true;
}

std::string NodeTest::Log(std::string_view pod, std::string_view container) {
  for (const Container& candidate : Containers(pod)) {
    if (candidate.name != container) continue;
    const auto status = node().runtime().ContainerStatus(candidate.id);
    if (!status.ok()) continue;
    const auto text = os::ReadFile(status->log_path(), 64 << 20);
    if (text.ok()) return *text;
  }
  return "";
}

testing::AssertionResult NodeTest::BecomesReady(std::string_view pod, absl::Duration limit) {
  if (Eventually(limit, [&] { return Ready(pod); })) return testing::AssertionSuccess();
  const auto row = Row(pod);
  return testing::AssertionFailure()
         << "pod " << pod << " is not Ready after " << FormatGoDuration(limit) << ": "
         << (row ? StrCat(row->status, ": ", row->reason) : "the kubelet does not list it");
}

testing::AssertionResult NodeTest::BecomesGone(std::string_view pod, absl::Duration limit) {
  if (Eventually(limit, [&] { return Gone(pod) && !Row(pod); })) return testing::AssertionSuccess();
  return testing::AssertionFailure()
         << "pod " << pod << " is not gone after " << FormatGoDuration(limit);
}

}  // namespace cubelet::e2e
