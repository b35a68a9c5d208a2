#include "status/phase.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "status/test_pods.h"

namespace cubelet::status {
namespace {

struct Case {
  std::string name;
  std::string spec;
  std::string statuses;  // of a PodStatus: init and regular
  bool terminal = false;
  std::string want;
  bool regular_record = false;  // a record of the regular container "c" in the current sandbox
  bool is_static = false;

  friend void PrintTo(const Case& c, std::ostream* out) { *out << c.spec << " " << c.statuses; }
};

constexpr char kOne[] = "{restartPolicy: Always, containers: [{name: c}]}";
constexpr char kNever[] = "{restartPolicy: Never, containers: [{name: c}, {name: d}]}";
constexpr char kOnFailure[] = "{restartPolicy: OnFailure, containers: [{name: c}, {name: d}]}";
constexpr char kInit[] =
    "{restartPolicy: Never, initContainers: [{name: i}], containers: [{name: c}]}";
constexpr char kInitAlways[] =
    "{restartPolicy: Always, initContainers: [{name: i}], containers: [{name: c}]}";
constexpr char kSidecar[] =
    "{initContainers: [{name: s, restartPolicy: Always}], containers: [{name: c}]}";

std::string Regular(const std::string& c, const std::string& d = "") {
  return "containerStatuses: [{name: c, " + c + "}" + (d.empty() ? "" : ", {name: d, " + d + "}") +
         "]";
}
std::string WithInit(const std::string& init, const std::string& c) {
  return "{initContainerStatuses: [" + init + "], " + Regular(c) + "}";
}

const std::string kRunningState = "state: {running: {}}";
const std::string kWaitingState = "state: {waiting: {reason: ContainerCreating}}";
const std::string kCrashed =
    "state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 1}}";
std::string Ended(int code) {
  return "state: {terminated: {exitCode: " + std::to_string(code) + "}}";
}

class PhaseTest : public testing::TestWithParam<Case> {};

TEST_P(PhaseTest, Table) {
  const Case& c = GetParam();
  v1::Pod pod = PodOf(c.spec);
  if (c.is_static)
    (*pod.mutable_metadata()->mutable_annotations())["kubernetes.io/config.source"] = "file";
  const v1::PodStatus status = StatusOf(c.statuses);
  ContainerStatuses statuses;
  statuses.init = status.initcontainerstatuses();
  statuses.regular = status.containerstatuses();
  const auto runtime = RuntimeOf({});
  if (c.regular_record) *runtime = *RuntimeOf({{"c", "id"}});
  EXPECT_EQ(ComputePhase(pod, statuses, runtime.get(), c.terminal), c.want);
}

INSTANTIATE_TEST_SUITE_P(
    Rule9_2, PhaseTest,
    testing::Values(
        Case{"NothingKnown", kOne, "{}", false, "Pending"},
        Case{"Creating", kOne, Regular(kWaitingState), false, "Pending"},
        Case{"Running", kOne, Regular(kRunningState), false, "Running"},
        Case{"EmptyState", kOne, Regular("state: {}"), false, "Pending"},
        Case{"CrashLooping", kOne, Regular(kCrashed), false, "Running"},
        Case{"EndedToBeRestarted", kOne, Regular(Ended(0)), false, "Running"},
        Case{"TerminalAlways", kOne, Regular(Ended(0)), true, "Succeeded"},
        Case{"TerminalAlwaysFailed", kOne, Regular(Ended(3)), true, "Failed"},
        Case{"TerminalStatic", kOne, Regular(Ended(3)), true, "Running", false, true},
        Case{"OneRunningOneEnded", kNever, Regular(kRunningState, Ended(1)), false, "Running"},
        Case{"OneRunningOneUnknown", kNever, Regular(kRunningState), false, "Pending"},
        Case{"OneRunningOneWaiting", kNever, Regular(kRunningState, kWaitingState), false,
             "Pending"},
        Case{"AllSucceeded", kNever, Regular(Ended(0), Ended(0)), false, "Succeeded"},
        Case{"OneFailed", kNever, Regular(Ended(0), Ended(1)), false, "Failed"},
        Case{"OnFailureRetries", kOnFailure, Regular(Ended(0), Ended(1)), false, "Running"},
        Case{"OnFailureDone", kOnFailure, Regular(Ended(0), Ended(0)), false, "Succeeded"},
        Case{"OneEndedOneUnknown", kNever, Regular(Ended(0)), false, "Pending"},
        Case{"RestartAllIsRestartable", "{restartPolicy: Never, containers: [{name: c}]}",
             Regular("state: {waiting: {}}, lastState: {terminated: {exitCode: 137, reason: "
                     "RestartingAllContainers}}"),
             false, "Running"},
        Case{"InitMissing", kInit, Regular(kWaitingState), false, "Pending"},
        Case{"InitRunning", kInit, WithInit("{name: i, " + kRunningState + "}", kWaitingState),
             false, "Pending"},
        Case{"InitFailedForGood", kInit, WithInit("{name: i, " + Ended(1) + "}", kWaitingState),
             false, "Failed"},
        Case{"InitFailedRetried", kInitAlways,
             WithInit("{name: i, " + Ended(1) + "}", kWaitingState), false, "Pending"},
        Case{"InitBackingOff", kInitAlways, WithInit("{name: i, " + kCrashed + "}", kWaitingState),
             false, "Pending"},
        Case{"InitDone", kInit, WithInit("{name: i, " + Ended(0) + "}", kRunningState), false,
             "Running"},
        Case{"SidecarStarting", kSidecar,
             WithInit("{name: s, started: false, " + kRunningState + "}", kWaitingState), false,
             "Pending"},
        Case{"SidecarNotStartedBesideRunning", kSidecar,
             WithInit("{name: s, started: false, " + kRunningState + "}", kRunningState), false,
             "Running", true},
        Case{"SidecarNotStartedNoRecord", kSidecar,
             WithInit("{name: s, started: false, " + kRunningState + "}", kRunningState), false,
             "Pending", false},
        Case{"SidecarRunningMainEnded", kSidecar,
             WithInit("{name: s, started: true, " + kRunningState + "}", Ended(0)), false,
             "Running", true},
        Case{"SidecarMissing", kSidecar, Regular(kRunningState), false, "Pending", true}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace cubelet::status
