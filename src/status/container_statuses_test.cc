#include "status/container_statuses.h"

#include <gtest/gtest.h>

#include <string>

#include "status/lookup.h"
#include "status/pod_status.h"
#include "status/test_pods.h"

namespace cubelet::status {
namespace {

using pleg::ContainerState;

constexpr char kOne[] = "{containers: [{name: c, image: busybox}]}";

v1::ContainerStatus Only(const StatusInput& input) {
  const v1::PodStatus status = MakePodStatus(input);
  EXPECT_EQ(status.containerstatuses_size(), 1);
  return status.containerstatuses(0);
}

StatusInput WithOld(StatusInput input, std::string_view container_status) {
  input.old = Shared(StatusOf("{containerStatuses: [" + std::string(container_status) + "]}"));
  return input;
}

// 9.3
TEST(ContainerStatusesTest, BeforeAnythingRuns) {
  const v1::ContainerStatus status = Only(InputOf(PodOf(kOne), nullptr));
  EXPECT_EQ(status.image(), "busybox");
  EXPECT_EQ(status.state().waiting().reason(), "ContainerCreating");
  EXPECT_EQ(status.restartcount(), 0);
  EXPECT_FALSE(status.started());
  EXPECT_TRUE(status.has_started());
  EXPECT_FALSE(status.has_resources());
  EXPECT_EQ(status.containerid(), "");

  const v1::PodStatus with_init = MakePodStatus(
      InputOf(PodOf("{initContainers: [{name: i}], containers: [{name: b}, {name: a}], "
                    "ephemeralContainers: [{name: e}]}"),
              nullptr));
  for (const auto* list : {&with_init.initcontainerstatuses(), &with_init.containerstatuses(),
                           &with_init.ephemeralcontainerstatuses()}) {
    for (const v1::ContainerStatus& container : *list)
      EXPECT_EQ(container.state().waiting().reason(), "PodInitializing") << container.name();
  }
  EXPECT_EQ(with_init.containerstatuses(0).name(), "a");
  EXPECT_FALSE(with_init.ephemeralcontainerstatuses(0).has_started());
}

// 9.3
TEST(ContainerStatusesTest, VolumeMounts) {
  StatusInput input = InputOf(
      PodOf("{containers: [{name: c, volumeMounts: [{name: v, mountPath: /a}, {name: v, mountPath: "
            "/b, readOnly: true}, {name: v, mountPath: /c, readOnly: true, recursiveReadOnly: "
            "IfPossible}, {name: i, mountPath: /d, readOnly: true, recursiveReadOnly: "
            "Enabled}]}]}"),
      nullptr);
  input.image_volumes = {{"i", "sha256:2"}};
  const auto mounts = Only(input).volumemounts();
  ASSERT_EQ(mounts.size(), 4);
  EXPECT_FALSE(mounts[0].has_readonly());
  EXPECT_FALSE(mounts[0].has_recursivereadonly());
  EXPECT_EQ(mounts[1].recursivereadonly(), "Disabled");
  EXPECT_EQ(mounts[2].recursivereadonly(), "Disabled");
  EXPECT_EQ(mounts[3].recursivereadonly(), "Enabled");
  EXPECT_EQ(mounts[3].volumestatus().image().imageref(), "sha256:2");
  input.recursive_read_only_mounts = true;
  EXPECT_EQ(Only(input).volumemounts(2).recursivereadonly(), "Enabled");
}

// 9.3: a record that vanished.
TEST(ContainerStatusesTest, RecordVanished) {
  const std::string running = "{name: c, restartCount: 2, state: {running: {}}}";
  StatusInput input = WithOld(InputOf(PodOf(kOne), RuntimeOf({})), running);
  v1::ContainerStatus status = Only(input);
  EXPECT_EQ(status.state().waiting().reason(), "ContainerCreating");
  EXPECT_EQ(status.laststate().terminated().reason(), "ContainerStatusUnknown");
  EXPECT_EQ(status.laststate().terminated().message(),
            "The container could not be located when the pod was deleted.  The container used to "
            "be Running");
  EXPECT_EQ(status.laststate().terminated().exitcode(), 137);
  EXPECT_EQ(status.restartcount(), 3);

  // Deleted: not counted as a restart.
  v1::Pod deleted = PodOf(kOne);
  deleted.mutable_metadata()->mutable_deletiontimestamp()->set_seconds(1);
  status = Only(WithOld(InputOf(deleted, RuntimeOf({})), running));
  EXPECT_EQ(status.restartcount(), 2);

  // Ended and removed: the end stays.
  status = Only(WithOld(InputOf(PodOf(kOne), nullptr),
                        "{name: c, restartCount: 2, image: old, state: {terminated: {exitCode: "
                        "4}}, started: false}"));
  EXPECT_EQ(status.state().terminated().exitcode(), 4);
  EXPECT_EQ(status.image(), "old");

  // It was waiting: nothing is to be inferred.
  status = Only(WithOld(InputOf(PodOf(kOne), nullptr),
                        "{name: c, restartCount: 2, state: {waiting: {reason: ErrImagePull}}}"));
  EXPECT_FALSE(status.laststate().has_terminated());
  EXPECT_EQ(status.restartcount(), 2);
}

// 9.4
TEST(ContainerStatusesTest, FromRecords) {
  StatusInput input =
      InputOf(PodOf(kOne), RuntimeOf({{"c", "1", ContainerState::kExited, 1, 4, "Error"},
                                      {"c", "2", ContainerState::kExited, 2, 5, "OOMKilled"},
                                      {"c", "3", ContainerState::kRunning, 0, 6}}));
  v1::ContainerStatus status = Only(input);
  EXPECT_EQ(status.containerid(), "containerd://3");
  EXPECT_EQ(status.imageid(), "sha256:1");
  EXPECT_EQ(status.image(), "image:1");
  EXPECT_EQ(status.restartcount(), 6);
  EXPECT_EQ(status.laststate().terminated().exitcode(), 2);
  EXPECT_EQ(status.laststate().terminated().reason(), "OOMKilled");
  EXPECT_EQ(status.laststate().terminated().containerid(), "containerd://2");
  EXPECT_EQ(status.state().running().startedat().nanos(), 0) << "whole seconds";
  EXPECT_TRUE(status.started());
  EXPECT_TRUE(status.ready());
  EXPECT_TRUE(status.has_resources());

  input.runtime = RuntimeOf({{"c", "1", ContainerState::kCreated}});
  status = Only(input);
  EXPECT_TRUE(status.state().has_waiting());
  EXPECT_EQ(status.state().waiting().reason(), "");
}

// 9.4: the previous instance was removed by the time.
TEST(ContainerStatusesTest, LastStateFromOldStatus) {
  const std::string ended =
      "{name: c, restartCount: 3, containerID: 'containerd://1', state: {terminated: {exitCode: "
      "9}}, lastState: {terminated: {exitCode: 8}}}";
  const v1::ContainerStatus next = Only(WithOld(
      InputOf(PodOf(kOne), RuntimeOf({{"c", "2", ContainerState::kRunning, 0, 4}})), ended));
  EXPECT_EQ(next.laststate().terminated().exitcode(), 9);
  EXPECT_EQ(next.restartcount(), 4);
  const v1::ContainerStatus same = Only(
      WithOld(InputOf(PodOf(kOne), RuntimeOf({{"c", "1", ContainerState::kExited, 9, 3}})), ended));
  EXPECT_EQ(same.laststate().terminated().exitcode(), 8);
  // A count that went backwards: the runtime has forgotten more than we have.
  const v1::ContainerStatus counted = Only(WithOld(
      InputOf(PodOf(kOne), RuntimeOf({{"c", "2", ContainerState::kRunning, 0, 0}})), ended));
  EXPECT_EQ(counted.restartcount(), 4);
}

// 9.4: the runtime does not know what became of it.
TEST(ContainerStatusesTest, UnknownState) {
  const StatusInput input =
      InputOf(PodOf(kOne), RuntimeOf({{"c", "1", ContainerState::kUnknown, 0, 2}}));
  v1::ContainerStatus status =
      Only(WithOld(input,
                   "{name: c, restartCount: 2, containerID: 'containerd://1', state: "
                   "{running: {}}}"));
  EXPECT_EQ(status.state().terminated().reason(), "ContainerStatusUnknown");
  EXPECT_EQ(status.state().terminated().message(),
            "The container could not be located when the pod was terminated");
  EXPECT_EQ(status.restartcount(), 3);
  EXPECT_TRUE(Only(input).state().has_waiting());
}

// 9.4: last words
TEST(ContainerStatusesTest, TerminationMessage) {
  auto runtime = RuntimeOf({{"c", "1", ContainerState::kExited, 1}});
  runtime->containers[0].message = "runtime says";
  StatusInput input = InputOf(PodOf(kOne), runtime);
  EXPECT_EQ(Only(input).state().terminated().message(), "runtime says");
  input.termination_messages["1"] = "bye";
  EXPECT_EQ(Only(input).state().terminated().message(), "runtime says: bye");
}

// 9.5
TEST(ContainerStatusesTest, StartFailures) {
  StatusInput input = InputOf(PodOf(kOne), RuntimeOf({{"c", "1", ContainerState::kExited, 1, 5}}));
  input.start_failures["c"] = {"CrashLoopBackOff", "back-off 10s"};
  v1::ContainerStatus status = Only(input);
  EXPECT_EQ(status.state().waiting().reason(), "CrashLoopBackOff");
  EXPECT_EQ(status.state().waiting().message(), "back-off 10s");
  EXPECT_EQ(status.laststate().terminated().exitcode(), 1);
  EXPECT_EQ(status.restartcount(), 5);

  // What is not to be started again does not wait.
  v1::Pod never = PodOf("{restartPolicy: Never, containers: [{name: c}]}");
  input.pod = std::make_shared<v1::Pod>(never);
  EXPECT_TRUE(Only(input).state().has_terminated());
  v1::Pod deleted = PodOf(kOne);
  deleted.mutable_metadata()->mutable_deletiontimestamp()->set_seconds(1);
  input.pod = std::make_shared<v1::Pod>(deleted);
  EXPECT_TRUE(Only(input).state().has_terminated());
}

// 9.5: init containers whose records were collected.
TEST(ContainerStatusesTest, CollectedInitContainers) {
  const v1::Pod pod = PodOf(
      "{initContainers: [{name: i}, {name: s, restartPolicy: Always}], containers: [{name: c}]}");
  const v1::PodStatus status = MakePodStatus(InputOf(pod, RuntimeOf({{"c", "1"}})));
  const v1::ContainerStatus& init = status.initcontainerstatuses(0);
  EXPECT_EQ(init.state().terminated().reason(), "Completed");
  EXPECT_EQ(init.state().terminated().message(),
            "Unable to get init container status from container runtime and pod has been "
            "initialized, treat it as exited normally");
  EXPECT_TRUE(init.ready());
  EXPECT_TRUE(status.initcontainerstatuses(1).state().has_waiting());

  // Done: a start failure of before says nothing any more.
  StatusInput input = InputOf(pod, RuntimeOf({{"i", "1", ContainerState::kExited, 0}}));
  input.start_failures["i"] = {"ErrImagePull", ""};
  EXPECT_TRUE(MakePodStatus(input).initcontainerstatuses(0).state().has_terminated());
}

// probes.md 6
TEST(ContainerStatusesTest, Health) {
  struct Case {
    bool running;
    std::optional<ContainerHealth> health;
    bool started, ready;
  };
  const Case cases[] = {
      {true, std::nullopt, true, true},
      {true, ContainerHealth{true, false}, true, false},
      {true, ContainerHealth{true, true}, true, true},
      {true, ContainerHealth{false, true}, false, false},
      {false, ContainerHealth{true, true}, false, false},
  };
  for (const Case& c : cases) {
    StatusInput input = InputOf(
        PodOf(kOne),
        RuntimeOf({{"c", "1", c.running ? ContainerState::kRunning : ContainerState::kExited}}));
    if (c.health.has_value()) input.health["c"] = *c.health;
    const v1::ContainerStatus status = Only(input);
    EXPECT_EQ(status.started(), c.started);
    EXPECT_EQ(status.ready(), c.ready);
  }
}

// containers.md 8.4.1
TEST(ContainerStatusesTest, Resources) {
  const v1::Pod pod = PodOf(
      "{containers: [{name: c, resources: {limits: {cpu: 200m, memory: 64Mi}, requests: {cpu: 50m, "
      "memory: 32Mi}}}]}");
  auto runtime = RuntimeOf({{"c", "1"}});
  runtime->containers[0].resources = {100, 25, 128 << 20};
  v1::ContainerStatus status = Only(InputOf(pod, runtime));
  EXPECT_EQ(status.resources().limits().at("cpu").string(), "100m");
  EXPECT_EQ(status.resources().limits().at("memory").string(), "128Mi");
  EXPECT_EQ(status.resources().requests().at("cpu").string(), "25m");
  EXPECT_EQ(status.resources().requests().at("memory").string(), "32Mi");
  EXPECT_EQ(status.allocatedresources().at("cpu").string(), "50m");

  // What the runtime does not say stays as it was for the same instance.
  runtime->containers[0].resources.reset();
  const std::string old =
      "{name: c, containerID: 'containerd://1', state: {running: {}}, resources: {limits: {cpu: "
      "150m}}}";
  status = Only(WithOld(InputOf(pod, runtime), old));
  EXPECT_EQ(status.resources().limits().at("cpu").string(), "150m");
  runtime->containers[0].id = "2";
  status = Only(WithOld(InputOf(pod, runtime), old));
  EXPECT_EQ(status.resources().limits().at("cpu").string(), "200m");

  // Too small to tell: as allocated.
  const v1::Pod tiny =
      PodOf("{containers: [{name: c, resources: {limits: {cpu: 5m}, requests: {cpu: 1m}}}]}");
  runtime->containers[0].resources = {10, 2, std::nullopt};
  status = Only(InputOf(tiny, runtime));
  EXPECT_EQ(status.resources().limits().at("cpu").string(), "5m");
  EXPECT_EQ(status.resources().requests().at("cpu").string(), "1m");
}

}  // namespace
}  // namespace cubelet::status
