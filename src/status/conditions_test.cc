#include "status/conditions.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "status/lookup.h"
#include "status/pod_status.h"
#include "status/test_pods.h"

namespace cubelet::status {
namespace {

using pleg::ContainerState;

std::string Text(const v1::PodCondition& condition) {
  return condition.status() + " " + condition.reason() + " " + condition.message();
}

std::vector<std::string> Types(const v1::PodStatus& status) {
  std::vector<std::string> types;
  for (const v1::PodCondition& condition : status.conditions()) types.push_back(condition.type());
  return types;
}

const v1::PodCondition& Get(const v1::PodStatus& status, const std::string& type) {
  const v1::PodCondition* condition = FindCondition(status, type);
  static const v1::PodCondition none;
  EXPECT_NE(condition, nullptr) << type;
  return condition == nullptr ? none : *condition;
}

// 10.7, 10.8
TEST(ConditionsTest, ContainersReady) {
  const v1::Pod pod = PodOf(
      "{initContainers: [{name: i}, {name: s, restartPolicy: Always}], containers: [{name: b}, "
      "{name: a}]}");
  struct Case {
    std::string status, want;
  };
  const Case cases[] = {
      {"{}", "False ContainersNotReady containers with unknown status: [s b a]"},
      {"{initContainerStatuses: [{name: s, ready: false}], containerStatuses: [{name: b, ready: "
       "true}]}",
       "False ContainersNotReady containers with unknown status: [a], containers with unready "
       "status: [s]"},
      {"{initContainerStatuses: [{name: s, ready: true}], containerStatuses: [{name: b, ready: "
       "true}, {name: a, ready: true}]}",
       "True  "},
      {"{phase: Failed}", "False PodFailed "},
      {"{phase: Succeeded, initContainerStatuses: [{name: s}], containerStatuses: [{name: b}, "
       "{name: a}]}",
       "False PodCompleted "},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Text(ContainersReadyCondition(pod, StatusOf(c.status))), c.want) << c.status;
    EXPECT_EQ(Text(ReadyCondition(pod, StatusOf(c.status))), c.want) << c.status;
  }
}

// 10.8
TEST(ConditionsTest, ReadinessGates) {
  v1::Pod pod = PodOf(
      "{containers: [{name: c}], readinessGates: [{conditionType: a/b}, {conditionType: c/d}]}");
  EXPECT_EQ(Text(ReadyCondition(pod, StatusOf("{containerStatuses: [{name: c, ready: true}], "
                                              "conditions: [{type: c/d, status: Unknown}]}"))),
            "False ReadinessGatesNotReady corresponding condition of pod readiness gate \"a/b\" "
            "does not exist., the status of pod readiness gate \"c/d\" is not \"True\", but "
            "Unknown");
  *pod.mutable_status() =
      StatusOf("conditions: [{type: a/b, status: 'True'}, {type: c/d, status: 'True'}]");
  EXPECT_EQ(Get(MakePodStatus(InputOf(pod, RuntimeOf({{"c", "1"}}))), "Ready").status(), "True");
}

// 10.6
TEST(ConditionsTest, Initialized) {
  const v1::Pod pod = PodOf(
      "{initContainers: [{name: i}, {name: s, restartPolicy: Always}], containers: [{name: c}]}");
  const v1::PodStatus waiting = MakePodStatus(InputOf(pod, nullptr));
  EXPECT_EQ(Text(Get(waiting, "Initialized")),
            "False ContainersNotInitialized containers with incomplete status: [i s]");
  const v1::PodStatus half =
      MakePodStatus(InputOf(pod, RuntimeOf({{"i", "1", ContainerState::kExited}})));
  EXPECT_EQ(Text(Get(half, "Initialized")),
            "False ContainersNotInitialized containers with incomplete status: [s]");
  const v1::PodStatus done =
      MakePodStatus(InputOf(pod, RuntimeOf({{"i", "1", ContainerState::kExited}, {"s", "2"}})));
  EXPECT_EQ(Text(Get(done, "Initialized")), "True  ");
  // Sidecars that go down later do not take it back while regular containers have run.
  const v1::PodStatus later =
      MakePodStatus(InputOf(pod, RuntimeOf({{"i", "1", ContainerState::kExited},
                                            {"s", "2", ContainerState::kExited, 1},
                                            {"c", "3"}})));
  EXPECT_EQ(Text(Get(later, "Initialized")), "True  ");
}

// 10.5, 7.1
TEST(ConditionsTest, NeedsNewSandbox) {
  const v1::Pod pod = PodOf("{containers: [{name: c}]}");
  const v1::Pod host = PodOf("{hostNetwork: true, containers: [{name: c}]}");
  EXPECT_TRUE(NeedsNewSandbox(pod, nullptr));
  auto runtime = RuntimeOf({});
  EXPECT_FALSE(NeedsNewSandbox(pod, runtime.get()));
  EXPECT_TRUE(NeedsNewSandbox(host, runtime.get()));
  runtime->sandboxes[0].ips.clear();
  EXPECT_TRUE(NeedsNewSandbox(pod, runtime.get()));
  runtime->sandboxes[0].has_network_status = false;
  EXPECT_FALSE(NeedsNewSandbox(pod, runtime.get()));
  runtime->sandboxes.push_back(runtime->sandboxes[0]);
  EXPECT_TRUE(NeedsNewSandbox(pod, runtime.get())) << "two ready ones";
  runtime->sandboxes[1].ready = false;
  EXPECT_FALSE(NeedsNewSandbox(pod, runtime.get()));
  runtime->sandboxes[0].ready = false;
  EXPECT_TRUE(NeedsNewSandbox(pod, runtime.get()));
}

// 10.1, 10.2
TEST(ConditionsTest, OrderAndForeignConditions) {
  v1::Pod pod = PodOf(
      "{restartPolicy: Never, containers: [{name: c, restartPolicy: Never, restartPolicyRules: "
      "[{action: RestartAllContainers, exitCodes: {operator: In, values: [42]}}]}]}");
  *pod.mutable_status() = StatusOf(
      "conditions: [{type: example.com/x, status: 'True', message: kept}, {type: Ready, status: "
      "'Unknown'}, {type: DisruptionTarget, status: 'False'}]");
  StatusInput input = InputOf(pod, RuntimeOf({{"c", "1"}}));
  input.old = Shared(StatusOf("conditions: [{type: DisruptionTarget, status: 'True', reason: r}]"));
  input.resize_conditions.push_back(
      FromYaml<v1::PodCondition>("{type: PodResizePending, status: 'True'}"));
  const v1::PodStatus status = MakePodStatus(input);
  EXPECT_EQ(Types(status), (std::vector<std::string>{
                               "example.com/x", "PodResizePending", "DisruptionTarget",
                               "PodReadyToStartContainers", "Initialized", "Ready",
                               "ContainersReady", "PodScheduled", "AllContainersRestarting"}));
  EXPECT_EQ(Get(status, "DisruptionTarget").reason(), "r");
  EXPECT_EQ(Get(status, "example.com/x").message(), "kept");
}

// 10.3
TEST(ConditionsTest, TransitionTimes) {
  const v1::Pod pod = PodOf("{containers: [{name: c}]}");
  StatusInput input = InputOf(pod, nullptr);
  const v1::PodStatus first = MakePodStatus(input);
  EXPECT_EQ(FromApiTime(Get(first, "Ready").lasttransitiontime()), kNow);
  EXPECT_EQ(Get(first, "Ready").observedgeneration(), 3);
  EXPECT_FALSE(Get(first, "Ready").has_lastprobetime());

  input = InputOf(pod, RuntimeOf({{"c", "1"}}));
  input.old = Shared(first);
  input.now = kNow + absl::Seconds(5);
  const v1::PodStatus second = MakePodStatus(input);
  EXPECT_EQ(FromApiTime(Get(second, "Ready").lasttransitiontime()), kNow + absl::Seconds(5));
  EXPECT_EQ(FromApiTime(Get(second, "Initialized").lasttransitiontime()), kNow);
}

// 10.9, 7.2.2, 9.3
TEST(ConditionsTest, RestartAllContainers) {
  const v1::Pod pod = PodOf(
      "{restartPolicy: Never, containers: [{name: c, restartPolicy: Never, restartPolicyRules: "
      "[{action: RestartAllContainers, exitCodes: {operator: In, values: [42]}}]}, {name: d}]}");
  StatusInput input = InputOf(pod, RuntimeOf({{"c", "1"}, {"d", "2"}}));
  const v1::PodStatus running = MakePodStatus(input);
  EXPECT_EQ(Text(Get(running, "AllContainersRestarting")), "False  ");

  input.runtime = RuntimeOf({{"c", "1", ContainerState::kExited, 42}, {"d", "2"}});
  input.old = Shared(running);
  const v1::PodStatus triggered = MakePodStatus(input);
  EXPECT_EQ(Text(Get(triggered, "AllContainersRestarting")),
            "True RestartAllContainersStarted container exited with restart policy rule");
  EXPECT_EQ(triggered.phase(), "Running");

  input.runtime = RuntimeOf({{"c", "1", ContainerState::kExited, 42}});
  input.old = Shared(triggered);
  const v1::PodStatus half = MakePodStatus(input);
  EXPECT_EQ(Get(half, "AllContainersRestarting").status(), "True");
  const v1::ContainerStatus& removed = half.containerstatuses(1);
  EXPECT_EQ(removed.state().waiting().reason(), "RestartingAllContainers");
  EXPECT_EQ(removed.laststate().terminated().message(),
            "The container is removed because RestartAllContainers in place");
  EXPECT_EQ(removed.laststate().terminated().exitcode(), 137);
  EXPECT_EQ(removed.restartcount(), 1);
  EXPECT_EQ(Get(half, "Initialized").status(), "True");

  input.runtime = RuntimeOf({});
  input.old = Shared(half);
  const v1::PodStatus gone = MakePodStatus(input);
  EXPECT_EQ(Text(Get(gone, "AllContainersRestarting")), "False  ");
  EXPECT_EQ(gone.containerstatuses(0).state().waiting().reason(), "RestartingAllContainers");
  EXPECT_EQ(gone.containerstatuses(0).restartcount(), 1);
  EXPECT_EQ(gone.containerstatuses(1).restartcount(), 1) << "counted once";
  EXPECT_EQ(gone.phase(), "Running");

  input.runtime = RuntimeOf(
      {{"c", "3", ContainerState::kRunning, 0, 1}, {"d", "4", ContainerState::kRunning, 0, 1}});
  input.old = Shared(gone);
  const v1::PodStatus again = MakePodStatus(input);
  EXPECT_EQ(Text(Get(again, "AllContainersRestarting")), "False  ");
  EXPECT_EQ(again.containerstatuses(0).restartcount(), 1);
  EXPECT_EQ(Get(again, "Ready").status(), "True");
}

// 10.10
TEST(ConditionsTest, Disruption) {
  StatusInput input = InputOf(PodOf("{containers: [{name: c}]}"), RuntimeOf({{"c", "1"}}));
  input.override_status = StatusOverride{"Failed", "Evicted", "The node was low.", "low"};
  const v1::PodStatus status = MakePodStatus(input);
  EXPECT_EQ(status.phase(), "Failed");
  EXPECT_EQ(status.reason(), "Evicted");
  EXPECT_EQ(status.message(), "The node was low.");
  EXPECT_EQ(Text(Get(status, "DisruptionTarget")), "True TerminationByKubelet low");
}

}  // namespace
}  // namespace cubelet::status
