#include "paths/paths.h"

#include <gtest/gtest.h>

namespace cubelet::paths {
namespace {

constexpr char kUid[] = "4728f6e6-b516-402e-85b7-8c8cd0385062";

Paths Default() { return {"/var/lib/kubelet", "/var/log/pods", "/var/log/containers"}; }

TEST(Paths, DirectoriesOfTheRoot) {
  const Paths paths = Default();
  EXPECT_EQ(paths.root(), "/var/lib/kubelet");
  EXPECT_EQ(paths.Pods(), "/var/lib/kubelet/pods");
  EXPECT_EQ(paths.Plugins(), "/var/lib/kubelet/plugins");
  EXPECT_EQ(paths.PluginsRegistry(), "/var/lib/kubelet/plugins_registry");
  EXPECT_EQ(paths.PodResources(), "/var/lib/kubelet/pod-resources");
  EXPECT_EQ(paths.Pki(), "/var/lib/kubelet/pki");
  EXPECT_EQ(paths.Seccomp(), "/var/lib/kubelet/seccomp");
}

TEST(Paths, TreeOfAPodAsRecorded) {
  const Paths paths = Default();
  const std::string pod = std::string("/var/lib/kubelet/pods/") + kUid;
  EXPECT_EQ(paths.Pod(kUid), pod);
  EXPECT_EQ(paths.PodContainer(kUid, "main"), pod + "/containers/main");
  EXPECT_EQ(paths.PodEtcHosts(kUid), pod + "/etc-hosts");
  EXPECT_EQ(paths.PodVolumes(kUid), pod + "/volumes");
  EXPECT_EQ(paths.PodVolume(kUid, "kubernetes.io/projected", "kube-api-access-6cmkl"),
            pod + "/volumes/kubernetes.io~projected/kube-api-access-6cmkl");
  EXPECT_EQ(paths.PodPlugins(kUid), pod + "/plugins");
  EXPECT_EQ(paths.PodPluginState(kUid, "kubernetes.io/empty-dir", "wrapped_kube-api-access-6cmkl"),
            pod + "/plugins/kubernetes.io~empty-dir/wrapped_kube-api-access-6cmkl");
  EXPECT_EQ(paths.PodSubPaths(kUid), pod + "/volume-subpaths");
  EXPECT_EQ(paths.PodSubPath(kUid, "data", "main", 3), pod + "/volume-subpaths/data/main/3");
  EXPECT_EQ(paths.PodVolumeDevices(kUid), pod + "/volumeDevices");
}

TEST(Paths, LogsAsRecorded) {
  const Paths paths = Default();
  const std::string directory = "/var/log/pods/golden_minimal_2c04dd8a-f689-4001-afe5-1f3747b140e6";
  EXPECT_EQ(paths.PodLogs("golden", "minimal", "2c04dd8a-f689-4001-afe5-1f3747b140e6"), directory);
  EXPECT_EQ(
      paths.ContainerLogs("golden", "minimal", "2c04dd8a-f689-4001-afe5-1f3747b140e6", "main"),
      directory + "/main");
  EXPECT_EQ(Paths::LogFileName("main", 0), "main/0.log");
  EXPECT_EQ(Paths::LogFileName("main", 12), "main/12.log");
}

TEST(Paths, LogLinkIsCutToTheLongestFileName) {
  const Paths paths = Default();
  EXPECT_EQ(paths.ContainerLogLink("ns", "pod", "main", "abc"),
            "/var/log/containers/pod_ns_main-abc.log");
  const std::string prefix = "/var/log/containers/";
  // <name>_ns_main-<64 characters of id>.log
  const std::string id(64, 'f');
  const size_t fixed = std::string("_ns_main-.log").size() + id.size();
  const std::string fits(255 - fixed, 'p');
  EXPECT_EQ(paths.ContainerLogLink("ns", fits, "main", id),
            prefix + fits + "_ns_main-" + id + ".log");
  EXPECT_EQ(paths.ContainerLogLink("ns", fits + "p", "main", id),
            prefix + fits + "p_ns_main-" + id.substr(1) + ".log");
}

TEST(Paths, ARuntimesIdStaysInItsDirectory) {
  EXPECT_EQ(Default().ContainerLogLink("ns", "pod", "main", "../../etc/passwd"),
            "/var/log/containers/pod_ns_main-.._.._etc_passwd.log");
}

TEST(Paths, EscapesPluginNames) {
  EXPECT_EQ(EscapePluginName("kubernetes.io/empty-dir"), "kubernetes.io~empty-dir");
  EXPECT_EQ(EscapePluginName("plain"), "plain");
}

TEST(PathsDeathTest, NamesThatLeaveTheirDirectoryAreBugs) {
  const Paths paths = Default();
  EXPECT_DEATH(paths.Pod(".."), "check failed");
  EXPECT_DEATH(paths.Pod(""), "check failed");
  EXPECT_DEATH(paths.Pod("a/b"), "check failed");
  EXPECT_DEATH(paths.PodVolume(kUid, "kubernetes.io/empty-dir", "."), "check failed");
  EXPECT_DEATH(paths.PodLogs("a/b", "c", kUid), "check failed");
  EXPECT_DEATH(Paths("relative", "/a", "/b"), "check failed");
  EXPECT_DEATH(Paths("/slash/", "/a", "/b"), "check failed");
}

}  // namespace
}  // namespace cubelet::paths
