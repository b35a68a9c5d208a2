#include "volumes/content.h"

#include <fcntl.h>

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "api/pod.h"
#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"
#include "os/files.h"
#include "os/safe_path.h"
#include "volumes/empty_dir.h"
#include "volumes/fs_group.h"

namespace cubelet::volumes {
namespace {

// A mount path without needless slashes and dots; "" when it steps back, which no container may.
std::string CleanMountPath(std::string_view path) {
  std::string clean;
  for (absl::string_view part : absl::StrSplit(ToAbsl(path), '/', absl::SkipEmpty())) {
    if (part == "..") return "";
    if (part != ".") StrAppend(&clean, "/", part);
  }
  return clean;
}

template <typename Mounts>
void AddNested(const Mounts& mounts, const std::string& volume, std::set<std::string>& nested) {
  std::vector<std::string> own, all;
  for (const v1::VolumeMount& mount : mounts) {
    const std::string path = CleanMountPath(mount.mountpath());
    if (path.empty()) continue;
    all.push_back(path + "/");
    if (mount.name() == volume) own.push_back(path + "/");
  }
  std::sort(all.begin(), all.end());
  for (const std::string& prefix : own) {
    std::string outermost;
    for (const std::string& path : all) {
      if (path == prefix || !absl::StartsWith(path, prefix)) continue;
      if (!outermost.empty() && absl::StartsWith(path, outermost)) continue;
      outermost = path;
      nested.insert(path.substr(prefix.size(), path.size() - prefix.size() - 1));
    }
  }
}

std::string_view TopName(std::string_view path) { return path.substr(0, path.find('/')); }

// A name of the payload stays a link to its file: the runtime mounts over what it leads to.
bool IsInPayload(std::string_view path, const Payload& payload) {
  return std::any_of(payload.begin(), payload.end(),
                     [&](const auto& file) { return TopName(file.first) == TopName(path); });
}

absl::Status MakeNestedMountPoints(const VolumeRequest& request, const Payload& payload) {
  const std::vector<std::string> nested = NestedMountPoints(*request.pod, request.volume->name());
  if (nested.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const UniqueFd volume, os::Open(request.directory, O_PATH | O_DIRECTORY));
  for (const std::string& path : nested) {
    if (!IsInPayload(path, payload))
      RETURN_IF_ERROR(os::MakeDirectoriesBelow(volume.get(), path, 0755).status());
  }
  return absl::OkStatus();
}

absl::Status GiveToGroup(const VolumeRequest& request) {
  const std::optional<gid_t> group = FsGroupOf(*request.pod);
  if (!group) return absl::OkStatus();
  const absl::Status given = ApplyFsGroup(request.directory, *group, /*read_only=*/true);
  if (!given.ok()) {
    VLOG(2, "Volume keeps the group it has",
         {{"path", request.directory}, {"err", Message(given)}});
  }
  return absl::OkStatus();
}

absl::Status Fill(const VolumeRequest& request, const Payload& payload) {
  RETURN_IF_ERROR(MakeNestedMountPoints(request, payload));
  return WriteAtomically(request.directory, payload, request.now,
                         [&] { return GiveToGroup(request); });
}

absl::Status TakeDown(const VolumeRequest& request, Mounter& mounter) {
  ASSIGN_OR_RETURN(const std::vector<std::string> mounts,
                   mounter.MountPointsUnder(request.directory));
  return TearDownEmptyDir(request.directory, request.state_directory, mounts, mounter);
}

}  // namespace

std::vector<std::string> NestedMountPoints(const v1::Pod& pod, const std::string& volume) {
  std::set<std::string> nested;
  api::ForEachContainer(pod, [&](const v1::Container& container, api::ContainerType) {
    AddNested(container.volumemounts(), volume, nested);
  });
  return {nested.begin(), nested.end()};
}

absl::Status SetUpContent(const VolumeRequest& request, const Payload& payload, Mounter& mounter) {
  ASSIGN_OR_RETURN(const bool in_use, os::Exists(os::JoinPath(request.directory, "..data")));
  RETURN_IF_ERROR(SetUpEmptyDir(request, request.in_memory ? kMediumMemory : kMediumDefault,
                                /*size_limit_bytes=*/0, mounter));
  const absl::Status filled = Fill(request, payload);
  if (filled.ok() || in_use) return filled;
  const absl::Status down = TakeDown(request, mounter);
  if (!down.ok()) VLOG(2, "Volume is left half set up", {{"err", Message(down)}});
  return filled;
}

}  // namespace cubelet::volumes
