#include "paths/paths.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "base/check.h"
#include "base/strings.h"

namespace cubelet::paths {
namespace {

// The longest file name of Linux' file systems, in bytes.
constexpr size_t kMaxFileName = 255;
constexpr std::string_view kLogSuffix = ".log";

// Whether `name` stands for one entry of a directory and nothing else.
bool IsEntryName(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == name.npos &&
         name.find('\0') == name.npos;
}

std::string_view Checked(std::string_view name) {
  CHECK(IsEntryName(name));
  return name;
}

std::string Join(std::string_view directory, std::initializer_list<std::string_view> entries) {
  std::string path(directory);
  for (std::string_view entry : entries) StrAppend(&path, "/", Checked(entry));
  return path;
}

std::string Directory(std::string path) {
  CHECK(path.size() > 1 && path.front() == '/' && path.back() != '/');
  return path;
}

// An id from the runtime as part of a file name: what cannot stand in one becomes '_'.
std::string FileNamePart(std::string_view id) {
  std::string part(id);
  std::replace_if(part.begin(), part.end(), [](char c) { return c == '/' || c == '\0'; }, '_');
  return part;
}

}  // namespace

std::string EscapePluginName(std::string_view plugin) {
  std::string name(plugin);
  std::replace(name.begin(), name.end(), '/', '~');
  return name;
}

Paths::Paths(std::string root, std::string pod_logs_dir, std::string container_logs_dir)
    : root_(Directory(std::move(root))),
      pod_logs_(Directory(std::move(pod_logs_dir))),
      container_logs_(Directory(std::move(container_logs_dir))) {}

std::string Paths::Pods() const { return Join(root_, {"pods"}); }
std::string Paths::Plugins() const { return Join(root_, {"plugins"}); }
std::string Paths::PluginsRegistry() const { return Join(root_, {"plugins_registry"}); }
std::string Paths::PodResources() const { return Join(root_, {"pod-resources"}); }
std::string Paths::Pki() const { return Join(root_, {"pki"}); }
std::string Paths::Seccomp() const { return Join(root_, {"seccomp"}); }

std::string Paths::Pod(std::string_view uid) const { return Join(root_, {"pods", uid}); }

std::string Paths::PodContainer(std::string_view uid, std::string_view container) const {
  return Join(Pod(uid), {"containers", container});
}

std::string Paths::PodEtcHosts(std::string_view uid) const { return Join(Pod(uid), {"etc-hosts"}); }

std::string Paths::PodVolumes(std::string_view uid) const { return Join(Pod(uid), {"volumes"}); }

std::string Paths::PodVolume(std::string_view uid, std::string_view plugin,
                             std::string_view volume) const {
  return Join(PodVolumes(uid), {EscapePluginName(plugin), volume});
}

std::string Paths::PodPlugins(std::string_view uid) const { return Join(Pod(uid), {"plugins"}); }

std::string Paths::PodPluginState(std::string_view uid, std::string_view plugin,
                                  std::string_view volume) const {
  return Join(PodPlugins(uid), {EscapePluginName(plugin), volume});
}

std::string Paths::PodSubPaths(std::string_view uid) const {
  return Join(Pod(uid), {"volume-subpaths"});
}

std::string Paths::PodSubPath(std::string_view uid, std::string_view volume,
                              std::string_view container, size_t mount_index) const {
  return Join(PodSubPaths(uid), {volume, container, StrCat(mount_index)});
}

std::string Paths::PodVolumeDevices(std::string_view uid) const {
  return Join(Pod(uid), {"volumeDevices"});
}

std::string Paths::PodLogs(std::string_view name_space, std::string_view name,
                           std::string_view uid) const {
  return Join(pod_logs_, {StrCat(Checked(name_space), "_", Checked(name), "_", Checked(uid))});
}

std::string Paths::ContainerLogs(std::string_view name_space, std::string_view name,
                                 std::string_view uid, std::string_view container) const {
  return Join(PodLogs(name_space, name, uid), {container});
}

std::string Paths::LogFileName(std::string_view container, int restart_count) {
  return StrCat(Checked(container), "/", restart_count, kLogSuffix);
}

std::string Paths::ContainerLogLink(std::string_view name_space, std::string_view name,
                                    std::string_view container,
                                    std::string_view container_id) const {
  std::string file = StrCat(Checked(name), "_", Checked(name_space), "_", Checked(container), "-",
                            FileNamePart(container_id));
  if (file.size() + kLogSuffix.size() > kMaxFileName) file.resize(kMaxFileName - kLogSuffix.size());
  return Join(container_logs_, {StrCat(file, kLogSuffix)});
}

}  // namespace cubelet::paths
