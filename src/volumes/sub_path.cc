#include "volumes/sub_path.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "absl/strings/cord.h"
#include "absl/strings/str_split.h"
#include "base/fd.h"
#include "base/status.h"
#include "base/strings.h"
#include "os/files.h"
#include "os/safe_path.h"

namespace cubelet::volumes {
namespace {

constexpr char kCreationError[] = "cubelet/sub-path-creation";

absl::StatusOr<struct stat> StatOf(int fd, const std::string& path) {
  struct stat info;
  if (::fstat(fd, &info) != 0) return ErrnoError(StrCat("stat ", path));
  return info;
}

bool IsWithin(const std::string& path, const std::string& base) {
  return path == base || path.starts_with(base == "/" ? base : base + "/");
}

// A link inside the volume may name its target by the path on the host. Such a path is resolved by
// name, must be inside, and is then opened again from the volume on without following any link.
absl::StatusOr<UniqueFd> OpenThroughAbsoluteLink(int volume, const SubPathRequest& request) {
  ASSIGN_OR_RETURN(const std::string base, os::RealPath(request.volume));
  ASSIGN_OR_RETURN(const std::string real,
                   os::RealPath(os::JoinPath(request.volume, request.sub_path)));
  if (!IsWithin(real, base)) {
    return absl::PermissionDeniedError(
        StrCat("subpath ", GoQuote(real), " not within volume path ", GoQuote(base)));
  }
  return os::OpenBelow(volume, std::string_view(real).substr(base.size()), O_PATH,
                       os::Links::kNone);
}

absl::StatusOr<UniqueFd> OpenInside(int volume, const SubPathRequest& request) {
  absl::StatusOr<UniqueFd> found =
      os::OpenBelow(volume, request.sub_path, O_PATH, os::Links::kInside);
  if (absl::IsPermissionDenied(found.status())) return OpenThroughAbsoluteLink(volume, request);
  return found;
}

absl::StatusOr<UniqueFd> OpenOrMake(int volume, const SubPathRequest& request) {
  absl::StatusOr<UniqueFd> found = OpenInside(volume, request);
  if (!absl::IsNotFound(found.status())) return found;
  ASSIGN_OR_RETURN(const struct stat info, StatOf(volume, request.volume));
  absl::StatusOr<UniqueFd> made =
      os::MakeDirectoriesBelow(volume, request.sub_path, info.st_mode & 07777);
  if (made.ok()) return made;
  absl::Status failed = made.status();
  failed.SetPayload(kCreationError, absl::Cord());
  return failed;
}

// Something to bind onto, of the kind of what is bound.
absl::Status MakeTarget(const SubPathRequest& request, bool directory) {
  RETURN_IF_ERROR(os::MakeDirectories(request.pod_sub_paths, 0750));
  RETURN_IF_ERROR(os::MakeDirectories(os::DirectoryOf(request.target), 0750));
  const absl::StatusOr<struct stat> info = os::Lstat(request.target);
  if (!info.ok() && !absl::IsNotFound(info.status())) return info.status();
  if (info.ok() && S_ISDIR(info->st_mode) != directory) {
    RETURN_IF_ERROR(S_ISDIR(info->st_mode) ? os::RemoveDirectory(request.target)
                                           : os::RemoveFile(request.target));
  }
  return directory ? os::MakeDirectories(request.target, 0750)
                   : os::CreateFile(request.target, 0640);
}

// Whether exactly `source` is bound at the target already; takes down anything else there.
absl::StatusOr<bool> IsBound(const SubPathRequest& request, const struct stat& source,
                             Mounter& mounter) {
  ASSIGN_OR_RETURN(const bool mounted, mounter.IsMountPoint(request.target));
  if (!mounted) return false;
  const absl::StatusOr<struct stat> info = os::Lstat(request.target);
  if (info.ok() && info->st_dev == source.st_dev && info->st_ino == source.st_ino) return true;
  RETURN_IF_ERROR(mounter.Unmount(request.target));
  return false;
}

}  // namespace

absl::Status CheckSubPath(const std::string& sub_path) {
  if (sub_path.starts_with('/')) {
    return absl::InvalidArgumentError(
        StrCat("error SubPath `", sub_path, "` must not be an absolute path"));
  }
  for (absl::string_view part : absl::StrSplit(sub_path, '/')) {
    if (part == "..") {
      return absl::InvalidArgumentError(
          StrCat("unable to provision SubPath `", sub_path, "`: must not contain '..'"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> BindSubPath(const SubPathRequest& request, Mounter& mounter) {
  ASSIGN_OR_RETURN(const UniqueFd volume, os::Open(request.volume, O_PATH | O_DIRECTORY));
  ASSIGN_OR_RETURN(const UniqueFd source, OpenOrMake(volume.get(), request));
  ASSIGN_OR_RETURN(const struct stat info, StatOf(source.get(), request.sub_path));
  ASSIGN_OR_RETURN(const bool bound, IsBound(request, info, mounter));
  if (bound) return request.target;
  RETURN_IF_ERROR(MakeTarget(request, S_ISDIR(info.st_mode)));
  RETURN_IF_ERROR(mounter.BindFd(source.get(), request.target));
  return request.target;
}

bool IsSubPathCreationError(const absl::Status& status) {
  return status.GetPayload(kCreationError).has_value();
}

}  // namespace cubelet::volumes
