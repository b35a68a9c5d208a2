#include "status/report.h"

#include <gtest/gtest.h>

#include <string>

#include "status/lookup.h"
#include "status/pod_status.h"
#include "status/test_pods.h"

namespace cubelet::status {
namespace {

// 11.1
TEST(ReportTest, SameForKubelet) {
  const std::string base =
      "{phase: Running, conditions: [{type: Ready, status: 'True', reason: r, message: m, "
      "lastTransitionTime: '2026-01-01T00:00:00Z'}]";
  const v1::PodStatus a = StatusOf(base + "}");
  struct Case {
    std::string yaml;
    bool same;
  };
  const Case cases[] = {
      {base + "}", true},
      {"{phase: Running, conditions: [{type: Ready, status: 'True', reason: r, message: m, "
       "observedGeneration: 4, lastTransitionTime: '2026-01-01T00:00:09Z'}]}",
       true},
      {"{phase: Running, conditions: [{type: other/x, status: 'True'}, {type: Ready, status: "
       "'True', reason: r, message: m}]}",
       true},
      {base + ", resourceClaimStatuses: [{name: x}]}", true},
      {"{phase: Running, conditions: [{type: Ready, status: 'False', reason: r, message: m}]}",
       false},
      {"{phase: Running, conditions: [{type: Ready, status: 'True', reason: r, message: other}]}",
       false},
      {"{phase: Running, conditions: [{type: Ready, status: 'True', reason: r, message: m}, {type: "
       "DisruptionTarget, status: 'True'}]}",
       false},
      {base + ", podIP: 10.0.0.1}", false},
      {base + ", observedGeneration: 7}", false},
  };
  for (const Case& c : cases) EXPECT_EQ(SameForKubelet(a, StatusOf(c.yaml)), c.same) << c.yaml;
}

// 11.2
TEST(ReportTest, CheckTransition) {
  const std::string ended0 = "state: {terminated: {exitCode: 0}}";
  const std::string ended1 = "state: {terminated: {exitCode: 1}}";
  const std::string running = "state: {running: {}}";
  struct Case {
    std::string spec, before, after;
    bool allowed;
  };
  const std::string never = "{restartPolicy: Never, containers: [{name: c}]}";
  const std::string on_failure = "{restartPolicy: OnFailure, containers: [{name: c}]}";
  const Case cases[] = {
      {never, ended1, running, false},
      {never, ended1, ended1, true},
      {never, running, running, true},
      {on_failure, ended1, running, true},
      {on_failure, ended0, running, false},
      {"{restartPolicy: Always, containers: [{name: c}]}", ended0, running, true},
      {"{restartPolicy: Never, containers: [{name: c, restartPolicy: Always}]}", ended0, running,
       true},
      {"{restartPolicy: Never, containers: [{name: c, restartPolicy: Never, restartPolicyRules: "
       "[{action: Restart, exitCodes: {operator: In, values: [1]}}]}]}",
       ended1, running, true},
      {"{restartPolicy: Never, containers: [{name: c}, {name: d, restartPolicy: Never, "
       "restartPolicyRules: [{action: RestartAllContainers, exitCodes: {operator: In, values: "
       "[1]}}]}]}",
       ended0, running, true},
  };
  for (const Case& c : cases) {
    const auto status = [](const std::string& state) {
      return StatusOf("containerStatuses: [{name: c, " + state + "}]");
    };
    EXPECT_EQ(CheckTransition(PodOf(c.spec), status(c.before), status(c.after)).ok(), c.allowed)
        << c.spec << " " << c.before << " -> " << c.after;
  }

  const v1::Pod init = PodOf(
      "{restartPolicy: Never, initContainers: [{name: i}, {name: s, restartPolicy: Always}], "
      "containers: [{name: c}]}");
  const auto of = [](const std::string& name, const std::string& state) {
    return StatusOf("initContainerStatuses: [{name: " + name + ", " + state + "}]");
  };
  EXPECT_FALSE(CheckTransition(init, of("i", ended0), of("i", running)).ok());
  EXPECT_TRUE(CheckTransition(init, of("s", ended0), of("s", running)).ok());
}

// 11.6
TEST(ReportTest, MergeForApi) {
  const v1::PodStatus server = StatusOf(
      "{phase: Running, message: theirs, conditions: [{type: x/y, status: 'True'}, {type: Ready, "
      "status: 'True'}], resourceClaimStatuses: [{name: claim}]}");
  const v1::PodStatus ours = StatusOf(
      "{phase: Failed, reason: Evicted, message: ours, conditions: [{type: x/y, status: 'False'}, "
      "{type: DisruptionTarget, status: 'True'}, {type: Ready, status: 'True', message: m}]}");

  // Containers may run: the end is not told yet.
  v1::PodStatus merged = MergeForApi(server, ours, true);
  EXPECT_EQ(merged.phase(), "Running");
  EXPECT_EQ(merged.message(), "theirs");
  EXPECT_FALSE(merged.has_reason());
  EXPECT_EQ(FindCondition(merged, "DisruptionTarget"), nullptr);
  EXPECT_EQ(FindCondition(merged, "x/y")->status(), "True");
  EXPECT_EQ(merged.resourceclaimstatuses_size(), 1);

  merged = MergeForApi(server, ours, false);
  EXPECT_EQ(merged.phase(), "Failed");
  EXPECT_EQ(merged.reason(), "Evicted");
  EXPECT_EQ(FindCondition(merged, "DisruptionTarget")->status(), "True");
  EXPECT_EQ(FindCondition(merged, "Ready")->status(), "False");
  EXPECT_EQ(FindCondition(merged, "Ready")->reason(), "PodFailed");
  EXPECT_EQ(merged.conditions_size(), 3);

  // DisruptionTarget comes with the end or not at all.
  v1::PodStatus running = ours;
  running.set_phase("Running");
  EXPECT_EQ(FindCondition(MergeForApi(server, running, false), "DisruptionTarget"), nullptr);
}

// 11.9
TEST(ReportTest, WithHealth) {
  const v1::Pod pod = PodOf("{containers: [{name: c}, {name: d}]}");
  StatusInput input = InputOf(pod, RuntimeOf({{"c", "1"}, {"d", "2"}}));
  input.health["c"] = {true, false};
  const v1::PodStatus unready = MakePodStatus(input);
  EXPECT_EQ(FindCondition(unready, "Ready")->status(), "False");

  const absl::Time later = kNow + absl::Seconds(9);
  const v1::PodStatus ready = WithHealth(pod, unready, "c", {true, true}, later);
  EXPECT_TRUE(ready.containerstatuses(0).ready());
  EXPECT_EQ(FindCondition(ready, "Ready")->status(), "True");
  EXPECT_EQ(FindCondition(ready, "ContainersReady")->status(), "True");
  EXPECT_EQ(FromApiTime(FindCondition(ready, "Ready")->lasttransitiontime()), later);
  EXPECT_EQ(ready.conditions_size(), unready.conditions_size());

  input.health["c"] = {true, true};
  input.now = later;
  input.old = Shared(unready);
  EXPECT_TRUE(SameForKubelet(ready, MakePodStatus(input))) << "as if computed anew";

  EXPECT_TRUE(SameForKubelet(WithHealth(pod, unready, "none", {true, true}, later), unready));
}

}  // namespace
}  // namespace cubelet::status
