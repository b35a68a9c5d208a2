#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "fakes/await.h"
#include "fakes/sim_runtime.h"

namespace cubelet::fakes {
namespace {

using absl::Seconds;
using absl::StatusCode;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const absl::Time kStart = absl::UnixEpoch() + absl::Hours(24 * 365 * 50);

criv1::PodSandboxConfig Pod(const std::string& uid, uint32_t attempt = 0) {
  criv1::PodSandboxConfig config;
  config.mutable_metadata()->set_uid(uid);
  config.mutable_metadata()->set_attempt(attempt);
  return config;
}

criv1::ContainerConfig Config(uint32_t attempt = 0) {
  criv1::ContainerConfig config;
  config.mutable_metadata()->set_name("main");
  config.mutable_metadata()->set_attempt(attempt);
  config.mutable_image()->set_image("busybox");
  return config;
}

class SimFaultsTest : public testing::Test {
 protected:
  SimFaultsTest() { runtime_.image_store().Add("busybox"); }

  template <typename T>
  T Do(async::Task<T> task) {
    return Await(*loop_, std::move(task));
  }
  void Pass(absl::Duration duration) { loop_->RunUntil(loop_->Now() + duration); }
  std::string Run(const std::string& sandbox, uint32_t attempt = 0) {
    const std::string id = *Do(runtime_.CreateContainer(sandbox, Config(attempt), {}));
    EXPECT_TRUE(Do(runtime_.StartContainer(id)).ok());
    return id;
  }

  std::unique_ptr<async::Loop> loop_ = async::Loop::Virtual(kStart, 1);
  SimRuntime runtime_{*loop_};
};

TEST_F(SimFaultsTest, FailureBeforeLeavesNothing) {
  runtime_.faults().Script("RunPodSandbox", Fault::Before());
  EXPECT_EQ(Do(runtime_.RunPodSandbox(Pod("u"), "")).status().code(), StatusCode::kUnavailable);
  EXPECT_THAT(runtime_.sandboxes(), IsEmpty());
  EXPECT_TRUE(Do(runtime_.RunPodSandbox(Pod("u"), "")).ok());
}

TEST_F(SimFaultsTest, FailureAfterLeavesTheEffect) {
  runtime_.faults().Script("RunPodSandbox", Fault::After());
  EXPECT_EQ(Do(runtime_.RunPodSandbox(Pod("u"), "")).status().code(),
            StatusCode::kDeadlineExceeded);
  EXPECT_THAT(runtime_.ReadySandboxes("u"), SizeIs(1));
  EXPECT_THAT(Message(Do(runtime_.RunPodSandbox(Pod("u"), "")).status()),
              HasSubstr("is reserved for"));
}

TEST_F(SimFaultsTest, ALateCallHappensAfterItsCallerHasLeft) {
  const std::string sandbox = *Do(runtime_.RunPodSandbox(Pod("u"), ""));
  runtime_.faults().Script("CreateContainer", Fault::Late(absl::Minutes(5)));
  const absl::Time asked = loop_->Now();
  EXPECT_EQ(Do(runtime_.CreateContainer(sandbox, Config(), {})).status().code(),
            StatusCode::kDeadlineExceeded);
  EXPECT_LT(loop_->Now() - asked, absl::Minutes(2) + Seconds(1));
  EXPECT_THAT(runtime_.containers(), IsEmpty());
  // The name is taken all the while, as it is with containerd.
  EXPECT_THAT(Message(Do(runtime_.CreateContainer(sandbox, Config(), {})).status()),
              HasSubstr("is reserved for"));
  Pass(absl::Minutes(4));
  EXPECT_THAT(runtime_.containers(), SizeIs(1));
}

TEST_F(SimFaultsTest, TwoCreationsOfOneNameAtATime) {
  const std::string sandbox = *Do(runtime_.RunPodSandbox(Pod("u"), ""));
  runtime_.faults().Script("CreateContainer", Fault::Late(Seconds(10)));
  std::optional<absl::StatusOr<std::string>> first;
  async::TaskScope scope(*loop_, "test");
  scope.Spawn("create", StoreInto(runtime_.CreateContainer(sandbox, Config(), {}), &first));
  Pass(Seconds(1));
  EXPECT_FALSE(Do(runtime_.CreateContainer(sandbox, Config(), {})).ok());
  // The agent's process ends in the middle: the name is free again.
  scope.CancelAll();
  Pass(Seconds(20));
  EXPECT_FALSE(first.has_value());
  EXPECT_THAT(runtime_.containers(), IsEmpty());
  EXPECT_TRUE(Do(runtime_.CreateContainer(sandbox, Config(), {})).ok());
}

TEST_F(SimFaultsTest, OutageEndsCallsAndStreamsButNotContainers) {
  const std::string sandbox = *Do(runtime_.RunPodSandbox(Pod("u"), ""));
  const std::string id = Run(sandbox);
  auto stream = *Do(runtime_.WatchEvents());
  std::optional<absl::Status> stop;
  async::TaskScope scope(*loop_, "test");
  scope.Spawn("stop", StoreInto(runtime_.StopContainer(id, Seconds(30)), &stop));
  Pass(Seconds(1));
  runtime_.GoDown();
  Pass(Seconds(1));
  ASSERT_TRUE(stop.has_value());
  EXPECT_EQ(stop->code(), StatusCode::kUnavailable);
  EXPECT_EQ(Do(stream->Next()).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(Do(runtime_.Version()).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(Do((*Do(runtime_.WatchEvents()))->Next()).status().code(), StatusCode::kUnavailable);
  EXPECT_THAT(runtime_.LiveContainers("u"), ElementsAre(id));
  runtime_.KillContainer(id, 1, "");
  runtime_.ComeBack();
  EXPECT_EQ(Do(runtime_.ContainerStatus(id))->status().exit_code(), 1);
}

TEST_F(SimFaultsTest, ACallUnderWayDoesNotSurviveAnOutage) {
  runtime_.faults().Script("RunPodSandbox", Fault::Late(Seconds(10)));
  std::optional<absl::StatusOr<std::string>> answer;
  async::TaskScope scope(*loop_, "test");
  scope.Spawn("run", StoreInto(runtime_.RunPodSandbox(Pod("u"), ""), &answer));
  Pass(Seconds(1));
  runtime_.GoDown();
  runtime_.ComeBack();
  Pass(Seconds(10));
  EXPECT_EQ(answer->status().code(), StatusCode::kUnavailable);
  EXPECT_THAT(runtime_.sandboxes(), IsEmpty());
}

TEST_F(SimFaultsTest, StaleAndEmptyLists) {
  runtime_.faults().Script("ListPodSandbox", Fault::Stale());
  const std::string sandbox = *Do(runtime_.RunPodSandbox(Pod("u"), ""));
  EXPECT_THAT(Do(runtime_.ListPodSandbox({}))->items(), IsEmpty());  // as before the change
  EXPECT_THAT(Do(runtime_.ListPodSandbox({}))->items(), SizeIs(1));
  runtime_.faults().Script("ListContainers", Fault::Stale());
  Run(sandbox);
  const auto stale = Do(runtime_.ListContainers({}));
  for (const criv1::Container& container : stale->containers())
    EXPECT_EQ(container.state(), criv1::CONTAINER_CREATED);  // or none yet
  EXPECT_EQ(Do(runtime_.ListContainers({}))->containers(0).state(), criv1::CONTAINER_RUNNING);
  runtime_.faults().Script("ListContainers", Fault::Empty());
  EXPECT_THAT(Do(runtime_.ListContainers({}))->containers(), IsEmpty());
  EXPECT_THAT(Do(runtime_.ListContainers({}))->containers(), SizeIs(1));
}

async::Task<void> Collect(cri::EventStream* stream, std::vector<std::string>* events) {
  while (true) {
    auto event = co_await stream->Next();
    if (!event.ok()) co_return;
    const std::string& sandbox = event->pod_sandbox_status().id();
    const char* what = event->container_id() == sandbox ? "sandbox" : "container";
    if (sandbox.empty()) what = "without a status";
    events->push_back(
        StrCat(criv1::ContainerEventType_Name(event->container_event_type()), " ", what));
  }
}

TEST_F(SimFaultsTest, EventsInOrderDroppedAndDoubled) {
  auto stream = *Do(runtime_.WatchEvents());
  std::vector<std::string> events;
  async::TaskScope scope(*loop_, "test");
  scope.Spawn("collect", Collect(stream.get(), &events));
  const std::string sandbox = *Do(runtime_.RunPodSandbox(Pod("u"), ""));
  const std::string id = Run(sandbox);
  EXPECT_TRUE(Do(runtime_.StopContainer(id, Seconds(1))).ok());
  EXPECT_TRUE(Do(runtime_.RemoveContainer(id)).ok());
  EXPECT_TRUE(Do(runtime_.StopPodSandbox(sandbox)).ok());
  EXPECT_TRUE(Do(runtime_.RemovePodSandbox(sandbox)).ok());
  EXPECT_THAT(
      events,
      ElementsAre("CONTAINER_CREATED_EVENT sandbox", "CONTAINER_STARTED_EVENT sandbox",
                  "CONTAINER_CREATED_EVENT container", "CONTAINER_STARTED_EVENT container",
                  "CONTAINER_STOPPED_EVENT container", "CONTAINER_DELETED_EVENT container",
                  "CONTAINER_STOPPED_EVENT sandbox", "CONTAINER_DELETED_EVENT without a status"));
  events.clear();
  runtime_.faults().SetRates({.drop_event = 1});
  const std::string second = *Do(runtime_.RunPodSandbox(Pod("v"), ""));
  EXPECT_THAT(events, IsEmpty());
  runtime_.faults().SetRates({.duplicate_event = 1});
  EXPECT_TRUE(Do(runtime_.StopPodSandbox(second)).ok());
  EXPECT_THAT(events, SizeIs(2));
  runtime_.GoDown();
  Pass(Seconds(1));
  EXPECT_EQ(scope.size(), 0u);
}

TEST_F(SimFaultsTest, KillsAndOutagesBesideCalls) {
  const std::string sandbox = *Do(runtime_.RunPodSandbox(Pod("u"), ""));
  const std::string id = Run(sandbox);
  runtime_.faults().SetRates({.kill_container = 1});
  EXPECT_TRUE(Do(runtime_.Version()).ok());
  EXPECT_EQ(runtime_.containers().at(id).reason, "OOMKilled");
  runtime_.faults().SetRates({.kill_sandbox = 1});
  EXPECT_TRUE(Do(runtime_.Version()).ok());
  EXPECT_THAT(runtime_.ReadySandboxes("u"), IsEmpty());
  runtime_.faults().SetRates({.lose_process = 1, .max_outage = Seconds(10)});
  EXPECT_EQ(Do(runtime_.Version()).status().code(), StatusCode::kUnavailable);
  runtime_.faults().Quiet();
  Pass(Seconds(10));
  EXPECT_TRUE(runtime_.up());
  EXPECT_TRUE(Do(runtime_.Version()).ok());
}

TEST_F(SimFaultsTest, RatesOfOneMethod) {
  runtime_.faults().SetRatesOf("Status", {.fail_before = 1});
  EXPECT_TRUE(Do(runtime_.Version()).ok());
  EXPECT_FALSE(Do(runtime_.Status(false)).ok());
  EXPECT_EQ(runtime_.faults().injected(), 1);
}

// What a run with these seeds looks like, in full.
std::string History(uint64_t seed) {
  auto loop = async::Loop::Virtual(kStart, 1);
  SimOptions options;
  options.seed = seed;
  SimRuntime runtime(*loop, options);
  runtime.image_store().Add("busybox");
  runtime.faults().SetRates({.delay = 0.3,
                             .fail_before = 0.2,
                             .fail_after = 0.2,
                             .kill_container = 0.1,
                             .kill_sandbox = 0.1});
  for (uint32_t i = 0; i < 50; ++i) {
    const auto sandbox = Await(*loop, runtime.RunPodSandbox(Pod("u", i), ""));
    if (!sandbox.ok()) continue;
    const auto id = Await(*loop, runtime.CreateContainer(*sandbox, Config(i), {}));
    if (id.ok()) (void)Await(*loop, runtime.StartContainer(*id));
  }
  return runtime.journal().Text(10'000);
}

TEST(SimFaults, EqualSeedsGiveEqualHistories) {
  const std::string first = History(7);
  EXPECT_EQ(first, History(7));
  EXPECT_NE(first, History(8));
}

TEST_F(SimFaultsTest, JournalFindsTwoInstances) {
  const std::string sandbox = *Do(runtime_.RunPodSandbox(Pod("u"), ""));
  Run(sandbox, 0);
  EXPECT_THAT(runtime_.journal().violations(), IsEmpty());
  Run(sandbox, 1);
  ASSERT_THAT(runtime_.journal().violations(), SizeIs(1));
  EXPECT_THAT(runtime_.journal().violations()[0],
              HasSubstr("2 running instances of a container: pod u, container main"));
  EXPECT_TRUE(Do(runtime_.RunPodSandbox(Pod("u", 1), "")).ok());
  EXPECT_THAT(runtime_.journal().violations()[1], HasSubstr("2 ready sandboxes of a pod: pod u"));
  EXPECT_EQ(runtime_.journal().Calls("CreateContainer"), 2u);
  EXPECT_EQ(runtime_.journal().Calls("CreateContainer", sandbox), 2u);
  EXPECT_EQ(runtime_.journal().Changes("container running", "u", "main"), 2u);
  EXPECT_THAT(runtime_.journal().Text(3), HasSubstr("sandbox ready pod=u"));
}

TEST(Journal, KeepsTheLastEntriesAndChecksAll) {
  Journal journal(2);
  for (const char* id : {"a", "b", "c"})
    journal.Add({kStart, JournalEntry::Kind::kChange, "container running", id, "u", "main", "",
                 StatusCode::kOk});
  EXPECT_THAT(journal.entries(), SizeIs(2));
  EXPECT_THAT(journal.violations(), SizeIs(2));
  Journal off(0);
  off.Add({});
  EXPECT_THAT(off.entries(), IsEmpty());
}

}  // namespace
}  // namespace cubelet::fakes
