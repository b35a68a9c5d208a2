#include "containers/mounts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "containers/environment.h"
#include "containers/testing.h"

namespace cubelet::containers {
namespace {

using ::testing::ElementsAre;
using ::testing::FieldsAre;
using ::testing::SizeIs;

const MountedVolumes& Volumes() {
  static const MountedVolumes volumes{
      {"v", {.host_path = "/vol/v"}},
      {"ro", {.host_path = "/vol/ro", .read_only = true, .relabel = true}},
      {"img", {.is_image = true, .image_ref = "sha256:1"}},
  };
  return volumes;
}

v1::Container WithMounts(std::string_view mounts) {
  return FromYaml<v1::Container>(StrCat("{name: c, volumeMounts: ", mounts, "}"));
}

absl::StatusOr<std::vector<criv1::Mount>> Make(const v1::Container& container,
                                               const NodeContext& node = Node(),
                                               std::map<size_t, std::string> sub_paths = {},
                                               std::string_view spec = "{}") {
  return MakeMounts(PodOf(spec), container, node, Environment(),
                    {.volumes = &Volumes(), .sub_paths = &sub_paths});
}

TEST(Mounts, FollowTheContainer) {
  NodeContext node = Node();
  node.selinux_enabled = true;
  const auto mounts = Make(WithMounts(R"([
{name: v, mountPath: /data, mountPropagation: HostToContainer},
{name: ro, mountPath: relative, mountPropagation: None},
{name: ro, mountPath: /again},
{name: v, mountPath: /shared, readOnly: true, mountPropagation: Bidirectional}])"),
                           node);
  ASSERT_TRUE(mounts.ok()) << mounts.status();
  ASSERT_THAT(*mounts, SizeIs(4));
  EXPECT_EQ((*mounts)[0].host_path(), "/vol/v");
  EXPECT_EQ((*mounts)[0].propagation(), criv1::PROPAGATION_HOST_TO_CONTAINER);
  EXPECT_FALSE((*mounts)[0].readonly());
  EXPECT_FALSE((*mounts)[0].selinux_relabel());
  EXPECT_EQ((*mounts)[1].container_path(), "/relative");
  EXPECT_TRUE((*mounts)[1].readonly());
  EXPECT_TRUE((*mounts)[1].selinux_relabel());
  EXPECT_FALSE((*mounts)[2].selinux_relabel());
  EXPECT_TRUE((*mounts)[3].readonly());
  EXPECT_EQ((*mounts)[3].propagation(), criv1::PROPAGATION_BIDIRECTIONAL);
}

TEST(Mounts, ImageVolumesAreMountedByTheRuntime) {
  v1::Pod pod = PodOf("volumes: [{name: img, image: {reference: example.com/a:1}}]");
  (*pod.mutable_metadata()->mutable_annotations())["k"] = "v";
  const v1::Container container = WithMounts("[{name: img, mountPath: /i, subPath: a/b}]");
  const auto mounts = MakeMounts(pod, container, Node(), Environment(),
                                 {.volumes = &Volumes(), .runtime_handler = "kata"});
  ASSERT_TRUE(mounts.ok()) << mounts.status();
  const criv1::Mount& mount = mounts->front();
  EXPECT_EQ(mount.host_path(), "");
  EXPECT_EQ(mount.image_sub_path(), "a/b");
  EXPECT_EQ(mount.image().image(), "sha256:1");
  EXPECT_EQ(mount.image().user_specified_image(), "example.com/a:1");
  EXPECT_EQ(mount.image().runtime_handler(), "kata");
  EXPECT_EQ(mount.image().annotations().at("k"), "v");
  EXPECT_THAT(*SubPathsToPrepare(container, Environment(), Volumes()), SizeIs(0));
}

TEST(Mounts, AreRefusedWithTheReason) {
  const struct {
    const char* mount;
    const char* error;
  } cases[] = {
      {"{name: x, mountPath: /m}", "cannot find volume \"x\" to mount into container \"c\""},
      {"{name: v, mountPath: /m, mountPropagation: Odd}", "invalid MountPropagation mode: \"Odd\""},
      {"{name: v, mountPath: /m, recursiveReadOnly: Enabled}",
       "failed to resolve recursive read-only mode: volume \"v\" requested recursive read-only "
       "mode, but it is not read-only"},
      {"{name: v, mountPath: /m, readOnly: true, recursiveReadOnly: IfPossible, mountPropagation: "
       "HostToContainer}",
       "failed to resolve recursive read-only mode: volume \"v\" requested recursive read-only "
       "mode, but it is not compatible with propagation \"HostToContainer\""},
      {"{name: v, mountPath: /m, readOnly: true, recursiveReadOnly: Enabled}",
       "failed to resolve recursive read-only mode: volume \"v\" requested recursive read-only "
       "mode, but it is not supported by the runtime"},
      {"{name: v, mountPath: /m, readOnly: true, recursiveReadOnly: Odd}",
       "failed to resolve recursive read-only mode: unknown recursive read-only mode \"Odd\""},
      {"{name: v, mountPath: /m, subPath: /abs}",
       "error SubPath `/abs` must not be an absolute path"},
      {"{name: v, mountPath: /m, subPath: a/../b}",
       "unable to provision SubPath `a/../b`: must not contain '..'"},
      {"{name: v, mountPath: /m, subPathExpr: $(B)/$(A)/x}", "missing value for A, B"},
      {"{name: v, mountPath: /m, subPath: a}",
       "failed to prepare subPath for volumeMount \"v\" of container \"c\""},
  };
  for (const auto& c : cases)
    EXPECT_EQ(ErrorOf(Make(WithMounts(StrCat("[", c.mount, "]")))), c.error) << c.mount;
}

TEST(Mounts, RecursiveReadOnlyDependsOnTheHandler) {
  NodeContext node = Node();
  node.handlers[""].recursive_read_only_mounts = true;
  const auto recursive = [&](std::string_view mode, const NodeContext& on) {
    return Make(WithMounts(StrCat(
                    "[{name: v, mountPath: /m, readOnly: true, recursiveReadOnly: ", mode, "}]")),
                on)
        ->front()
        .recursive_read_only();
  };
  EXPECT_TRUE(recursive("Enabled", node));
  EXPECT_TRUE(recursive("IfPossible", node));
  EXPECT_FALSE(recursive("Disabled", node));
  EXPECT_FALSE(recursive("IfPossible", Node()));
}

TEST(SubPaths, AreListedForPreparation) {
  Environment environment;
  environment.Set("POD", "p0");
  const v1::Container container = WithMounts(R"([
{name: v, mountPath: /a},
{name: v, mountPath: /b, subPath: x/..y},
{name: img, mountPath: /c, subPath: z},
{name: ro, mountPath: /d, subPathExpr: $(POD)/d}])");
  const auto sub_paths = SubPathsToPrepare(container, environment, Volumes());
  ASSERT_TRUE(sub_paths.ok()) << sub_paths.status();
  EXPECT_THAT(*sub_paths, ElementsAre(FieldsAre(1u, "v", "x/..y"), FieldsAre(3u, "ro", "p0/d")));

  const std::map<size_t, std::string> prepared{{1, "/prepared/1"}, {3, "/prepared/3"}};
  const auto mounts = MakeMounts(PodOf("{}"), container, Node(), environment,
                                 {.volumes = &Volumes(), .sub_paths = &prepared});
  ASSERT_TRUE(mounts.ok()) << mounts.status();
  EXPECT_EQ((*mounts)[0].host_path(), "/vol/v");
  EXPECT_EQ((*mounts)[1].host_path(), "/prepared/1");
  EXPECT_EQ((*mounts)[3].host_path(), "/prepared/3");
}

TEST(SubPaths, EmptyVariablesAndExpansionsThatLeaveTheVolumeAreErrors) {
  Environment environment;
  environment.Set("EMPTY", "");
  environment.Set("UP", "..");
  environment.Set("ROOT", "/etc");
  environment.Set("LONG", std::string(4097, 'x'));
  const auto error = [&](std::string_view expression) {
    return ErrorOf(SubPathsToPrepare(
        WithMounts(StrCat("[{name: v, mountPath: /a, subPathExpr: ", expression, "}]")),
        environment, Volumes()));
  };
  EXPECT_EQ(error("$(EMPTY)"), "missing value for EMPTY");
  EXPECT_EQ(error("a/$(UP)"), "unable to provision SubPath `a/..`: must not contain '..'");
  EXPECT_EQ(error("$(LONG)"),
            "subPathExpr of volumeMount \"v\": references expand to more than 4096 bytes");
  EXPECT_EQ(error("$(ROOT)"), "error SubPath `/etc` must not be an absolute path");
}

TEST(Mounts, HostsFileAndTerminationLogComeLast) {
  const auto container = FromYaml<v1::Container>(
      "{name: c, terminationMessagePath: dev/log, volumeMounts: [{name: v, mountPath: /a}]}");
  NodeContext node = Node();
  node.selinux_enabled = true;
  const auto mounts =
      MakeMounts(PodOf("{}"), container, node, Environment(),
                 {.volumes = &Volumes(), .pod_has_ips = true, .termination_log = "/t/01234567"});
  ASSERT_THAT(*mounts, SizeIs(3));
  EXPECT_EQ((*mounts)[1].container_path(), "/etc/hosts");
  EXPECT_EQ((*mounts)[1].host_path(), "/var/lib/kubelet/pods/u1/etc-hosts");
  EXPECT_TRUE((*mounts)[1].selinux_relabel());
  EXPECT_EQ((*mounts)[2].container_path(), "/dev/log");
  EXPECT_EQ((*mounts)[2].host_path(), "/t/01234567");
  EXPECT_TRUE((*mounts)[2].selinux_relabel());
}

TEST(Mounts, HostsFileOnlyWhereWanted) {
  const v1::Container plain = WithMounts("[]");
  EXPECT_TRUE(WantsHostsFile(PodOf("{}"), plain, true));
  EXPECT_FALSE(WantsHostsFile(PodOf("{}"), plain, false));
  EXPECT_TRUE(WantsHostsFile(PodOf("hostNetwork: true"), plain, false));
  EXPECT_FALSE(WantsHostsFile(PodOf("{}"), WithMounts("[{name: v, mountPath: /etc/hosts}]"), true));
}

TEST(BlockDevices, FollowTheContainer) {
  const BlockVolumes volumes{{"a", {.host_path = "/links/a"}},
                             {"b", {.host_path = "/links/b", .read_only = true}},
                             {"gone", {}}};
  const auto make = [&](std::string_view devices) {
    return MakeBlockDevices(
        FromYaml<v1::Container>(StrCat("{name: c, volumeDevices: ", devices, "}")), volumes);
  };
  const auto devices = make(
      "[{name: a, devicePath: /dev/a}, {name: gone, devicePath: /dev/g}, {name: b, devicePath: "
      "/dev/b}]");
  ASSERT_TRUE(devices.ok()) << devices.status();
  ASSERT_THAT(*devices, SizeIs(2));
  EXPECT_EQ((*devices)[0].host_path(), "/links/a");
  EXPECT_EQ((*devices)[0].container_path(), "/dev/a");
  EXPECT_EQ((*devices)[0].permissions(), "mrw");
  EXPECT_EQ((*devices)[1].permissions(), "r");
  EXPECT_EQ(ErrorOf(make("[{name: a, devicePath: dev}]")),
            "error DevicePath `dev` must be an absolute path");
  EXPECT_EQ(ErrorOf(make("[{name: x, devicePath: /dev/x}]")),
            "cannot find volume \"x\" to pass into container \"c\"");
}

}  // namespace
}  // namespace cubelet::containers
