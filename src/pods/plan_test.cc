#include "pods/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/codec.h"
#include "api/pod_defaults.h"
#include "api/yaml.h"
#include "base/strings.h"
#include "containers/container_hash.h"

namespace cubelet::pods {
namespace {

using pleg::ContainerRecord;
using pleg::ContainerState;
using pleg::RuntimePod;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A pod as YAML's spec, with what the runtime holds of it.
class Case {
 public:
  explicit Case(const std::string& spec) {
    auto json =
        api::ParseYaml(StrCat("metadata: {name: p, namespace: ns, uid: u}\nspec: ", spec, "\n"));
    EXPECT_TRUE(json.ok()) << json.status();
    pod_ = std::make_shared<v1::Pod>();
    const absl::Status status = api::FromJson(*json, *pod_);
    EXPECT_TRUE(status.ok()) << status;
    api::SetDefaults(*pod_);
  }

  v1::Pod& pod() { return *pod_; }

  Case& Sandbox(bool ready, uint32_t attempt = 0, bool host_network = false,
                std::string ip = "10.0.0.1") {
    pleg::SandboxRecord record;
    record.id = StrCat("s", attempt);
    record.attempt = attempt;
    record.ready = ready;
    record.host_network = host_network;
    record.has_network_status = true;
    if (!ip.empty()) record.ips = {ip};
    Runtime().sandboxes.insert(Runtime().sandboxes.begin(), record);
    return *this;
  }

  // The newest record comes last.
  Case& Container(const std::string& name, ContainerState state, int exit_code = 0,
                  const std::string& reason = "") {
    ContainerRecord record;
    record.id = StrCat("c-", name, "-", Runtime().containers.size());
    record.name = name;
    record.state = state;
    record.exit_code = exit_code;
    record.reason = reason;
    for (const auto* list : {&pod_->spec().containers(), &pod_->spec().initcontainers()}) {
      for (const v1::Container& container : *list) {
        if (container.name() == name) record.hash = containers::ContainerHash(container);
      }
    }
    last_id_ = record.id;
    Runtime().containers.insert(Runtime().containers.begin(), record);
    return *this;
  }

  Case& Liveness(probes::Outcome outcome) {
    verdicts_[last_id_].liveness = outcome;
    return *this;
  }
  Case& Startup(probes::Outcome outcome) {
    verdicts_[last_id_].startup = outcome;
    return *this;
  }
  Case& RestartingAll() {
    restarting_all_ = true;
    return *this;
  }

  Plan Make() const {
    PlanInput input;
    input.pod = pod_;
    input.runtime = runtime_;
    input.verdicts = verdicts_;
    input.restarting_all = restarting_all_;
    return PlanPod(input);
  }

  RuntimePod& Runtime() {
    if (!runtime_) runtime_ = std::make_shared<RuntimePod>();
    return *runtime_;
  }

 private:
  std::shared_ptr<v1::Pod> pod_;
  std::shared_ptr<RuntimePod> runtime_;
  std::map<std::string, ProbeVerdict> verdicts_;
  std::string last_id_;
  bool restarting_all_ = false;
};

constexpr char kTwo[] = "{containers: [{name: a, image: x}, {name: b, image: x}]}";
constexpr char kInit[] =
    "{initContainers: [{name: i, image: x}, {name: j, image: x}], containers: [{name: a, image: "
    "x}]}";
constexpr char kSidecar[] =
    "{initContainers: [{name: i, image: x}, {name: s, image: x, restartPolicy: Always}], "
    "containers: [{name: a, image: x}]}";

std::string Policy(std::string policy, std::string containers = "{name: a, image: x}") {
  return StrCat("{restartPolicy: ", policy, ", containers: [", containers, "]}");
}

std::vector<std::string> Messages(const Plan& plan) {
  std::vector<std::string> messages;
  for (const ContainerKill& kill : plan.to_kill) messages.push_back(kill.message);
  return messages;
}

// ---- 7.1 the sandbox

TEST(PlanSandbox, NewPodGetsTheFirst) {
  const Plan plan = Case(kTwo).Make();
  EXPECT_TRUE(plan.create_sandbox);
  EXPECT_TRUE(plan.kill_pod);
  EXPECT_EQ(plan.attempt, 0u);
  EXPECT_EQ(plan.sandbox_id, "");
  EXPECT_THAT(plan.regular_to_start, ElementsAre(0, 1));
}

TEST(PlanSandbox, DeadOneIsReplaced) {
  const Plan plan = Case(kTwo).Sandbox(false, 3).Make();
  EXPECT_TRUE(plan.create_sandbox);
  EXPECT_EQ(plan.attempt, 4u);
  EXPECT_EQ(plan.sandbox_id, "s3");
}

TEST(PlanSandbox, TwoReadyOnesAreReplaced) {
  const Plan plan = Case(kTwo).Sandbox(true, 0).Sandbox(true, 1).Make();
  EXPECT_TRUE(plan.create_sandbox);
  EXPECT_EQ(plan.attempt, 2u);
  EXPECT_EQ(plan.sandbox_id, "s1");
}

TEST(PlanSandbox, ChangedNetworkModeReplacesWithoutName) {
  const Plan plan = Case(kTwo).Sandbox(true, 0, /*host_network=*/true).Make();
  EXPECT_TRUE(plan.create_sandbox);
  EXPECT_EQ(plan.attempt, 1u);
  EXPECT_EQ(plan.sandbox_id, "");
}

TEST(PlanSandbox, WithoutAddressIsReplaced) {
  const Plan plan = Case(kTwo).Sandbox(true, 0, false, "").Make();
  EXPECT_TRUE(plan.create_sandbox);
  EXPECT_EQ(plan.sandbox_id, "s0");
}

TEST(PlanSandbox, KeptWhileReady) {
  const Plan plan = Case(kTwo)
                        .Sandbox(true)
                        .Container("a", ContainerState::kRunning)
                        .Container("b", ContainerState::kRunning)
                        .Make();
  EXPECT_TRUE(plan.Empty());
  EXPECT_EQ(plan.sandbox_id, "s0");
}

// ---- 7.2.3 what a new sandbox runs

TEST(PlanNewSandbox, NeverIsNotRunASecondTime) {
  const Plan plan =
      Case(Policy("Never")).Sandbox(false).Container("a", ContainerState::kExited, 1).Make();
  EXPECT_TRUE(plan.kill_pod);
  EXPECT_FALSE(plan.create_sandbox);
}

TEST(PlanNewSandbox, OnFailureLeavesOutWhatSucceeded) {
  const Plan plan = Case(Policy("OnFailure", "{name: a, image: x}, {name: b, image: x}"))
                        .Sandbox(false)
                        .Container("a", ContainerState::kExited, 0)
                        .Container("b", ContainerState::kExited, 1)
                        .Make();
  EXPECT_TRUE(plan.create_sandbox);
  EXPECT_THAT(plan.regular_to_start, ElementsAre(1));
}

TEST(PlanNewSandbox, OnFailureWithNothingLeftMakesNone) {
  const Plan plan =
      Case(Policy("OnFailure")).Sandbox(false).Container("a", ContainerState::kExited, 0).Make();
  EXPECT_TRUE(plan.kill_pod);
  EXPECT_FALSE(plan.create_sandbox);
}

TEST(PlanNewSandbox, InitContainersBeginAnew) {
  const Plan plan = Case(kInit)
                        .Sandbox(false)
                        .Container("i", ContainerState::kExited, 0)
                        .Container("a", ContainerState::kExited, 0)
                        .Make();
  EXPECT_TRUE(plan.create_sandbox);
  EXPECT_THAT(plan.init_to_start, ElementsAre(0));
  EXPECT_THAT(plan.regular_to_start, IsEmpty());
}

// ---- 7.2.4 regular containers

struct RegularCase {
  const char* name;
  const char* policy;
  ContainerState state;
  int exit_code;
  bool started;
  bool pod_ends;
};

class PlanRegularStates : public ::testing::TestWithParam<RegularCase> {};

TEST_P(PlanRegularStates, StartsOrEnds) {
  const RegularCase& param = GetParam();
  const Plan plan =
      Case(Policy(param.policy)).Sandbox(true).Container("a", param.state, param.exit_code).Make();
  EXPECT_EQ(!plan.regular_to_start.empty(), param.started);
  EXPECT_EQ(plan.kill_pod, param.pod_ends);
}

INSTANTIATE_TEST_SUITE_P(
    Rules, PlanRegularStates,
    ::testing::Values(
        RegularCase{"AlwaysAfterSuccess", "Always", ContainerState::kExited, 0, true, false},
        RegularCase{"AlwaysAfterFailure", "Always", ContainerState::kExited, 1, true, false},
        RegularCase{"OnFailureAfterSuccess", "OnFailure", ContainerState::kExited, 0, false, true},
        RegularCase{"OnFailureAfterFailure", "OnFailure", ContainerState::kExited, 1, true, false},
        RegularCase{"NeverAfterSuccess", "Never", ContainerState::kExited, 0, false, true},
        RegularCase{"NeverAfterFailure", "Never", ContainerState::kExited, 1, false, true},
        RegularCase{"CreatedIsStartedAgain", "Never", ContainerState::kCreated, 0, true, false},
        RegularCase{"RunningIsKept", "Always", ContainerState::kRunning, 0, false, false}),
    [](const auto& info) { return info.param.name; });

TEST(PlanRegular, OneDoneOneRunningKeepsThePod) {
  const Plan plan = Case(Policy("Never", "{name: a, image: x}, {name: b, image: x}"))
                        .Sandbox(true)
                        .Container("a", ContainerState::kExited, 0)
                        .Container("b", ContainerState::kRunning)
                        .Make();
  EXPECT_TRUE(plan.Empty());
}

TEST(PlanRegular, UnknownIsKilledFirst) {
  const Plan plan = Case(kTwo)
                        .Sandbox(true)
                        .Container("a", ContainerState::kUnknown)
                        .Container("b", ContainerState::kRunning)
                        .Make();
  EXPECT_THAT(Messages(plan),
              ElementsAre("Container is in \"unknown\" state, try killing it before restart"));
  EXPECT_THAT(plan.regular_to_start, ElementsAre(0));
}

TEST(PlanRegular, ChangedImageRestartsEvenWithNever) {
  Case changed(Policy("Never"));
  changed.Sandbox(true).Container("a", ContainerState::kRunning);
  changed.Runtime().containers[0].hash = "1";
  const Plan plan = changed.Make();
  EXPECT_THAT(Messages(plan), ElementsAre("Container a definition changed, will be restarted"));
  EXPECT_THAT(plan.regular_to_start, ElementsAre(0));
}

TEST(PlanRegular, ProbesKill) {
  for (const bool never : {false, true}) {
    Case failed(Policy(never ? "Never" : "Always"));
    failed.Sandbox(true).Container("a", ContainerState::kRunning);
    Case startup = failed;
    failed.Liveness(probes::Outcome::kFailure);
    startup.Startup(probes::Outcome::kFailure);
    const std::string end = never ? "" : ", will be restarted";
    EXPECT_THAT(Messages(failed.Make()),
                ElementsAre(StrCat("Container a failed liveness probe", end)));
    EXPECT_EQ(failed.Make().to_kill[0].reason, KillReason::kLivenessProbe);
    EXPECT_THAT(Messages(startup.Make()),
                ElementsAre(StrCat("Container a failed startup probe", end)));
    EXPECT_EQ(startup.Make().to_kill[0].reason, KillReason::kStartupProbe);
    EXPECT_EQ(failed.Make().regular_to_start.empty(), never);
  }
}

TEST(PlanRegular, OnlyTheNewestRecordCounts) {
  const Plan plan = Case(Policy("Never"))
                        .Sandbox(true)
                        .Container("a", ContainerState::kExited, 1)
                        .Container("a", ContainerState::kRunning)
                        .Make();
  EXPECT_TRUE(plan.Empty());
}

TEST(PlanRegular, ADeletedPodStartsNothing) {
  Case deleted(kTwo);
  deleted.pod().mutable_metadata()->mutable_deletiontimestamp()->set_seconds(1);
  const Plan plan = deleted.Sandbox(true).Container("a", ContainerState::kExited, 1).Make();
  EXPECT_THAT(plan.regular_to_start, IsEmpty());
  EXPECT_TRUE(plan.kill_pod);
}

TEST(PlanRegular, ContainerPolicyAndRulesWin) {
  const std::string containers =
      "{name: a, image: x, restartPolicy: Never, restartPolicyRules: [{action: Restart, exitCodes: "
      "{operator: In, values: [42]}}]}";
  EXPECT_THAT(Case(Policy("Always", containers))
                  .Sandbox(true)
                  .Container("a", ContainerState::kExited, 42)
                  .Make()
                  .regular_to_start,
              ElementsAre(0));
  EXPECT_TRUE(Case(Policy("Always", containers))
                  .Sandbox(true)
                  .Container("a", ContainerState::kExited, 1)
                  .Make()
                  .kill_pod);
}

// ---- 7.2.2 restart of all

TEST(PlanRestartAll, RemovesEverythingTheCauseLast) {
  const Plan plan =
      Case(
          "{containers: [{name: a, image: x, restartPolicy: Never, restartPolicyRules: [{action: "
          "RestartAllContainers, exitCodes: {operator: In, values: [7]}}]}, {name: b, image: x}], "
          "initContainers: [{name: i, image: x}]}")
          .Sandbox(true)
          .Container("i", ContainerState::kExited, 0)
          .Container("b", ContainerState::kRunning)
          .Container("a", ContainerState::kExited, 7)
          .RestartingAll()
          .Make();
  ASSERT_EQ(plan.to_remove.size(), 3u);
  EXPECT_EQ(plan.to_remove[0].name, "b");
  EXPECT_TRUE(plan.to_remove[0].kill_first);
  EXPECT_EQ(plan.to_remove[1].name, "i");
  EXPECT_EQ(plan.to_remove[2].name, "a");
  EXPECT_FALSE(plan.to_remove[2].kill_first);
  EXPECT_FALSE(plan.kill_pod);
}

// ---- 7.2.5 init containers

TEST(PlanInit, OneAfterTheOther) {
  EXPECT_THAT(Case(kInit).Sandbox(true).Make().init_to_start, ElementsAre(0));
  EXPECT_TRUE(Case(kInit).Sandbox(true).Container("i", ContainerState::kRunning).Make().Empty());
  EXPECT_THAT(
      Case(kInit).Sandbox(true).Container("i", ContainerState::kExited).Make().init_to_start,
      ElementsAre(1));
  const Plan plan = Case(kInit)
                        .Sandbox(true)
                        .Container("i", ContainerState::kExited)
                        .Container("j", ContainerState::kExited)
                        .Make();
  EXPECT_THAT(plan.init_to_start, IsEmpty());
  EXPECT_THAT(plan.regular_to_start, ElementsAre(0));
}

TEST(PlanInit, FailureIsTriedAgainOrEndsThePod) {
  EXPECT_THAT(
      Case(kInit).Sandbox(true).Container("i", ContainerState::kExited, 1).Make().init_to_start,
      ElementsAre(0));
  Case never(kInit);
  never.pod().mutable_spec()->set_restartpolicy("Never");
  const Plan plan = never.Sandbox(true).Container("i", ContainerState::kExited, 1).Make();
  EXPECT_TRUE(plan.kill_pod);
  EXPECT_THAT(plan.init_to_start, IsEmpty());
  EXPECT_THAT(plan.regular_to_start, IsEmpty());
}

TEST(PlanInit, OomKilledWithCodeZeroHasFailed) {
  EXPECT_THAT(Case(kInit)
                  .Sandbox(true)
                  .Container("i", ContainerState::kExited, 0, "OOMKilled")
                  .Make()
                  .regular_to_start,
              IsEmpty());
}

TEST(PlanInit, NotRunAgainWhileRegularContainersAreUp) {
  EXPECT_TRUE(Case(kInit).Sandbox(true).Container("a", ContainerState::kRunning).Make().Empty());
}

TEST(PlanSidecar, StartsInItsTurnAndTheOthersGoOn) {
  EXPECT_THAT(
      Case(kSidecar).Sandbox(true).Container("i", ContainerState::kExited).Make().init_to_start,
      ElementsAre(1));
  const Plan plan = Case(kSidecar)
                        .Sandbox(true)
                        .Container("i", ContainerState::kExited)
                        .Container("s", ContainerState::kRunning)
                        .Make();
  EXPECT_THAT(plan.init_to_start, IsEmpty());
  EXPECT_THAT(plan.regular_to_start, ElementsAre(0));
}

TEST(PlanSidecar, WaitsForItsStartupProbe) {
  Case waiting(kSidecar);
  waiting.pod()
      .mutable_spec()
      ->mutable_initcontainers(1)
      ->mutable_startupprobe()
      ->set_periodseconds(1);
  waiting.Sandbox(true)
      .Container("i", ContainerState::kExited)
      .Container("s", ContainerState::kRunning);
  EXPECT_TRUE(waiting.Make().Empty());
  Case failed = waiting;
  failed.Startup(probes::Outcome::kFailure);
  EXPECT_THAT(Messages(failed.Make()), ElementsAre("Init container s failed startup probe"));
  EXPECT_THAT(failed.Make().init_to_start, ElementsAre(1));
  waiting.Startup(probes::Outcome::kSuccess);
  EXPECT_THAT(waiting.Make().regular_to_start, ElementsAre(0));
}

TEST(PlanSidecar, RestartedForTheLifeOfThePod) {
  const Plan plan = Case(kSidecar)
                        .Sandbox(true)
                        .Container("i", ContainerState::kExited)
                        .Container("s", ContainerState::kExited, 0)
                        .Container("a", ContainerState::kRunning)
                        .Make();
  EXPECT_THAT(plan.init_to_start, ElementsAre(1));
  EXPECT_THAT(plan.to_kill, IsEmpty());
}

TEST(PlanSidecar, LivenessFailureRestartsIt) {
  const Plan plan = Case(kSidecar)
                        .Sandbox(true)
                        .Container("a", ContainerState::kRunning)
                        .Container("s", ContainerState::kRunning)
                        .Liveness(probes::Outcome::kFailure)
                        .Make();
  EXPECT_THAT(Messages(plan), ElementsAre("Init container s failed liveness probe"));
  EXPECT_THAT(plan.init_to_start, ElementsAre(1));
}

TEST(PlanSidecar, PodEndsWithItsRegularContainers) {
  Case done(kSidecar);
  done.pod().mutable_spec()->set_restartpolicy("Never");
  const Plan plan = done.Sandbox(true)
                        .Container("i", ContainerState::kExited)
                        .Container("s", ContainerState::kRunning)
                        .Container("a", ContainerState::kExited, 0)
                        .Make();
  EXPECT_TRUE(plan.kill_pod);
  EXPECT_THAT(plan.init_to_start, IsEmpty());
}

}  // namespace
}  // namespace cubelet::pods
