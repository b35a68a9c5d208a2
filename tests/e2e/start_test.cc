// The node from nothing, with the examples that the documentation shows.
#include <csignal>

#include "base/strings.h"
#include "e2e/node_fixture.h"
#include "os/files.h"
#include "os/process.h"

namespace cubelet::e2e {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kExamples[] = {"web", "notes", "host"};

class StartTest : public NodeTest {
 protected:
  static void SetUpTestSuite() {
    StartNode({.name = "start", .subnet = 1});
    if (!has_node()) return;
    for (const char* name : kExamples) {
      const auto text =
          os::ReadFile(StrCat(CUBELET_SOURCE_DIR "/examples/manifests/", name, ".yaml"));
      ASSERT_TRUE(text.ok()) << text.status();
      ASSERT_TRUE(node().WriteManifest(name, *text).ok());
    }
  }
};

TEST_F(StartTest, ExamplesBecomeReady) {
  for (const char* name : kExamples) EXPECT_TRUE(BecomesReady(name));
  const auto report = node().Status();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->node, kNodeName);
  EXPECT_THAT(report->runtime, HasSubstr("containerd"));
  EXPECT_THAT(report->pods, SizeIs(3));
  EXPECT_THAT(report->problems, IsEmpty());
}

TEST_F(StartTest, ThePageOfTheExampleIsServed) {
  ASSERT_TRUE(BecomesReady("web"));
  const auto page = HttpGet(Row("web")->ip, 8080, "/");
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->status, 200);
  EXPECT_EQ(page->body, "Hello from web-e2e\n");
}

TEST_F(StartTest, TheReadOnlyPortListsThePods) {
  ASSERT_TRUE(BecomesReady("web"));
  const auto pods = node().Get("/pods");
  ASSERT_TRUE(pods.ok()) << pods.status();
  EXPECT_EQ(pods->status, 200);
  EXPECT_THAT(pods->body, HasSubstr("\"name\":\"web-e2e\""));
}

TEST_F(StartTest, TheCommandShowsThePods) {
  ASSERT_TRUE(BecomesReady("web"));
  os::ProcessRequest request;
  request.arguments = {CUBELET_KUBELET, "status",
                       StrCat("--status-socket=", node().directory(), "/run/status.sock")};
  request.timeout = absl::Seconds(10);
  const auto result = os::RunProcess(request);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->exit_code, 0);
  EXPECT_THAT(result->output, HasSubstr("web-e2e"));
  EXPECT_EQ(result->error_output, "");
}

TEST_F(StartTest, ABrokenManifestIsReportedAndHarmless) {
  for (const char* name : kExamples) ASSERT_TRUE(BecomesReady(name));
  const auto before = Running();
  ASSERT_TRUE(
      node().WriteManifest("broken", "apiVersion: v1\nkind: Pod\nspec: {containers: 7").ok());
  const auto problems = [] {
    const auto report = node().Status();
    return report.ok() ? report->problems : std::vector<std::string>();
  };
  EXPECT_TRUE(Eventually(absl::Seconds(10), [&] { return !problems().empty(); }));
  EXPECT_THAT(problems(), Contains(HasSubstr("broken.yaml")));
  ASSERT_TRUE(node().RemoveManifest("broken").ok());
  EXPECT_TRUE(Eventually(absl::Seconds(10), [&] { return problems().empty(); }));
  EXPECT_EQ(Running(), before);
}

TEST_F(StartTest, AChangedManifestReplacesThePod) {
  const std::string spec = "  containers:\n";
  AddPod("change", StrCat(spec, ContainerYaml("main", Polite("one"))));
  ASSERT_TRUE(BecomesReady("change"));
  const std::string first = Containers("change").back().id;
  const auto others = [&] {
    auto running = Running();
    std::erase_if(running, [](const auto& c) { return c.second.starts_with("change-"); });
    return running;
  };
  const auto before = others();
  AddPod("change", StrCat(spec, ContainerYaml("main", Polite("two"))));
  EXPECT_TRUE(Eventually(absl::Seconds(30), [] { return !Noted("change", "two-start").empty(); }));
  ASSERT_TRUE(BecomesReady("change"));
  // The old one was asked to end, and had ended before the new one began.
  ASSERT_THAT(Noted("change", "one-end"), SizeIs(1));
  EXPECT_LE(Noted("change", "one-end")[0], Noted("change", "two-start")[0]);
  EXPECT_TRUE(Eventually(absl::Seconds(20), [&] {
    const auto containers = Containers("change");
    return containers.size() == 1 && containers[0].id != first;
  }));
  EXPECT_EQ(others(), before);
}

TEST_F(StartTest, SigtermLeavesContainersRunning) {
  for (const char* name : kExamples) ASSERT_TRUE(BecomesReady(name));
  const auto before = Running();
  const auto code = node().EndKubelet(SIGTERM);
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_EQ(*code, 0);
  EXPECT_EQ(Running(), before);
  const absl::Status started = node().StartKubelet();
  ASSERT_TRUE(started.ok()) << started;
  for (const char* name : kExamples) EXPECT_TRUE(BecomesReady(name));
  EXPECT_EQ(Running(), before);
}

}  // namespace
}  // namespace cubelet::e2e
