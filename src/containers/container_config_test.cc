#include "containers/container_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "containers/container_hash.h"
#include "containers/labels.h"
#include "containers/testing.h"

namespace cubelet::containers {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

absl::StatusOr<criv1::ContainerConfig> Make(std::string_view container,
                                            const ContainerInput& input = {},
                                            const NodeContext& node = Node(),
                                            std::string_view spec = "{}") {
  return MakeContainerConfig(PodOf(spec), FromYaml<v1::Container>(container), node, input);
}

TEST(ContainerHash, IsTheSharedOne) {
  const struct {
    const char* name;
    const char* image;
    const char* hash;
  } cases[] = {
      {"a", "docker.io/library/busybox:latest", "a71d1be"},
      {"test_container", "foo/image:v1", "8e45cbd0"},
      {"nginx", "nginx:1.27", "91edee8f"},
  };
  for (const auto& c : cases) {
    v1::Container container;
    container.set_name(c.name);
    container.set_image(c.image);
    container.add_command("does not count");
    EXPECT_EQ(ContainerHash(container), c.hash);
  }
}

TEST(ContainerConfig, ExpandsCommandAndArguments) {
  ContainerInput input{.restart_count = 4, .image_ref = "sha256:1"};
  input.environment.Set("A", "x$(B)");
  const auto config = Make(
      "{name: c, image: img, command: [$(A), $$(A), $(B)], args: [-$(A)-], workingDir: /w, stdin: "
      "true, stdinOnce: true, tty: true}",
      input);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_THAT(config->command(), ElementsAre("x$(B)", "$(A)", "$(B)"));
  EXPECT_THAT(config->args(), ElementsAre("-x$(B)-"));
  EXPECT_EQ(config->metadata().attempt(), 4u);
  EXPECT_EQ(config->image().image(), "sha256:1");
  EXPECT_EQ(config->image().user_specified_image(), "img");
  EXPECT_EQ(config->working_dir(), "/w");
  EXPECT_EQ(config->log_path(), "c/4.log");
  EXPECT_TRUE(config->stdin() && config->stdin_once() && config->tty());
  ASSERT_THAT(config->envs(), SizeIs(1));
  EXPECT_EQ(config->envs(0).value(), "x$(B)");
}

TEST(ContainerConfig, CommandsCannotGrowWithoutBound) {
  ContainerInput input;
  input.environment.Set("A", std::string(1 << 20, 'x'));
  std::string words;
  for (int i = 0; i < 17; ++i) StrAppend(&words, i == 0 ? "" : ", ", "$(A)");
  EXPECT_EQ(ErrorOf(Make(StrCat("{name: c, args: [", words, "]}"), input)),
            "references expand to more than 16777216 bytes");
}

TEST(ContainerAnnotations, KeepWhatTheEndOfAContainerNeeds) {
  v1::Pod pod = PodOf("terminationGracePeriodSeconds: 7");
  pod.mutable_metadata()->set_deletiongraceperiodseconds(3);
  const auto container = FromYaml<v1::Container>(R"(
name: c
terminationMessagePath: /m
terminationMessagePolicy: File
ports: [{containerPort: 80}]
lifecycle: {preStop: {exec: {command: [a, "<&>"]}}})");
  const StringMap annotations = ContainerAnnotations(pod, container, 2);
  EXPECT_EQ(annotations.at(kTerminationGraceAnnotation), "7");
  EXPECT_EQ(annotations.at(kDeletionGraceAnnotation), "3");
  EXPECT_EQ(annotations.at(kRestartCountAnnotation), "2");
  EXPECT_EQ(annotations.at(kMessagePathAnnotation), "/m");
  EXPECT_EQ(annotations.at(kMessagePolicyAnnotation), "File");
  EXPECT_EQ(annotations.at(kPortsAnnotation), R"([{"containerPort":80}])");
  EXPECT_EQ(annotations.at(kPreStopAnnotation),
            R"({"exec":{"command":["a","\u003c\u0026\u003e"]}})");
  EXPECT_THAT(ContainerAnnotations(PodOf("{}"), v1::Container(), 0), SizeIs(4));
}

TEST(ContainerConfig, DevicesAreAdded) {
  ContainerInput input;
  input.devices.devices.emplace_back().set_host_path("/dev/x");
  input.devices.mounts.emplace_back().set_host_path("/lib/x");
  input.devices.cdi_devices = {"vendor.com/x=0"};
  input.devices.annotations = {{"vendor", "1"}, {kHashAnnotation, "forged"}};
  input.block_volumes = {{"b", {.host_path = "/links/b"}}};
  input.volumes = {{"v", {.host_path = "/vol/v"}}};
  const auto config = Make(
      "{name: c, volumeDevices: [{name: b, devicePath: /dev/b}], volumeMounts: [{name: v, "
      "mountPath: /v}]}",
      input);
  ASSERT_TRUE(config.ok()) << config.status();
  ASSERT_THAT(config->devices(), SizeIs(2));
  EXPECT_EQ(config->devices(0).host_path(), "/dev/x");
  EXPECT_EQ(config->devices(1).host_path(), "/links/b");
  ASSERT_THAT(config->mounts(), SizeIs(2));
  EXPECT_EQ(config->mounts(0).host_path(), "/lib/x");
  EXPECT_EQ(config->mounts(1).host_path(), "/vol/v");
  EXPECT_EQ(config->cdi_devices(0).name(), "vendor.com/x=0");
  EXPECT_EQ(config->annotations().at("vendor"), "1");
  EXPECT_NE(config->annotations().at(kHashAnnotation), "forged");
}

TEST(ContainerConfig, UserNamespaceMapsAllMounts) {
  ContainerInput input{.pod_ips = {"10.1.0.5"},
                       .user_namespace = UserNamespace{.host_id = 65536, .length = 65536}};
  input.volumes = {{"v", {.host_path = "/vol/v"}}};
  const auto config = Make("{name: c, volumeMounts: [{name: v, mountPath: /v}]}", input, Node(),
                           "hostUsers: false");
  ASSERT_TRUE(config.ok()) << config.status();
  ASSERT_THAT(config->mounts(), SizeIs(2));
  for (const criv1::Mount& mount : config->mounts()) {
    ASSERT_THAT(mount.uidmappings(), SizeIs(1));
    EXPECT_EQ(mount.uidmappings(0).host_id(), 65536u);
    EXPECT_EQ(mount.gidmappings(0).length(), 65536u);
  }
}

TEST(ContainerConfig, StopSignalOnlyBehindItsGate) {
  NodeContext node = Node();
  const char container[] = "{name: c, lifecycle: {stopSignal: SIGRTMIN+3}}";
  EXPECT_EQ(Make(container, {}, node)->stop_signal(), criv1::RUNTIME_DEFAULT);
  node.container_stop_signals = true;
  EXPECT_EQ(Make(container, {}, node)->stop_signal(), criv1::SIGRTMINPLUS3);
  EXPECT_EQ(Make("{name: c, lifecycle: {stopSignal: SIGRTMAX-1}}", {}, node)->stop_signal(),
            criv1::SIGRTMAXMINUS1);
  EXPECT_EQ(ErrorOf(Make("{name: c, lifecycle: {stopSignal: SIGODD}}", {}, node)),
            "lifecycle.stopSignal \"SIGODD\" is not a signal");
}

TEST(ContainerConfig, ErrorsComeInTheOrderOfGeneration) {
  const std::string mount = "volumeMounts: [{name: v, mountPath: /v}]";
  const std::string security =
      "securityContext: {runAsNonRoot: true, runAsUser: 0, seccompProfile: {type: Localhost}}";
  const auto error = [&](std::string_view device_path, const ContainerInput& input) {
    return ErrorOf(Make(StrCat("{name: c, volumeDevices: [{name: b, devicePath: ", device_path,
                               "}], ", mount, ", ", security, "}"),
                        input));
  };
  ContainerInput input{.block_volumes = {{"b", {}}}};
  EXPECT_THAT(error("rel", input), StartsWith("error DevicePath"));
  EXPECT_THAT(error("/dev/b", input), StartsWith("cannot find volume"));
  input.volumes = {{"v", {.host_path = "/vol/v"}}};
  EXPECT_THAT(error("/dev/b", input), StartsWith("container's runAsUser breaks"));
}

TEST(ContainerLabels, AreTheFourOfTheContainer) {
  v1::Container container;
  container.set_name("c");
  EXPECT_THAT(ContainerLabels(PodOf("{}"), container),
              UnorderedElementsAre(Pair(kContainerNameLabel, "c"), Pair(kPodNameLabel, "p"),
                                   Pair(kPodNamespaceLabel, "ns"), Pair(kPodUidLabel, "u1")));
}

}  // namespace
}  // namespace cubelet::containers
