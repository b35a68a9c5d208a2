#include "status/explain.h"

#include <gtest/gtest.h>

#include <string>

#include "status/pod_status.h"
#include "status/test_pods.h"

namespace cubelet::status {
namespace {

using pleg::ContainerState;

constexpr char kWeb[] = "{containers: [{name: web}]}";
constexpr char kInit[] =
    "{initContainers: [{name: wait}, {name: proxy, restartPolicy: Always}], containers: [{name: "
    "web}]}";

TEST(WhyNotReadyTest, ReadyPodsNeedNoWhy) {
  EXPECT_EQ(
      WhyNotReady(PodOf(kWeb), MakePodStatus(InputOf(PodOf(kWeb), RuntimeOf({{"web", "1"}})))), "");
}

TEST(WhyNotReadyTest, Waiting) {
  StatusInput input =
      InputOf(PodOf(kWeb), RuntimeOf({{"web", "1", ContainerState::kExited, 7, 2, "Error"}}));
  input.start_failures["web"] = {"CrashLoopBackOff",
                                 "back-off 40s restarting failed container=web pod=p_ns(u)"};
  EXPECT_EQ(WhyNotReady(*input.pod, MakePodStatus(input)),
            "container \"web\" is waiting: CrashLoopBackOff: back-off 40s restarting failed "
            "container=web pod=p_ns(u) (last ended with exit code 7: Error)");
  input.start_failures.clear();
  EXPECT_EQ(WhyNotReady(*input.pod, MakePodStatus(input)),
            "container \"web\" has ended with exit code 7: Error");
}

TEST(WhyNotReadyTest, SyncErrorExplainsWhatOnlyWaits) {
  const v1::PodStatus creating = MakePodStatus(InputOf(PodOf(kWeb), nullptr));
  EXPECT_EQ(WhyNotReady(PodOf(kWeb), creating,
                        {.sync_error = "mount volume \"data\": no such directory"}),
            "mount volume \"data\": no such directory");
  EXPECT_EQ(WhyNotReady(PodOf(kWeb), creating), "container \"web\" is waiting: ContainerCreating");
}

// A container that could not be started keeps its reason while its sandbox cannot be made anew.
TEST(WhyNotReadyTest, WhatFailsBeforeContainersExplainsMoreThanTheirOldFailures) {
  StatusInput input = InputOf(PodOf(kWeb), nullptr);
  input.start_failures["web"] = {"CreateContainerError", "the runtime is shutting down"};
  const v1::PodStatus status = MakePodStatus(input);
  EXPECT_EQ(WhyNotReady(*input.pod, status,
                        {.sync_error = "failed to start sandbox", .before_containers = true}),
            "failed to start sandbox");
  EXPECT_EQ(WhyNotReady(*input.pod, status, {.sync_error = "failed to start web"}),
            "container \"web\" is waiting: CreateContainerError: the runtime is shutting down");
}

TEST(WhyNotReadyTest, InitContainers) {
  const v1::Pod pod = PodOf(kInit);
  EXPECT_EQ(WhyNotReady(pod, MakePodStatus(InputOf(pod, RuntimeOf({{"wait", "1"}})))),
            "init container \"wait\" is running");
  StatusInput input =
      InputOf(pod, RuntimeOf({{"wait", "1", ContainerState::kExited, 0}, {"proxy", "2"}}));
  input.health["proxy"] = {false, false};
  EXPECT_EQ(WhyNotReady(pod, MakePodStatus(input)),
            "startup probe of sidecar container \"proxy\" has not succeeded");
  input.runtime =
      RuntimeOf({{"wait", "1", ContainerState::kExited, 0}, {"proxy", "2"}, {"web", "3"}});
  input.health["proxy"] = {true, false};
  EXPECT_EQ(WhyNotReady(pod, MakePodStatus(input)),
            "readiness probe of sidecar container \"proxy\" has not succeeded");
}

TEST(WhyNotReadyTest, Probes) {
  StatusInput input = InputOf(PodOf(kWeb), RuntimeOf({{"web", "1"}}));
  input.health["web"] = {true, false};
  EXPECT_EQ(WhyNotReady(*input.pod, MakePodStatus(input)),
            "readiness probe of container \"web\" has not succeeded");
  EXPECT_EQ(WhyNotReady(*input.pod, MakePodStatus(input),
                        {.probe_failures = {{"web", "HTTP probe failed with statuscode: 503"}}}),
            "readiness probe of container \"web\" has not succeeded: HTTP probe failed with "
            "statuscode: 503");
}

TEST(WhyNotReadyTest, ReadinessGate) {
  const v1::Pod pod = PodOf("{containers: [{name: web}], readinessGates: [{conditionType: a/b}]}");
  EXPECT_EQ(WhyNotReady(pod, MakePodStatus(InputOf(pod, RuntimeOf({{"web", "1"}})))),
            "corresponding condition of pod readiness gate \"a/b\" does not exist.");
}

TEST(WhyNotReadyTest, Ended) {
  const v1::Pod never = PodOf("{restartPolicy: Never, containers: [{name: web}]}");
  EXPECT_EQ(WhyNotReady(never, MakePodStatus(InputOf(
                                   never, RuntimeOf({{"web", "1", ContainerState::kExited, 0}})))),
            "the pod has completed");
  EXPECT_EQ(WhyNotReady(
                never, MakePodStatus(InputOf(never, RuntimeOf({{"web", "1", ContainerState::kExited,
                                                                9, 0, "OOMKilled"}})))),
            "the pod has failed: container \"web\" has ended with exit code 9: OOMKilled");
  EXPECT_EQ(WhyNotReady(never, MakeRejectedStatus(never, "OutOfcpu", "no room")),
            "the pod has failed: OutOfcpu: Pod was rejected: no room");
  EXPECT_EQ(WhyNotReady(never, v1::PodStatus(), {.sync_error = "cannot reach the runtime"}),
            "cannot reach the runtime");
}

}  // namespace
}  // namespace cubelet::status
