#include "status/pod_status.h"

#include <gtest/gtest.h>

#include <string>

#include "status/addresses.h"
#include "status/lookup.h"
#include "status/test_pods.h"

namespace cubelet::status {
namespace {

using pleg::ContainerState;

constexpr char kOne[] = "{restartPolicy: Never, containers: [{name: c}]}";

StatusInput Running() { return InputOf(PodOf(kOne), RuntimeOf({{"c", "1"}})); }
StatusInput Ended(int code) {
  return InputOf(PodOf(kOne), RuntimeOf({{"c", "1", ContainerState::kExited, code}}));
}

// 9.1, 11.3
TEST(PodStatusTest, Assembly) {
  StatusInput input = Running();
  v1::PodStatus status = MakePodStatus(input);
  EXPECT_EQ(status.phase(), "Running");
  EXPECT_EQ(status.qosclass(), "BestEffort");
  EXPECT_EQ(FromApiTime(status.starttime()), kNow);
  EXPECT_EQ(status.observedgeneration(), 3);
  EXPECT_TRUE(status.has_resources());

  input.old = Shared(StatusOf("{startTime: '2026-01-02T03:04:05Z', observedGeneration: 9}"));
  status = MakePodStatus(input);
  EXPECT_EQ(status.starttime().seconds(), input.old->starttime().seconds());
  EXPECT_EQ(status.observedgeneration(), 9) << "never goes back";
}

// 9.1.3, 9.1.5
TEST(PodStatusTest, TerminalPhasesStay) {
  struct Case {
    std::string old_phase, api_phase, want;
    int exit_code;
    bool running;
  };
  const Case cases[] = {
      {"Failed", "Running", "Failed", 0, true},    {"Running", "Succeeded", "Succeeded", 0, true},
      {"Succeeded", "Failed", "Failed", 0, false},  // the API's wins
      {"Running", "Running", "Failed", 1, false},  {"Running", "Succeeded", "Succeeded", 1, false},
  };
  for (const Case& c : cases) {
    StatusInput input = c.running ? Running() : Ended(c.exit_code);
    v1::Pod pod = *input.pod;
    pod.mutable_status()->set_phase(c.api_phase);
    input.pod = std::make_shared<v1::Pod>(pod);
    v1::PodStatus old;
    old.set_phase(c.old_phase);
    input.old = Shared(old);
    EXPECT_EQ(MakePodStatus(input).phase(), c.want) << c.old_phase << " " << c.api_phase;
  }
}

// 9.1.3
TEST(PodStatusTest, ReasonsStayWithTheirPhase) {
  StatusInput input = Running();
  input.old = Shared(StatusOf("{phase: Running, reason: R, message: M}"));
  EXPECT_EQ(MakePodStatus(input).reason(), "R");
  EXPECT_EQ(MakePodStatus(input).message(), "M");
  input.old = Shared(StatusOf("{phase: Pending, reason: R, message: M}"));
  EXPECT_FALSE(MakePodStatus(input).has_reason());
  input.old = Shared(StatusOf("{phase: Failed, reason: Evicted, message: M}"));
  EXPECT_EQ(MakePodStatus(input).reason(), "Evicted");
}

// 8.5
TEST(PodStatusTest, ActiveDeadline) {
  v1::Pod pod = PodOf("{activeDeadlineSeconds: 5, containers: [{name: c}]}");
  StatusInput input = InputOf(pod, RuntimeOf({{"c", "1"}}));
  EXPECT_EQ(ActiveDeadline(pod, v1::PodStatus()), std::nullopt);
  const v1::PodStatus first = MakePodStatus(input);
  EXPECT_EQ(ActiveDeadline(pod, first), kNow + absl::Seconds(5));
  input.old = Shared(first);
  input.now = kNow + absl::Seconds(4);
  EXPECT_EQ(MakePodStatus(input).phase(), "Running");
  input.now = kNow + absl::Seconds(5);
  const v1::PodStatus late = MakePodStatus(input);
  EXPECT_EQ(late.phase(), "Failed");
  EXPECT_EQ(late.reason(), "DeadlineExceeded");
  EXPECT_EQ(late.message(), "Pod was active on the node longer than the specified deadline");
  EXPECT_EQ(FindCondition(late, "Ready")->reason(), "PodFailed");

  // It stays so, and a pod that has ended before the deadline has not failed by it.
  input.old = Shared(late);
  EXPECT_EQ(MakePodStatus(input).reason(), "DeadlineExceeded");
  v1::PodStatus succeeded = first;
  succeeded.set_phase("Succeeded");
  input.old = Shared(succeeded);
  EXPECT_EQ(MakePodStatus(input).phase(), "Succeeded");
}

// 8.1.2
TEST(PodStatusTest, OverrideDoesNotFlipTheApi) {
  StatusInput input = Running();
  v1::Pod pod = *input.pod;
  pod.mutable_status()->set_phase("Succeeded");
  input.pod = std::make_shared<v1::Pod>(pod);
  input.override_status = StatusOverride{"Failed", "Evicted", "m", ""};
  EXPECT_EQ(MakePodStatus(input).phase(), "Succeeded");
}

// 9.1.9 to 9.1.11, 12.3
TEST(PodStatusTest, Addresses) {
  using Ips = std::vector<std::string>;
  EXPECT_EQ(OnePerFamily({"fd00::1", "10.0.0.1", "10.0.0.2", "bad"}, false),
            (Ips{"10.0.0.1", "fd00::1"}));
  EXPECT_EQ(OnePerFamily({"10.0.0.1", "fd00::1"}, true), (Ips{"fd00::1", "10.0.0.1"}));

  StatusInput input = Running();
  input.host_ips = {"192.0.2.1", "2001:db8::1"};
  v1::PodStatus status = MakePodStatus(input);
  EXPECT_EQ(status.podip(), "10.1.0.1");
  EXPECT_EQ(status.hostip(), "192.0.2.1");
  EXPECT_EQ(status.hostips_size(), 2);

  // The sandbox is gone: the address is kept for those who ask what it was.
  auto stopped = RuntimeOf({});
  stopped->sandboxes[0].ready = false;
  stopped->sandboxes[0].ips.clear();
  input.runtime = stopped;
  input.old = Shared(status);
  EXPECT_EQ(MakePodStatus(input).podip(), "10.1.0.1");

  v1::Pod host = PodOf("{hostNetwork: true, containers: [{name: c}]}");
  input = InputOf(host, nullptr);
  input.host_ips = {"192.0.2.1", "2001:db8::1"};
  status = MakePodStatus(input);
  EXPECT_EQ(status.podip(), "192.0.2.1");
  ASSERT_EQ(status.podips_size(), 2);
  EXPECT_EQ(status.podips(1).ip(), "2001:db8::1");
  input.host_ips.clear();
  EXPECT_EQ(MakePodStatus(input).podip(), "");
}

// containers.md 8.4.3
TEST(PodStatusTest, PodResources) {
  v1::Pod pod = PodOf(
      "{containers: [{name: c, resources: {requests: {cpu: 100m, memory: 32Mi}, limits: {cpu: "
      "'1'}}}]}");
  StatusInput input = InputOf(pod, nullptr);
  input.pod_cgroup = PodCgroupValues{200, 500, 64 << 20};
  v1::PodStatus status = MakePodStatus(input);
  EXPECT_EQ(status.allocatedresources().at("cpu").string(), "100m");
  EXPECT_EQ(status.resources().requests().at("cpu").string(), "100m");
  EXPECT_EQ(status.resources().limits().at("cpu").string(), "1");

  pod.mutable_status()->set_phase("Running");
  input.pod = std::make_shared<v1::Pod>(pod);
  status = MakePodStatus(input);
  EXPECT_EQ(status.resources().requests().at("cpu").string(), "200m");
  EXPECT_EQ(status.resources().requests().at("memory").string(), "32Mi");
  EXPECT_EQ(status.resources().limits().at("cpu").string(), "500m");
  EXPECT_EQ(status.resources().limits().at("memory").string(), "64Mi");
  input.pod_cgroup = PodCgroupValues{2, std::nullopt, std::nullopt};
  status = MakePodStatus(input);
  EXPECT_TRUE(status.resources().limits().empty());
  EXPECT_FALSE(status.resources().requests().contains("cpu"));
}

// 4.2.1
TEST(PodStatusTest, Rejected) {
  const v1::PodStatus status = MakeRejectedStatus(PodOf(kOne), "OutOfcpu", "too much");
  EXPECT_EQ(status.phase(), "Failed");
  EXPECT_EQ(status.reason(), "OutOfcpu");
  EXPECT_EQ(status.message(), "Pod was rejected: too much");
  EXPECT_EQ(status.qosclass(), "BestEffort");
  EXPECT_TRUE(status.conditions().empty());
}

// 8.3.7
TEST(PodStatusTest, Terminated) {
  v1::Pod pod = PodOf(kOne);
  v1::PodStatus status = MakeTerminatedStatus(
      pod, StatusOf("{phase: Running, containerStatuses: [{name: c, ready: true, state: {running: "
                    "{}}}]}"));
  const v1::ContainerStateTerminated& ended = status.containerstatuses(0).state().terminated();
  EXPECT_EQ(ended.reason(), "ContainerStatusUnknown");
  EXPECT_EQ(ended.message(), "The container could not be located when the pod was terminated");
  EXPECT_EQ(ended.exitcode(), 137);
  EXPECT_FALSE(status.containerstatuses(0).ready());
  EXPECT_EQ(status.phase(), "Failed");

  status = MakeTerminatedStatus(
      pod, StatusOf("{phase: Succeeded, containerStatuses: [{name: c, state: {terminated: "
                    "{exitCode: 0, reason: Completed}}}]}"));
  EXPECT_EQ(status.containerstatuses(0).state().terminated().reason(), "Completed");
  EXPECT_EQ(status.phase(), "Succeeded");

  (*pod.mutable_metadata()->mutable_annotations())["kubernetes.io/config.source"] = "file";
  EXPECT_EQ(MakeTerminatedStatus(pod, StatusOf("{phase: Running}")).phase(), "Running");
}

// 8.3.7: a pod that has never got beyond its init containers.
TEST(PodStatusTest, TerminatedBeforeInitialized) {
  const v1::Pod pod =
      PodOf("{initContainers: [{name: i}, {name: j}, {name: k}], containers: [{name: c}]}");
  const std::string waiting = "state: {waiting: {reason: PodInitializing}}";
  const std::string regular = "containerStatuses: [{name: c, " + waiting + "}]";
  v1::PodStatus status = MakeTerminatedStatus(
      pod, StatusOf("{initContainerStatuses: [{name: i, state: {terminated: {exitCode: 0}}}, "
                    "{name: j, state: {running: {}}}, {name: k, " +
                    waiting + "}], " + regular + "}"));
  EXPECT_EQ(status.initcontainerstatuses(0).state().terminated().exitcode(), 0);
  EXPECT_EQ(status.initcontainerstatuses(1).state().terminated().exitcode(), 137);
  EXPECT_TRUE(status.initcontainerstatuses(2).state().has_waiting());
  EXPECT_TRUE(status.containerstatuses(0).state().has_waiting());
  EXPECT_EQ(status.phase(), "Failed");

  // Not even the first has been seen: it is taken as started.
  status = MakeTerminatedStatus(
      pod, StatusOf("{initContainerStatuses: [{name: i, " + waiting + "}, {name: j, " + waiting +
                    "}, {name: k, " + waiting + "}], " + regular + "}"));
  EXPECT_TRUE(status.initcontainerstatuses(0).state().has_terminated());
  EXPECT_TRUE(status.initcontainerstatuses(1).state().has_waiting());
}

}  // namespace
}  // namespace cubelet::status
