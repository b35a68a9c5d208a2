#include "volumes/host_path.h"

#include <sys/stat.h>

#include "absl/strings/str_split.h"
#include "base/status.h"
#include "base/strings.h"
#include "os/files.h"

namespace cubelet::volumes {
namespace {

bool StepsBack(std::string_view path) {
  for (absl::string_view part : absl::StrSplit(ToAbsl(path), '/')) {
    if (part == "..") return true;
  }
  return false;
}

struct TypeRule {
  const char* type;
  const char* name;  // in the message: "is not a <name>"
  bool (*holds)(mode_t mode);
  absl::Status (*make)(const std::string& path);  // null: must be there
};

absl::Status MakeDirectory(const std::string& path) { return os::MakeDirectories(path, 0755); }
absl::Status MakeFile(const std::string& path) { return os::CreateFile(path, 0644); }

bool IsDirectory(mode_t mode) { return S_ISDIR(mode); }
// Anything else counts as a file, sockets and devices included.
bool IsFile(mode_t mode) { return !S_ISDIR(mode); }

constexpr TypeRule kTypes[] = {
    {"DirectoryOrCreate", "directory", &IsDirectory, &MakeDirectory},
    {"Directory", "directory", &IsDirectory, nullptr},
    {"FileOrCreate", "file", &IsFile, &MakeFile},
    {"File", "file", &IsFile, nullptr},
    {"Socket", "socket file", [](mode_t mode) { return S_ISSOCK(mode); }, nullptr},
    {"CharDevice", "character device", [](mode_t mode) { return S_ISCHR(mode); }, nullptr},
    {"BlockDevice", "block device", [](mode_t mode) { return S_ISBLK(mode); }, nullptr},
};

absl::Status CheckType(const std::string& path, const TypeRule& rule) {
  absl::StatusOr<struct stat> info = os::Stat(path);
  if (absl::IsNotFound(info.status()) && rule.make != nullptr) {
    RETURN_IF_ERROR(rule.make(path));
    info = os::Stat(path);
  }
  if (!info.ok() && !absl::IsNotFound(info.status())) return info.status();
  if (info.ok() && rule.holds(info->st_mode)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      StrCat("hostPath type check failed: ", path, " is not a ", rule.name));
}

}  // namespace

absl::Status SetUpHostPath(const VolumeRequest& request, Mounter&) {
  const v1::HostPathVolumeSource& source = request.volume->volumesource().hostpath();
  if (StepsBack(source.path())) {
    return absl::InvalidArgumentError(
        StrCat("invalid HostPath `", source.path(), "`: must not contain '..'"));
  }
  if (source.type().empty()) return absl::OkStatus();
  for (const TypeRule& rule : kTypes) {
    if (source.type() == rule.type) return CheckType(source.path(), rule);
  }
  return absl::InvalidArgumentError(StrCat(source.type(), " is an invalid volume type"));
}

}  // namespace cubelet::volumes
