// Everything the agent keeps on disk, and the only functions that build those paths.
//
//   <root> (--root-dir, /var/lib/kubelet)                      0750
//   ├── pods/                                                   0750
//   │   └── <uid>/                                              0750
//   │       ├── containers/<container>/<8 hex>                  0750 / 0666  termination message
//   │       ├── etc-hosts                                       0644  the containers' /etc/hosts
//   │       ├── plugins/<plugin~name>/<volume>/                 0750  a volume plugin's own state
//   │       │   └── ready                                             marks a set-up emptyDir
//   │       ├── volume-subpaths/<volume>/<container>/<index>    0750  bind mounts for subPath
//   │       ├── volumeDevices/<plugin~name>/<volume>            0750
//   │       └── volumes/<plugin~name>/<volume>                  0750 / by plugin
//   ├── plugins/  plugins_registry/  pod-resources/             0750
//   ├── pki/                                                    0755  certificates
//   └── seccomp/                                                      localhost profiles
//   <podLogsDir> (/var/log/pods)                                0750
//   └── <namespace>_<name>_<uid>/<container>/<n>.log            0755
//   /var/log/containers/<pod>_<ns>_<container>-<id>.log         0755  links to the logs above
//
// Names inside come from API objects: callers pass only what validation has accepted (no slash, not
// "." or ".."), which CHECKs hold.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cubelet::paths {

// "kubernetes.io/empty-dir" as a directory name: "kubernetes.io~empty-dir".
std::string EscapePluginName(std::string_view plugin);

class Paths {
 public:
  // Absolute, without trailing slash.
  Paths(std::string root, std::string pod_logs_dir, std::string container_logs_dir);

  const std::string& root() const { return root_; }
  const std::string& pod_logs() const { return pod_logs_; }
  const std::string& container_logs() const { return container_logs_; }

  std::string Pods() const;
  std::string Plugins() const;
  std::string PluginsRegistry() const;
  std::string PodResources() const;
  std::string Pki() const;
  std::string Seccomp() const;

  std::string Pod(std::string_view uid) const;
  std::string PodContainer(std::string_view uid, std::string_view container) const;
  std::string PodEtcHosts(std::string_view uid) const;
  std::string PodVolumes(std::string_view uid) const;
  std::string PodVolume(std::string_view uid, std::string_view plugin,
                        std::string_view volume) const;
  std::string PodPlugins(std::string_view uid) const;
  std::string PodPluginState(std::string_view uid, std::string_view plugin,
                             std::string_view volume) const;
  std::string PodSubPaths(std::string_view uid) const;
  std::string PodSubPath(std::string_view uid, std::string_view volume, std::string_view container,
                         size_t mount_index) const;
  std::string PodVolumeDevices(std::string_view uid) const;

  // The pod's and the container's log directories, and the log of one instance of a container.
  std::string PodLogs(std::string_view name_space, std::string_view name,
                      std::string_view uid) const;
  std::string ContainerLogs(std::string_view name_space, std::string_view name,
                            std::string_view uid, std::string_view container) const;
  // LogFileName is relative to PodLogs, as the runtime is told: "<container>/<n>.log".
  static std::string LogFileName(std::string_view container, int restart_count);

  // The link in /var/log/containers; longer names are cut to 251 bytes before ".log".
  std::string ContainerLogLink(std::string_view name_space, std::string_view name,
                               std::string_view container, std::string_view container_id) const;

 private:
  std::string root_;
  std::string pod_logs_;
  std::string container_logs_;
};

}  // namespace cubelet::paths
