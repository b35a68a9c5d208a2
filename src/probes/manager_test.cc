#include "probes/manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/pod.h"
#include "base/check.h"
#include "base/metrics.h"
#include "base/strings.h"
#include "probes/fake_runtime.h"

namespace cubelet::probes {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);

class FakeRecorder final : public api::EventRecorder {
 public:
  void Record(const api::ObjectReference& object, api::EventType type, std::string reason,
              std::string message) override {
    events.push_back(StrCat(object.field_path, " ",
                            type == api::EventType::kWarning ? "Warning" : "Normal", " ", reason,
                            " ", message));
  }
  std::vector<std::string> events;
};

// Containers have exec probes whose command is the name of the kind, so that what was run when can
// be told from the runtime's record.
class ManagerTest : public testing::Test {
 protected:
  ManagerTest() {
    SetBugsAreFatal(true);
    pod_.mutable_metadata()->set_name("web");
    pod_.mutable_metadata()->set_namespace_("default");
    pod_.mutable_metadata()->set_uid("u");
  }
  ~ManagerTest() override {
    async::TaskScope closer(*loop_, "closer");
    closer.Spawn("close", scope_.Close());
    while (scope_.size() > 0 || closer.size() > 0) RunFor(absl::Seconds(1));
  }

  // An agent that started `before` ago.
  void Make(absl::Duration before = absl::Hours(1)) {
    manager_ = std::make_unique<Manager>(*loop_, scope_, runtime_, recorder_, kStart - before);
    manager_->SetOnChange([this](const std::string& uid, Kind kind) {
      changes_.push_back(StrCat(uid, " ", KindName(kind)));
    });
    manager_->SetMetrics(&metrics_);
  }

  v1::Container& AddContainer(const std::string& name = "c") {
    v1::Container& container = *pod_.mutable_spec()->add_containers();
    container.set_name(name);
    return container;
  }
  v1::Container& AddInit(const std::string& name, bool sidecar) {
    v1::Container& container = *pod_.mutable_spec()->add_initcontainers();
    container.set_name(name);
    if (sidecar) container.set_restartpolicy("Always");
    return container;
  }
  static v1::Probe& AddProbe(v1::Container& container, Kind kind, int period = 10) {
    v1::Probe& probe = kind == Kind::kStartup    ? *container.mutable_startupprobe()
                       : kind == Kind::kLiveness ? *container.mutable_livenessprobe()
                                                 : *container.mutable_readinessprobe();
    probe.mutable_handler()->mutable_exec()->add_command(KindName(kind));
    probe.set_periodseconds(period);
    probe.set_timeoutseconds(1);
    probe.set_failurethreshold(3);
    probe.set_successthreshold(1);
    return probe;
  }

  void Add() { manager_->Add(std::make_shared<const v1::Pod>(pod_)); }
  ContainerView View(const std::string& name = "c", const std::string& id = "one") const {
    return {.name = name, .id = id, .running = true, .started_at = loop_->Now()};
  }
  void Observe(std::vector<ContainerView> containers) {
    manager_->Observe("u", {.containers = std::move(containers), .pod_ip = "10.0.0.1"});
  }
  Manager::Health Health(const ContainerView& view, std::optional<bool> started = {},
                         std::optional<bool> ready = {}) {
    const v1::Container* container = api::FindContainer(pod_, view.name);
    return manager_->HealthOf(pod_, *container, view, started, ready);
  }
  void RunFor(absl::Duration duration) { loop_->RunUntil(loop_->Now() + duration); }

  // "Readiness@3" of each command that was run: the kind, and seconds since the test began.
  std::vector<std::string> Runs() const {
    std::vector<std::string> runs;
    for (const FakeRuntime::ExecCall& exec : runtime_.execs)
      runs.push_back(StrCat(exec.command[0], "@", absl::ToDoubleSeconds(exec.at - kStart)));
    return runs;
  }
  void Fail(const std::string& kind) {
    runtime_.on_exec = [kind](const FakeRuntime::ExecCall& exec) {
      return FakeRuntime::Exits(exec.command[0] == kind ? 1 : 0, "no");
    };
  }

  std::unique_ptr<async::Loop> loop_ = async::Loop::Virtual(kStart, 7);
  async::TaskScope scope_{*loop_, "probes"};
  FakeRuntime runtime_{*loop_};
  FakeRecorder recorder_;
  Metrics metrics_;
  std::vector<std::string> changes_;
  std::unique_ptr<Manager> manager_;
  v1::Pod pod_;
};

TEST_F(ManagerTest, ProbesAtOnceAndEveryPeriod) {
  Make();
  AddProbe(AddContainer(), Kind::kReadiness);
  Add();
  Observe({View()});
  EXPECT_EQ(manager_->Result("one", Kind::kReadiness), Outcome::kFailure);
  EXPECT_THAT(changes_, IsEmpty());
  RunFor(absl::Seconds(25));
  EXPECT_THAT(Runs(), ElementsAre("Readiness@0", "Readiness@10", "Readiness@20"));
  EXPECT_EQ(manager_->Result("one", Kind::kReadiness), Outcome::kSuccess);
  EXPECT_THAT(changes_, ElementsAre("u Readiness"));
  EXPECT_THAT(recorder_.events, IsEmpty());
}

TEST_F(ManagerTest, WhatWaitsTakesNoTimer) {
  Make();
  v1::Container& container = AddContainer();
  AddProbe(container, Kind::kReadiness);
  AddProbe(container, Kind::kLiveness);
  Add();
  Observe({{.name = "c"}});
  // A virtual loop returns from Run when nothing can ever happen again.
  loop_->Run();
  EXPECT_EQ(loop_->Now(), kStart);
  ContainerView created = View();
  created.running = false;
  Observe({created});
  loop_->Run();
  EXPECT_EQ(loop_->Now(), kStart);
  EXPECT_THAT(Runs(), IsEmpty());
}

TEST_F(ManagerTest, TheLoopWakesAsOftenAsThePeriodsAsk) {
  Make();
  AddProbe(AddContainer(), Kind::kLiveness, 10);
  for (int i = 0; i < 110; ++i) {
    pod_.mutable_metadata()->set_uid(StrCat("u", i));
    Add();
    manager_->Observe(StrCat("u", i), {.containers = {View("c", StrCat("id", i))}});
    RunFor(absl::Milliseconds(90));
  }
  RunFor(absl::Seconds(10));
  const uint64_t turns = loop_->Turns();
  const size_t runs = runtime_.execs.size();
  RunFor(absl::Seconds(100));
  EXPECT_EQ(runtime_.execs.size() - runs, 1100u);
  // The turns of a loop are those of executing a probe; waiting has none.
  EXPECT_LE(loop_->Turns() - turns, 1100u * 4);
}

TEST_F(ManagerTest, ADelayedStartOnlyWhileTheAgentIsYoung) {
  Make(absl::Seconds(4));
  v1::Container& container = AddContainer();
  AddProbe(container, Kind::kReadiness, 10);
  AddProbe(container, Kind::kLiveness, 3);
  Add();
  Observe({View()});
  // Does not cut the wait short.
  Health(View());
  RunFor(absl::ZeroDuration());
  EXPECT_THAT(Runs(), ElementsAre("Liveness@0"));
  RunFor(absl::Seconds(40));
  std::vector<absl::Time> readiness;
  for (const FakeRuntime::ExecCall& exec : runtime_.execs) {
    if (exec.command[0] == "Readiness") readiness.push_back(exec.at);
  }
  ASSERT_GE(readiness.size(), 3u);
  EXPECT_GT(readiness[0], kStart);
  EXPECT_LT(readiness[0], kStart + absl::Seconds(10));
  EXPECT_EQ(readiness[1] - readiness[0], absl::Seconds(10));
}

TEST_F(ManagerTest, TicksKeepTheirTimeWhileThereIsNothingToProbe) {
  Make();
  AddProbe(AddContainer(), Kind::kLiveness);
  Add();
  RunFor(absl::Seconds(13));
  Observe({View()});
  RunFor(absl::Seconds(20));
  EXPECT_THAT(Runs(), ElementsAre("Liveness@20", "Liveness@30"));
}

TEST_F(ManagerTest, TheInitialDelayIsWaitedFor) {
  Make();
  AddProbe(AddContainer(), Kind::kLiveness).set_initialdelayseconds(13);
  Add();
  Observe({View()});
  RunFor(absl::Seconds(35));
  EXPECT_THAT(Runs(), ElementsAre("Liveness@20", "Liveness@30"));
}

TEST_F(ManagerTest, ASlowProbeMakesUpForOneTick) {
  Make();
  AddProbe(AddContainer(), Kind::kLiveness, 2);
  runtime_.on_exec = [this](const FakeRuntime::ExecCall&) {
    FakeRuntime::Answer answer = FakeRuntime::Exits(0);
    if (runtime_.execs.size() == 1) answer.after = absl::Seconds(7);
    return answer;
  };
  Add();
  Observe({View()});
  RunFor(absl::Seconds(11));
  EXPECT_THAT(Runs(), ElementsAre("Liveness@0", "Liveness@7", "Liveness@8", "Liveness@10"));
}

// The pod's worker may look at any time, also in the turn in which a tick is due.
TEST_F(ManagerTest, BeingSeenDoesNotMoveTicks) {
  Make();
  AddProbe(AddContainer(), Kind::kLiveness, 2);
  Add();
  const ContainerView view = View();
  for (int i = 0; i < 60; ++i) {
    Observe({view});
    RunFor(absl::Milliseconds(100));
  }
  EXPECT_THAT(Runs(), ElementsAre("Liveness@0", "Liveness@2", "Liveness@4", "Liveness@6"));
}

TEST_F(ManagerTest, LivenessFailsAtItsThresholdAndHolds) {
  Make();
  AddProbe(AddContainer(), Kind::kLiveness);
  Fail("Liveness");
  Add();
  Observe({View()});
  EXPECT_EQ(manager_->Result("one", Kind::kLiveness), Outcome::kSuccess);
  RunFor(absl::Seconds(15));
  EXPECT_EQ(manager_->Result("one", Kind::kLiveness), Outcome::kSuccess);
  EXPECT_THAT(changes_, IsEmpty());
  RunFor(absl::Seconds(60));
  EXPECT_EQ(manager_->Result("one", Kind::kLiveness), Outcome::kFailure);
  EXPECT_THAT(changes_, ElementsAre("u Liveness"));
  EXPECT_THAT(Runs(), ElementsAre("Liveness@0", "Liveness@10", "Liveness@20"));
  EXPECT_THAT(recorder_.events,
              testing::Each("spec.containers{c} Warning Unhealthy Liveness probe failed: no"));

  // The instance that replaces it begins anew.
  Observe({View("c", "two")});
  EXPECT_EQ(manager_->Result("one", Kind::kLiveness), std::nullopt);
  EXPECT_EQ(manager_->Result("two", Kind::kLiveness), Outcome::kSuccess);
  RunFor(absl::Seconds(10));
  EXPECT_EQ(Runs().back(), "Liveness@80");
  EXPECT_EQ(manager_->Result("two", Kind::kLiveness), Outcome::kSuccess);
}

TEST_F(ManagerTest, NothingElseIsProbedBeforeStartupHasSucceeded) {
  Make();
  v1::Container& container = AddContainer();
  AddProbe(container, Kind::kStartup, 5);
  AddProbe(container, Kind::kLiveness, 5);
  AddProbe(container, Kind::kReadiness, 5);
  runtime_.on_exec = [this](const FakeRuntime::ExecCall&) {
    return FakeRuntime::Exits(runtime_.execs.size() < 3 ? 1 : 0);
  };
  Add();
  const ContainerView view = View();
  Observe({view});
  EXPECT_FALSE(Health(view).started);
  EXPECT_FALSE(Health(view).ready);
  RunFor(absl::Seconds(16));
  EXPECT_THAT(Runs(), ElementsAre("Startup@0", "Startup@5", "Startup@10", "Liveness@10",
                                  "Readiness@10", "Liveness@15", "Readiness@15"));
  EXPECT_THAT(changes_, ElementsAre("u Startup", "u Readiness"));
  EXPECT_TRUE(Health(view).started);
  EXPECT_TRUE(Health(view).ready);
}

TEST_F(ManagerTest, AFailedStartupHolds) {
  Make();
  AddProbe(AddContainer(), Kind::kStartup, 1);
  Fail("Startup");
  Add();
  Observe({View()});
  RunFor(absl::Seconds(30));
  EXPECT_THAT(Runs(), ElementsAre("Startup@0", "Startup@1", "Startup@2"));
  EXPECT_EQ(manager_->Result("one", Kind::kStartup), Outcome::kFailure);
  EXPECT_THAT(changes_, ElementsAre("u Startup"));
  EXPECT_FALSE(Health(View()).started);
}

TEST_F(ManagerTest, ErrorsTellTheUserAndCountForNothing) {
  Make();
  AddProbe(AddContainer(), Kind::kReadiness);
  Add();
  Observe({View()});
  RunFor(absl::Seconds(1));
  runtime_.on_exec = [](const FakeRuntime::ExecCall&) {
    return FakeRuntime::Answer{absl::UnavailableError("gone"), {}};
  };
  RunFor(absl::Seconds(100));
  EXPECT_EQ(manager_->Result("one", Kind::kReadiness), Outcome::kSuccess);
  EXPECT_THAT(recorder_.events,
              testing::Each("spec.containers{c} Warning Unhealthy Readiness probe errored and "
                            "resulted in unknown state: rpc error: code = Unavailable desc = "
                            "gone"));
  EXPECT_EQ(recorder_.events.size(), 10u);
}

TEST_F(ManagerTest, WhatIsAskedForHealthIsProbedOutOfTurn) {
  Make();
  AddProbe(AddContainer(), Kind::kReadiness);
  Fail("Readiness");
  Add();
  const ContainerView view = View();
  Observe({view});
  RunFor(absl::Seconds(3));
  EXPECT_FALSE(Health(view).ready);
  RunFor(absl::Seconds(1));
  runtime_.on_exec = [](const FakeRuntime::ExecCall&) { return FakeRuntime::Exits(0); };
  RunFor(absl::Seconds(15));
  // The extra probe at 3 s moves the others.
  EXPECT_THAT(Runs(), ElementsAre("Readiness@0", "Readiness@3", "Readiness@13"));
  EXPECT_TRUE(Health(view).ready);
  RunFor(absl::Seconds(1));
  EXPECT_EQ(runtime_.execs.size(), 3u);
}

TEST_F(ManagerTest, AskedWhileItProbesItProbesAgain) {
  Make();
  AddProbe(AddContainer(), Kind::kReadiness);
  runtime_.on_exec = [](const FakeRuntime::ExecCall&) {
    FakeRuntime::Answer answer = FakeRuntime::Exits(1);
    answer.after = absl::Seconds(2);
    return answer;
  };
  Add();
  const ContainerView view = View();
  Observe({view});
  RunFor(absl::Seconds(1));
  Health(view);
  Health(view);
  RunFor(absl::Seconds(12));
  EXPECT_THAT(Runs(), ElementsAre("Readiness@0", "Readiness@2", "Readiness@12"));
}

TEST_F(ManagerTest, TheResultForAReplacedInstanceIsDropped) {
  Make();
  AddProbe(AddContainer(), Kind::kReadiness);
  runtime_.on_exec = [](const FakeRuntime::ExecCall& exec) {
    FakeRuntime::Answer answer = FakeRuntime::Exits(exec.container_id == "one" ? 1 : 0);
    answer.after = absl::Seconds(2);
    return answer;
  };
  Add();
  Observe({View("c", "one")});
  RunFor(absl::Seconds(1));
  Observe({View("c", "two")});
  EXPECT_EQ(manager_->Result("one", Kind::kReadiness), std::nullopt);
  RunFor(absl::Seconds(20));
  EXPECT_THAT(recorder_.events, IsEmpty());
  EXPECT_EQ(runtime_.execs[1].container_id, "two");
  EXPECT_EQ(manager_->Result("two", Kind::kReadiness), Outcome::kSuccess);
}

TEST_F(ManagerTest, AnEndedInstanceIsNotReady) {
  Make();
  AddProbe(AddContainer(), Kind::kReadiness);
  Add();
  ContainerView view = View();
  Observe({view});
  RunFor(absl::Seconds(1));
  EXPECT_TRUE(Health(view).ready);
  view.running = false;
  Observe({view});
  EXPECT_FALSE(Health(view).ready);
  EXPECT_EQ(manager_->Result("one", Kind::kReadiness), Outcome::kFailure);
  view.ended_for_good = true;
  Observe({view});
  EXPECT_EQ(manager_->Result("one", Kind::kReadiness), std::nullopt);
  loop_->Run();
  EXPECT_THAT(Runs(), ElementsAre("Readiness@0"));
}

// ---- Restarts of the agent

class SurvivorTest : public ManagerTest {
 protected:
  SurvivorTest() { Make(absl::ZeroDuration()); }
  // An instance that runs since before the agent started.
  ContainerView Old(absl::Duration age = absl::Minutes(5)) const {
    ContainerView view = View();
    view.started_at = kStart - age;
    return view;
  }
};

TEST_F(SurvivorTest, ReadyPodsStayReadyAndUnreadyOnesUnready) {
  AddProbe(AddContainer(), Kind::kReadiness);
  EXPECT_TRUE(Health(Old(), true, true).ready);
  Add();
  Observe({Old()});
  EXPECT_EQ(manager_->Result("one", Kind::kReadiness), std::nullopt);
  EXPECT_TRUE(Health(Old(), true, true).ready);
  EXPECT_FALSE(Health(Old(), true, false).ready);
  EXPECT_FALSE(Health(Old(), true, std::nullopt).ready);
  // Not so for one that has only just started.
  EXPECT_FALSE(Health(Old(absl::Seconds(9)), true, true).ready);
  // Until the first probe says otherwise.
  Fail("Readiness");
  RunFor(absl::Seconds(40));
  EXPECT_EQ(manager_->Result("one", Kind::kReadiness), Outcome::kFailure);
  EXPECT_FALSE(Health(Old(), true, true).ready);
  EXPECT_THAT(changes_, ElementsAre("u Readiness"));
}

TEST_F(SurvivorTest, WithoutAReadinessProbeItIsReady) {
  AddContainer();
  EXPECT_TRUE(Health(Old(), true, false).ready);
  Add();
  EXPECT_TRUE(Health(Old(), std::nullopt, std::nullopt).ready);
}

TEST_F(SurvivorTest, WhatHadStartedIsNotProbedForItAgain) {
  v1::Container& container = AddContainer();
  AddProbe(container, Kind::kStartup, 1);
  AddProbe(container, Kind::kLiveness, 1);
  // The status is made before the pod is added.
  EXPECT_TRUE(Health(Old(), true, true).started);
  Add();
  Observe({Old()});
  EXPECT_EQ(manager_->Result("one", Kind::kLiveness), std::nullopt);
  RunFor(absl::Seconds(5));
  for (const std::string& run : Runs()) EXPECT_THAT(run, HasSubstr("Liveness"));
  EXPECT_GE(runtime_.execs.size(), 4u);
  EXPECT_EQ(manager_->Result("one", Kind::kStartup), std::nullopt);
}

TEST_F(SurvivorTest, WhatHadNotStartedIsProbedForIt) {
  v1::Container& container = AddContainer();
  AddProbe(container, Kind::kStartup, 1);
  EXPECT_FALSE(Health(Old(), false, false).started);
  Add();
  Observe({Old()});
  RunFor(absl::Seconds(3));
  EXPECT_EQ(manager_->Result("one", Kind::kStartup), Outcome::kSuccess);
  EXPECT_TRUE(Health(Old(), false, false).started);
}

TEST_F(SurvivorTest, ASidecarThatHadStartedIsSetSo) {
  AddProbe(AddInit("c", /*sidecar=*/true), Kind::kStartup, 1);
  EXPECT_TRUE(Health(Old(), true, true).started);
  Add();
  Observe({Old()});
  EXPECT_EQ(manager_->Result("one", Kind::kStartup), Outcome::kSuccess);
  RunFor(absl::Seconds(3));
  EXPECT_THAT(Runs(), IsEmpty());
}

TEST_F(SurvivorTest, WhatIsSeenBeforeAddIsNotLost) {
  AddProbe(AddContainer(), Kind::kLiveness, 1);
  Observe({Old()});
  Add();
  RunFor(absl::Seconds(3));
  EXPECT_GE(runtime_.execs.size(), 2u);
}

// ---- Which containers, and until when

TEST_F(ManagerTest, SidecarsAreProbedPlainInitContainersAreNot) {
  Make();
  AddProbe(AddInit("plain", false), Kind::kReadiness);
  AddProbe(AddInit("side", true), Kind::kReadiness);
  Add();
  Observe({View("plain", "p"), View("side", "s")});
  Fail("Readiness");
  RunFor(absl::Seconds(1));
  ASSERT_EQ(runtime_.execs.size(), 1u);
  EXPECT_EQ(runtime_.execs[0].container_id, "s");
  EXPECT_THAT(recorder_.events,
              ElementsAre("spec.initContainers{side} Warning Unhealthy Readiness probe failed: "
                          "no"));
  EXPECT_EQ(manager_->Failures(pod_.metadata().uid()),
            (std::map<std::string, std::string>{{"side", "no"}}));
}

TEST_F(ManagerTest, ASecondAddChangesNothing) {
  Make();
  AddProbe(AddContainer(), Kind::kReadiness, 10);
  Add();
  pod_.mutable_spec()->mutable_containers(0)->mutable_readinessprobe()->set_periodseconds(1);
  Add();
  Observe({View()});
  RunFor(absl::Seconds(15));
  EXPECT_THAT(Runs(), ElementsAre("Readiness@0", "Readiness@10"));
}

TEST_F(ManagerTest, TerminationStopsLivenessAndStartupOfRegularContainers) {
  Make();
  v1::Container& regular = AddContainer();
  AddProbe(regular, Kind::kStartup, 5);
  AddProbe(regular, Kind::kLiveness, 5);
  AddProbe(regular, Kind::kReadiness, 5);
  AddProbe(AddInit("side", true), Kind::kLiveness, 5);
  Add();
  const ContainerView view = View();
  Observe({view, View("side", "s")});
  RunFor(absl::Seconds(6));
  EXPECT_TRUE(Health(view).ready);
  manager_->StopLivenessAndStartup("u");
  EXPECT_EQ(manager_->Result("one", Kind::kLiveness), std::nullopt);
  EXPECT_EQ(manager_->Result("one", Kind::kStartup), std::nullopt);
  // What has started and is ready stays so.
  EXPECT_TRUE(Health(view).started);
  EXPECT_TRUE(Health(view).ready);
  runtime_.execs.clear();
  RunFor(absl::Seconds(5));
  EXPECT_THAT(Runs(), testing::UnorderedElementsAre("Liveness@10", "Readiness@10"));
  EXPECT_EQ(runtime_.execs.size(), 2u);
}

TEST_F(ManagerTest, RemovalEndsWhatIsUnderWay) {
  Make();
  AddProbe(AddContainer(), Kind::kReadiness);
  runtime_.on_exec = [](const FakeRuntime::ExecCall&) {
    FakeRuntime::Answer answer = FakeRuntime::Exits(1);
    answer.after = absl::Hours(1);
    return answer;
  };
  Add();
  Observe({View()});
  RunFor(absl::Seconds(1));
  EXPECT_EQ(scope_.size(), 1u);
  manager_->Remove("u");
  manager_->Remove("u");
  EXPECT_EQ(manager_->Result("one", Kind::kReadiness), std::nullopt);
  loop_->Run();
  EXPECT_EQ(scope_.size(), 0u);
  EXPECT_EQ(loop_->Now(), kStart + absl::Seconds(1));
  EXPECT_THAT(recorder_.events, IsEmpty());
}

TEST_F(ManagerTest, TerminalPodsAreNotProbed) {
  Make();
  AddProbe(AddContainer(), Kind::kReadiness);
  Add();
  manager_->Observe("u", {.containers = {View()}, .terminal = true});
  loop_->Run();
  EXPECT_THAT(Runs(), IsEmpty());
  EXPECT_EQ(manager_->Result("one", Kind::kReadiness), std::nullopt);
}

TEST_F(ManagerTest, DeletedPodsAreProbedForReadinessOnly) {
  Make();
  v1::Container& container = AddContainer();
  for (Kind kind : {Kind::kStartup, Kind::kLiveness, Kind::kReadiness})
    AddProbe(container, kind, 5);
  pod_.mutable_metadata()->mutable_deletiontimestamp()->set_seconds(1);
  Add();
  Observe({View()});
  RunFor(absl::Seconds(6));
  EXPECT_THAT(Runs(), ElementsAre("Readiness@0", "Readiness@5"));
}

TEST_F(ManagerTest, ProbesOfTheNetworkWaitForTheAddress) {
  Make();
  v1::Probe& probe = AddProbe(AddContainer(), Kind::kReadiness, 1);
  v1::HTTPGetAction& action = *probe.mutable_handler()->mutable_httpget();
  probe.mutable_handler()->clear_exec();
  action.mutable_port()->set_intval(1);
  Add();
  manager_->Observe("u", {.containers = {View()}, .pod_ip = ""});
  loop_->Run();
  EXPECT_EQ(loop_->Now(), kStart);
  EXPECT_THAT(recorder_.events, IsEmpty());
}

TEST_F(ManagerTest, ProbesAreCounted) {
  Make();
  v1::Container& container = AddContainer();
  AddProbe(container, Kind::kReadiness);
  AddProbe(container, Kind::kLiveness);
  Fail("Liveness");
  Add();
  Observe({View()});
  RunFor(absl::Seconds(11));
  std::string text = *metrics_.Render("/metrics/probes");
  EXPECT_THAT(text, HasSubstr("prober_probe_total{container=\"c\",namespace=\"default\",pod="
                              "\"web\",pod_uid=\"u\",probe_type=\"Readiness\",result="
                              "\"successful\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("probe_type=\"Liveness\",result=\"failed\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("prober_probe_duration_seconds_count{container=\"c\",namespace="
                              "\"default\",pod=\"web\",probe_type=\"Readiness\"} 2\n"));
  EXPECT_THAT(text, Not(HasSubstr("duration_seconds_count{container=\"c\",namespace=\"default\","
                                  "pod=\"web\",probe_type=\"Liveness\"}")));
  manager_->Remove("u");
  text = *metrics_.Render("/metrics/probes");
  EXPECT_THAT(text, Not(HasSubstr("container=\"c\"")));
}

TEST_F(ManagerTest, HealthWithoutProbes) {
  Make();
  AddContainer();
  Add();
  ContainerView view = View();
  EXPECT_TRUE(Health(view).started);
  EXPECT_TRUE(Health(view).ready);
  view.running = false;
  EXPECT_FALSE(Health(view).started);
  EXPECT_FALSE(Health(view).ready);
}

}  // namespace
}  // namespace cubelet::probes
