// What happens behind the kubelet's back. With containerd 2 only its event stream can tell in time.
#include <csignal>

#include "absl/strings/numbers.h"
#include "base/strings.h"
#include "e2e/node_fixture.h"

namespace cubelet::e2e {
namespace {

using testing::SizeIs;

// Well below the five minutes between two listings where there are events.
constexpr absl::Duration kAtOnce = absl::Seconds(5);

class EventsTest : public NodeTest {
 protected:
  static void SetUpTestSuite() {
    StartNode({.name = "events", .subnet = 8});
    if (!has_node()) return;
    for (const char* pod : {"first", "second", "third"})
      AddPod(pod, StrCat("  containers:\n", ContainerYaml("main", Polite("main"))));
  }

  // Listings of everything that the kubelet has done, -1 when it does not tell.
  static int Listings() {
    const auto answer = node().Get("/metrics");
    if (!answer.ok()) return -1;
    constexpr absl::string_view kName = "\nkubelet_pleg_relist_duration_seconds_count ";
    const size_t at = answer->body.find(kName.data(), 0, kName.size());
    double count = -1;
    if (at != std::string::npos) {
      const size_t begin = at + kName.size();
      (void)absl::SimpleAtod(answer->body.substr(begin, answer->body.find('\n', begin) - begin),
                             &count);
    }
    return static_cast<int>(count);
  }

  // Whether the kubelet lists seldom, where the runtime has a stream of events.
  static testing::AssertionResult ReliesOnEvents() {
    const auto version = node().runtime().Version();
    if (!version.ok()) return testing::AssertionFailure() << version.status();
    if (version->starts_with("1.6") || version->starts_with("v1.6"))
      return testing::AssertionSuccess();
    const bool quiet = Eventually(absl::Seconds(30), [] {
      const int before = Listings();
      Pause(absl::Seconds(3));
      return before > 0 && Listings() == before;
    });
    if (quiet) return testing::AssertionSuccess();
    return testing::AssertionFailure()
           << "with containerd " << *version << " it lists every second";
  }

  static Container RunningContainer(std::string_view pod) {
    for (const Container& container : Containers(pod)) {
      if (container.running) return container;
    }
    return {};
  }

  static void ExpectRestartAtOnce(std::string_view pod) {
    ASSERT_TRUE(BecomesReady(pod));
    ASSERT_THAT(Noted(pod, "main-start"), SizeIs(1));
    const absl::Status killed = node().KillTask(RunningContainer(pod).id);
    ASSERT_TRUE(killed.ok()) << killed;
    EXPECT_TRUE(Eventually(kAtOnce, [&] { return Noted(pod, "main-start").size() == 2; }));
    EXPECT_TRUE(Eventually(kAtOnce, [&] { return Row(pod) && Row(pod)->restarts == 1; }));
    EXPECT_TRUE(BecomesReady(pod, kAtOnce));
  }
};

TEST_F(EventsTest, AContainerKilledFromOutsideIsRestartedAtOnce) {
  ASSERT_TRUE(BecomesReady("first"));
  ASSERT_TRUE(ReliesOnEvents());
  ExpectRestartAtOnce("first");
}

TEST_F(EventsTest, ASandboxKilledFromOutsideIsReplacedAtOnce) {
  ASSERT_TRUE(BecomesReady("third"));
  ASSERT_TRUE(ReliesOnEvents());
  const absl::Status killed = node().KillTask(RunningContainer("third").sandbox);
  ASSERT_TRUE(killed.ok()) << killed;
  EXPECT_TRUE(Eventually(2 * kAtOnce, [] { return Noted("third", "main-start").size() == 2; }));
  EXPECT_TRUE(BecomesReady("third", 2 * kAtOnce));
}

TEST_F(EventsTest, ARestartedRuntimeIsListenedToAgain) {
  ASSERT_TRUE(BecomesReady("second"));
  ASSERT_TRUE(node().EndRuntime(SIGKILL).ok());
  Pause(absl::Seconds(1));
  ASSERT_TRUE(node().StartRuntime().ok());
  ASSERT_TRUE(ReliesOnEvents());
  ExpectRestartAtOnce("second");
}

}  // namespace
}  // namespace cubelet::e2e
