#include "volumes/empty_dir.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "api/pod.h"
#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"
#include "os/files.h"
#include "os/tree.h"
#include "volumes/fs_group.h"

namespace cubelet::volumes {
namespace {

constexpr char kMediumHugePages[] = "HugePages";
constexpr char kHugePagesPrefix[] = "HugePages-";
constexpr char kHugePagesResource[] = "hugepages-";
constexpr char kReadyMarker[] = "ready";
constexpr mode_t kVolumeMode = 0777;

bool IsHugePages(const std::string& medium) {
  return medium == kMediumHugePages || absl::StartsWith(medium, kHugePagesPrefix);
}

// What the pod's cgroup will hold its memory to: unset unless every container is limited or the pod
// is as a whole.
std::optional<int64_t> MemoryLimitOf(const v1::Pod& pod) {
  constexpr char kMemory[] = "memory";
  bool all_limited = true;
  api::ForEachContainer(pod, [&](const v1::Container& container, api::ContainerType) {
    all_limited &= api::FindLimit(container, kMemory).value_or(api::Quantity()).Sign() > 0;
  });
  if (!all_limited && !pod.spec().resources().limits().contains(kMemory)) return std::nullopt;
  const api::ResourceAmounts limits = api::PodLimits(pod);
  const auto limit = limits.find(kMemory);
  return limit == limits.end() ? std::nullopt : std::optional(limit->second.Value());
}

// The directory itself, with its mode whatever the umask.
absl::Status MakeVolumeDirectory(const VolumeRequest& request) {
  RETURN_IF_ERROR(os::MakeDirectories(request.pod_volumes, 0750));
  RETURN_IF_ERROR(os::MakeDirectories(request.directory, kVolumeMode));
  ASSIGN_OR_RETURN(const struct stat info, os::Lstat(request.directory));
  if (!S_ISDIR(info.st_mode))
    return absl::FailedPreconditionError(StrCat(request.directory, " is not a directory"));
  if ((info.st_mode & 0777) == kVolumeMode) return absl::OkStatus();
  return os::ChangeMode(request.directory, kVolumeMode);
}

absl::Status SetUpTmpfs(const VolumeRequest& request, int64_t size_limit_bytes, Mounter& mounter) {
  RETURN_IF_ERROR(MakeVolumeDirectory(request));
  ASSIGN_OR_RETURN(const bool mounted, mounter.IsMountPoint(request.directory));
  if (mounted) return absl::OkStatus();
  const int64_t size =
      TmpfsSize(*request.pod, request.node_allocatable_memory_bytes, size_limit_bytes);
  const absl::Status status =
      mounter.Mount("tmpfs", request.directory, "tmpfs", TmpfsOptions(size, true));
  // Kernels before 6.4 do not know "noswap".
  if (!absl::IsInvalidArgument(status)) return status;
  return mounter.Mount("tmpfs", request.directory, "tmpfs", TmpfsOptions(size, false));
}

// A mount that is there already must have the pages asked for now.
absl::Status CheckMountedPageSize(const VolumeRequest& request, const api::Quantity& wanted) {
  struct statfs info;
  if (::statfs(request.directory.c_str(), &info) != 0)
    return ErrnoError(StrCat("stat the filesystem at ", request.directory));
  if (info.f_type != HUGETLBFS_MAGIC || info.f_bsize == wanted.Value()) return absl::OkStatus();
  const api::Quantity mounted =
      api::Quantity::FromInt(info.f_bsize, api::Quantity::Format::kBinarySi);
  return absl::FailedPreconditionError(StrCat(
      "pod ", request.pod->metadata().name(), ": mounted dir ", request.directory, " pagesize '",
      mounted.ToString(), "' and requested medium size '", wanted.ToString(), "' differ"));
}

absl::Status SetUpHugePages(const VolumeRequest& request, const std::string& medium,
                            Mounter& mounter) {
  ASSIGN_OR_RETURN(const api::Quantity size, HugePageSize(*request.pod, medium));
  RETURN_IF_ERROR(MakeVolumeDirectory(request));
  ASSIGN_OR_RETURN(const bool mounted, mounter.IsMountPoint(request.directory));
  if (mounted) return CheckMountedPageSize(request, size);
  return mounter.Mount("nodev", request.directory, "hugetlbfs",
                       StrCat("pagesize=", size.ToString()));
}

absl::Status SetUpMedium(const VolumeRequest& request, const std::string& medium,
                         int64_t size_limit_bytes, Mounter& mounter) {
  if (medium == kMediumDefault) return MakeVolumeDirectory(request);
  if (medium == kMediumMemory) return SetUpTmpfs(request, size_limit_bytes, mounter);
  if (IsHugePages(medium)) return SetUpHugePages(request, medium, mounter);
  return absl::InvalidArgumentError(StrCat("unknown storage medium ", GoQuote(medium)));
}

// Whether an earlier call, of this process or one before, has finished and its work is still there.
absl::StatusOr<bool> IsUp(const VolumeRequest& request, const std::string& medium,
                          const Mounter& mounter) {
  ASSIGN_OR_RETURN(const bool ready,
                   os::Exists(os::JoinPath(request.state_directory, kReadyMarker)));
  if (!ready) return false;
  if (medium == kMediumMemory) return mounter.IsMountPoint(request.directory);
  if (medium != kMediumDefault) return false;
  ASSIGN_OR_RETURN(const bool there, os::Exists(request.directory));
  if (!there) RETURN_IF_ERROR(os::RemoveTree(request.state_directory));
  return there;
}

}  // namespace

int64_t TmpfsSize(const v1::Pod& pod, int64_t node_allocatable_bytes, int64_t size_limit_bytes) {
  int64_t size = node_allocatable_bytes;
  const auto lower = [&size](int64_t limit) {
    if (limit > 0 && (size <= 0 || limit <= size)) size = limit;
  };
  lower(MemoryLimitOf(pod).value_or(0));
  lower(size_limit_bytes);
  return size;
}

std::string TmpfsOptions(int64_t size_bytes, bool noswap) {
  std::string options = size_bytes > 0 ? StrCat("size=", size_bytes) : "";
  if (noswap) StrAppend(&options, options.empty() ? "" : ",", "noswap");
  return options;
}

absl::StatusOr<api::Quantity> HugePageSize(const v1::Pod& pod, const std::string& medium) {
  std::optional<api::Quantity> wanted, found;
  if (medium != kMediumHugePages) {
    ASSIGN_OR_RETURN(wanted, api::Quantity::Parse(
                                 std::string_view(medium).substr(sizeof(kHugePagesPrefix) - 1)));
  }
  bool several = false;
  api::ForEachContainer(pod, [&](const v1::Container& container, api::ContainerType) {
    for (const auto& [resource, amount] : container.resources().requests()) {
      absl::string_view size = resource;
      if (!absl::ConsumePrefix(&size, kHugePagesResource)) continue;
      const absl::StatusOr<api::Quantity> page = api::Quantity::Parse(ToStd(size));
      if (!page.ok() || (wanted && *page != *wanted)) continue;
      several |= found && *found != *page;
      found = *page;
    }
  });
  if (several) {
    return absl::InvalidArgumentError(StrCat(
        "medium: ", medium, " can't be used if container requests multiple huge page sizes"));
  }
  if (!found) {
    return absl::InvalidArgumentError(
        StrCat("medium ", medium,
               ": hugePages storage requested, but there is no resource request for huge pages"));
  }
  return *found;
}

absl::Status SetUpEmptyDir(const VolumeRequest& request, const std::string& medium,
                           int64_t size_limit_bytes, Mounter& mounter) {
  ASSIGN_OR_RETURN(const bool up, IsUp(request, medium, mounter));
  if (up) return absl::OkStatus();
  RETURN_IF_ERROR(SetUpMedium(request, medium, size_limit_bytes, mounter));
  if (const std::optional<gid_t> group = FsGroupOf(*request.pod)) {
    const absl::Status given = ApplyFsGroup(request.directory, *group, /*read_only=*/false);
    if (!given.ok()) {
      VLOG(2, "Volume keeps the group it has",
           {{"path", request.directory}, {"err", Message(given)}});
    }
  }
  RETURN_IF_ERROR(os::MakeDirectories(request.state_directory, 0750));
  return os::CreateFile(os::JoinPath(request.state_directory, kReadyMarker), 0644);
}

absl::Status SetUpEmptyDirVolume(const VolumeRequest& request, Mounter& mounter) {
  const v1::EmptyDirVolumeSource& source = request.volume->volumesource().emptydir();
  const int64_t limit = api::Quantity::ParseOrZero(source.sizelimit().string()).Value();
  return SetUpEmptyDir(request, source.medium(), limit, mounter);
}

absl::Status TearDownEmptyDir(const std::string& directory, const std::string& state_directory,
                              const std::vector<std::string>& mounts, Mounter& mounter) {
  // Without the marker a half-removed volume is not taken for one that is up.
  RETURN_IF_ERROR(os::RemoveTree(state_directory));
  for (const std::string& mount : mounts) {
    if (IsAtOrBelow(mount, directory)) RETURN_IF_ERROR(mounter.Unmount(mount));
  }
  return os::RemoveTree(directory);
}

bool IsAtOrBelow(std::string_view path, std::string_view directory) {
  return path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

}  // namespace cubelet::volumes
