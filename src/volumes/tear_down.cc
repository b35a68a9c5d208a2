#include "volumes/tear_down.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "base/strings.h"
#include "os/files.h"
#include "os/tree.h"
#include "volumes/empty_dir.h"
#include "volumes/plugin.h"

namespace cubelet::volumes {
namespace {

// Kinds whose volume is an emptyDir that this kubelet may remove with its content. The first is one
// itself, under the others is one.
constexpr std::string_view kPlainEmptyDir = "kubernetes.io~empty-dir";
constexpr std::string_view kWrappedEmptyDirs[] = {
    "kubernetes.io~configmap", "kubernetes.io~downward-api", "kubernetes.io~projected",
    "kubernetes.io~secret"};

bool IsWrapped(std::string_view plugin) {
  for (std::string_view wrapped : kWrappedEmptyDirs) {
    if (plugin == wrapped) return true;
  }
  return false;
}

// The names in a directory; none without it.
absl::StatusOr<std::vector<std::string>> NamesIn(const std::string& directory) {
  absl::StatusOr<std::vector<std::string>> names = os::ListDirectory(directory);
  if (absl::IsNotFound(names.status())) return std::vector<std::string>();
  return names;
}

absl::Status UnmountUnder(const std::string& path, Mounter& mounter) {
  ASSIGN_OR_RETURN(const std::vector<std::string> mounts, mounter.MountPointsUnder(path));
  absl::Status result;
  for (const std::string& mount : mounts) result = FirstError(result, mounter.Unmount(mount));
  return result;
}

absl::Status RemoveForeign(const std::string& plugin, const std::string& directory,
                           const std::vector<std::string>& mounts) {
  for (const std::string& mount : mounts) {
    if (!IsAtOrBelow(mount, directory)) continue;
    return absl::FailedPreconditionError(
        StrCat(mount, " is mounted by ", plugin, ", which this kubelet cannot take down"));
  }
  return os::RemoveEmptyTree(directory);
}

// One pass over <pod>/volumes with the mounts there were at its start.
class VolumesTearDown {
 public:
  VolumesTearDown(const paths::Paths& paths, const std::string& uid,
                  std::vector<std::string> mounts, Mounter& mounter)
      : paths_(paths), uid_(uid), mounts_(std::move(mounts)), mounter_(mounter) {}

  // All volumes of a kind, and the kind's directory.
  absl::Status Kind(const std::string& plugin) {
    const std::string directory = os::JoinPath(paths_.PodVolumes(uid_), plugin);
    ASSIGN_OR_RETURN(const std::vector<std::string> volumes, NamesIn(directory));
    absl::Status result;
    for (const std::string& volume : volumes) {
      result = FirstError(
          result, Annotate(Volume(plugin, volume), StrCat("tear down volume ", GoQuote(volume))));
    }
    return result.ok() ? os::RemoveDirectory(directory) : result;
  }

 private:
  absl::Status Volume(const std::string& plugin, const std::string& volume) {
    const std::string directory = paths_.PodVolume(uid_, plugin, volume);
    const bool wrapped = IsWrapped(plugin);
    if (plugin != kPlainEmptyDir && !wrapped) return RemoveForeign(plugin, directory, mounts_);
    const std::string state =
        paths_.PodPluginState(uid_, kEmptyDirPlugin, wrapped ? WrappedName(volume) : volume);
    return TearDownEmptyDir(directory, state, mounts_, mounter_);
  }

  const paths::Paths& paths_;
  const std::string& uid_;
  const std::vector<std::string> mounts_;
  Mounter& mounter_;
};

absl::Status TearDownVolumes(const paths::Paths& paths, const std::string& uid, Mounter& mounter) {
  const std::string root = paths.PodVolumes(uid);
  ASSIGN_OR_RETURN(const std::vector<std::string> plugins, NamesIn(root));
  if (plugins.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(std::vector<std::string> mounts, mounter.MountPointsUnder(root));
  VolumesTearDown tear_down(paths, uid, std::move(mounts), mounter);
  absl::Status result;
  for (const std::string& plugin : plugins) result = FirstError(result, tear_down.Kind(plugin));
  return result;
}

// Removes the targets of binds in <volume-subpaths>/<volume>/<container> once nothing is mounted on
// them; they hold nothing themselves.
absl::Status RemoveTargets(const std::string& directory) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, NamesIn(directory));
  for (const std::string& name : names) {
    const std::string target = os::JoinPath(directory, name);
    ASSIGN_OR_RETURN(const struct stat info, os::Lstat(target));
    RETURN_IF_ERROR(S_ISDIR(info.st_mode) ? os::RemoveDirectory(target) : os::RemoveFile(target));
  }
  return os::RemoveDirectory(directory);
}

absl::Status TearDownSubPathsOf(const std::string& directory, Mounter& mounter) {
  RETURN_IF_ERROR(UnmountUnder(directory, mounter));
  return RemoveTargets(directory);
}

}  // namespace

absl::Status TearDownSubPaths(const paths::Paths& paths, const std::string& uid,
                              std::string_view container, Mounter& mounter) {
  const std::string root = paths.PodSubPaths(uid);
  ASSIGN_OR_RETURN(const std::vector<std::string> volumes, NamesIn(root));
  absl::Status result;
  for (const std::string& volume : volumes) {
    const std::string of_volume = os::JoinPath(root, volume);
    ASSIGN_OR_RETURN(const std::vector<std::string> containers, NamesIn(of_volume));
    size_t left = containers.size();
    for (const std::string& name : containers) {
      if (!container.empty() && name != container) continue;
      const absl::Status status = TearDownSubPathsOf(os::JoinPath(of_volume, name), mounter);
      if (status.ok()) --left;
      result = FirstError(result, status);
    }
    if (left == 0) result = FirstError(result, os::RemoveDirectory(of_volume));
  }
  return Annotate(result, "tear down sub-paths");
}

absl::Status TearDownPod(const paths::Paths& paths, const std::string& uid, Mounter& mounter) {
  // Sub-paths hold the volumes they are of.
  const absl::Status sub_paths = TearDownSubPaths(paths, uid, "", mounter);
  return FirstError(sub_paths, TearDownVolumes(paths, uid, mounter));
}

bool HasVolumes(const paths::Paths& paths, const std::string& uid, const Mounter& mounter) {
  const absl::StatusOr<std::vector<std::string>> plugins = NamesIn(paths.PodVolumes(uid));
  if (!plugins.ok()) return true;
  for (const std::string& plugin : *plugins) {
    const absl::StatusOr<std::vector<std::string>> volumes =
        NamesIn(os::JoinPath(paths.PodVolumes(uid), plugin));
    if (!volumes.ok() || !volumes->empty()) return true;
  }
  const absl::StatusOr<std::vector<std::string>> mounts = mounter.MountPointsUnder(paths.Pod(uid));
  if (!mounts.ok()) return true;
  return std::any_of(mounts->begin(), mounts->end(), [&](const std::string& mount) {
    return IsAtOrBelow(mount, paths.PodVolumes(uid)) || IsAtOrBelow(mount, paths.PodSubPaths(uid));
  });
}

absl::Status RemovePod(const paths::Paths& paths, const std::string& uid, Mounter& mounter) {
  RETURN_IF_ERROR(TearDownPod(paths, uid, mounter));
  const std::string directory = paths.Pod(uid);
  ASSIGN_OR_RETURN(const std::vector<std::string> mounts, mounter.MountPointsUnder(directory));
  if (!mounts.empty())
    return absl::FailedPreconditionError(StrCat(mounts.front(), " is still mounted"));
  // Volumes once more with nothing but rmdir: contents that came meanwhile are not lost unseen.
  RETURN_IF_ERROR(os::RemoveEmptyTree(paths.PodVolumes(uid)));
  return os::RemoveTree(directory);
}

absl::StatusOr<std::vector<std::string>> ListPods(const paths::Paths& paths) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, NamesIn(paths.Pods()));
  std::vector<std::string> pods;
  for (const std::string& name : names) {
    const absl::StatusOr<struct stat> info = os::Lstat(os::JoinPath(paths.Pods(), name));
    if (info.ok() && S_ISDIR(info->st_mode)) pods.push_back(name);
  }
  return pods;
}

}  // namespace cubelet::volumes
