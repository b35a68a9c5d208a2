#include "pleg/runtime_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "fakes/await.h"
#include "fakes/sim_runtime.h"
#include "pleg/runtime_records.h"

namespace cubelet::pleg {
namespace {

using absl::Seconds;
using fakes::Fault;
using testing::SizeIs;

class RuntimeCacheTest : public testing::Test {
 protected:
  RuntimeCacheTest() {
    StartRuntime();
    cache_.SetObserver([this](bool whole, absl::Duration) { listings_ += whole ? 1 : 0; });
  }
  ~RuntimeCacheTest() override { fakes::Await(*loop_, Close()); }

  async::Task<bool> Close() {
    co_await scope_.Close();
    co_return true;
  }

  // Another life of the runtime's machine: what it held is forgotten, and ids begin anew.
  void StartRuntime(fakes::SimOptions options = {}) {
    runtime_.emplace(*loop_, options);
    runtime_->image_store().Add("busybox");
  }

  template <typename T>
  T Do(async::Task<T> task) {
    return fakes::Await(*loop_, std::move(task));
  }
  void Pass(absl::Duration duration) { loop_->RunUntil(loop_->Now() + duration); }

  // Ids of a sandbox and of a running container in it.
  std::pair<std::string, std::string> RunPod(const std::string& uid) {
    criv1::PodSandboxConfig pod;
    pod.mutable_metadata()->set_name("pod");
    pod.mutable_metadata()->set_namespace_("ns");
    pod.mutable_metadata()->set_uid(uid);
    (*pod.mutable_labels())[kPodUidLabel] = uid;
    criv1::ContainerConfig config;
    config.mutable_metadata()->set_name("main");
    config.mutable_image()->set_image("busybox");
    config.add_command("sleep");
    config.add_command("1000000");
    (*config.mutable_labels())[kPodUidLabel] = uid;
    const auto sandbox = Do(runtime_->RunPodSandbox(pod, ""));
    EXPECT_TRUE(sandbox.ok()) << sandbox.status();
    const auto container = Do(runtime_->CreateContainer(sandbox.value_or(""), config, pod));
    EXPECT_TRUE(container.ok()) << container.status();
    EXPECT_TRUE(Do(runtime_->StartContainer(container.value_or(""))).ok());
    return {sandbox.value_or(""), container.value_or("")};
  }
  void Refresh(const std::string& uid) {
    const absl::Status status = Do(cache_.Refresh(uid));
    EXPECT_TRUE(status.ok()) << status;
  }
  // As the agent does: once before anything else, and then in the background.
  void Start() {
    const absl::Status status = Do(cache_.Relist());
    EXPECT_TRUE(status.ok()) << status;
    cache_.Start(scope_);
  }
  int ListingsIn(absl::Duration time) {
    listings_ = 0;
    Pass(time);
    return listings_;
  }

  std::unique_ptr<async::Loop> loop_ =
      async::Loop::Virtual(absl::UnixEpoch() + Seconds(1'600'000'000), 1);
  std::optional<fakes::SimRuntime> runtime_;
  async::TaskScope scope_{*loop_, "cache"};
  RuntimeCache cache_{*loop_, *runtime_, {}};
  int listings_ = 0;
};

// ---- Whose records they are

TEST_F(RuntimeCacheTest, IdsThatAreAnotherPodsNowAreNotThePods) {
  const auto ids = RunPod("a");
  Refresh("a");
  ASSERT_NE(cache_.Get("a"), nullptr);
  StartRuntime();
  ASSERT_EQ(RunPod("b"), ids);
  Refresh("a");
  EXPECT_EQ(cache_.Get("a"), nullptr);
  Refresh("b");
  ASSERT_NE(cache_.Get("b"), nullptr);
  EXPECT_THAT(cache_.Get("b")->containers, SizeIs(1));
}

TEST_F(RuntimeCacheTest, AnAnnouncedIdThatIsAnotherPodsIsNotThePods) {
  const auto [sandbox, container] = RunPod("b");
  cache_.ExpectSandbox("a", sandbox);
  cache_.ExpectContainer("a", container, sandbox);
  Refresh("a");
  EXPECT_EQ(cache_.Get("a"), nullptr);
}

TEST_F(RuntimeCacheTest, WhatAListLeavesOutIsAskedFor) {
  const auto ids = RunPod("a");
  Refresh("a");
  runtime_->faults().Script("ListPodSandbox", Fault::Empty());
  runtime_->faults().Script("ListContainers", Fault::Empty());
  Refresh("a");
  ASSERT_NE(cache_.Get("a"), nullptr);
  EXPECT_NE(cache_.Get("a")->FindById(ids.second), nullptr);
}

// ---- Events

TEST_F(RuntimeCacheTest, AnEventMakesThePodStaleAtOnce) {
  const auto ids = RunPod("a");
  Start();
  Pass(Seconds(10));
  ASSERT_TRUE(cache_.has_events());
  ASSERT_FALSE(cache_.IsStale("a"));
  runtime_->KillContainer(ids.second);
  Pass(absl::Milliseconds(1));
  EXPECT_TRUE(cache_.IsStale("a"));
}

// The lists have been answered when the container ends, and something else is still asked for.
TEST_F(RuntimeCacheTest, AChangeDuringARefreshIsNotLost) {
  const auto ids = RunPod("a");
  Start();
  Pass(Seconds(10));
  cache_.ExpectContainer("a", "never-made", ids.first);
  runtime_->faults().Script("ContainerStatus", Fault::Late(Seconds(2)));
  scope_.Spawn(
      "kill",
      [](async::Loop* loop, fakes::SimRuntime* runtime, std::string id) -> async::Task<void> {
        co_await loop->Sleep(Seconds(1));
        runtime->KillContainer(id);
      }(&*loop_, &*runtime_, ids.second));
  Refresh("a");
  ASSERT_EQ(cache_.Get("a")->FindById(ids.second)->state, ContainerState::kRunning);
  EXPECT_TRUE(cache_.IsStale("a"));
  Refresh("a");
  EXPECT_EQ(cache_.Get("a")->FindById(ids.second)->state, ContainerState::kExited);
  EXPECT_FALSE(cache_.IsStale("a"));
}

TEST_F(RuntimeCacheTest, AnEventOlderThanWhatIsKnownIsNoNews) {
  Start();
  Pass(Seconds(10));
  RunPod("a");
  Pass(Seconds(1));
  Refresh("a");
  EXPECT_FALSE(cache_.IsStale("a"));
  Pass(Seconds(1));
  EXPECT_FALSE(cache_.IsStale("a"));
}

// The sandbox is gone when its end is told, and the event has nothing but its id.
TEST_F(RuntimeCacheTest, ADeletionIsToldByTheIdAlone) {
  const auto ids = RunPod("a");
  Start();
  Pass(Seconds(10));
  ASSERT_TRUE(Do(runtime_->StopPodSandbox(ids.first)).ok());
  ASSERT_TRUE(Do(runtime_->RemoveContainer(ids.second)).ok());
  Pass(absl::Milliseconds(1));
  Refresh("a");
  ASSERT_FALSE(cache_.IsStale("a"));
  ASSERT_TRUE(Do(runtime_->RemovePodSandbox(ids.first)).ok());
  Pass(absl::Milliseconds(1));
  EXPECT_TRUE(cache_.IsStale("a"));
}

// ---- Listing

TEST_F(RuntimeCacheTest, AnOpenStreamIsReliedOnThoughNothingHappens) {
  RunPod("a");
  Start();
  EXPECT_FALSE(cache_.has_events());
  Pass(Seconds(10));
  EXPECT_TRUE(cache_.has_events());
  EXPECT_LE(ListingsIn(absl::Minutes(10)), 2);
}

TEST_F(RuntimeCacheTest, WithoutAStreamItListsEverySecond) {
  StartRuntime({.offers_events = false});
  Start();
  Pass(Seconds(10));
  EXPECT_FALSE(cache_.has_events());
  EXPECT_GE(ListingsIn(absl::Minutes(1)), 55);
}

TEST_F(RuntimeCacheTest, ARuntimeThatComesBackIsListedAndWatchedAgain) {
  const auto ids = RunPod("a");
  Start();
  Pass(Seconds(10));
  ASSERT_TRUE(cache_.has_events());
  runtime_->GoDown();
  Pass(absl::Milliseconds(1));
  EXPECT_FALSE(cache_.has_events());
  runtime_->KillContainer(ids.second);
  Pass(Seconds(2));
  runtime_->ComeBack();
  Pass(Seconds(2));
  EXPECT_TRUE(cache_.IsStale("a"));
  Pass(Seconds(20));
  EXPECT_TRUE(cache_.has_events());
  EXPECT_LE(ListingsIn(absl::Minutes(10)), 2);
}

TEST_F(RuntimeCacheTest, AFailedListingIsRepeatedSoonAlsoWithAStream) {
  Start();
  Pass(Seconds(10));
  ASSERT_TRUE(cache_.has_events());
  runtime_->faults().Script("ListPodSandbox", Fault::Before());
  Pass(absl::Minutes(5));
  ASSERT_TRUE(cache_.has_events());
  EXPECT_GT(cache_.last_relist(), loop_->Monotonic() - Seconds(12));
}

TEST_F(RuntimeCacheTest, AStreamThatLeavesOutAChangeIsNotReliedOnUntilItTellsSomething) {
  const auto ids = RunPod("a");
  Start();
  Pass(Seconds(10));
  ASSERT_TRUE(cache_.has_events());
  runtime_->faults().SetRates({.drop_event = 1});
  runtime_->KillContainer(ids.second);
  Pass(absl::Minutes(5) + Seconds(1));
  EXPECT_TRUE(cache_.IsStale("a"));
  EXPECT_FALSE(cache_.has_events());
  EXPECT_GE(ListingsIn(absl::Minutes(1)), 55);
  runtime_->faults().Quiet();
  RunPod("b");
  Pass(Seconds(2));
  EXPECT_TRUE(cache_.has_events());
}

}  // namespace
}  // namespace cubelet::pleg
