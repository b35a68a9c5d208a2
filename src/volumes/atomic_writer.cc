#include "volumes/atomic_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <set>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "base/strings.h"
#include "os/files.h"
#include "os/tree.h"

namespace cubelet::volumes {
namespace {

constexpr char kDataLink[] = "..data";
constexpr char kNewDataLink[] = "..data_tmp";
constexpr size_t kMaxPath = 4096;
constexpr size_t kMaxName = 255;

absl::Status CheckPath(std::string_view path) {
  if (path.empty()) {
    return absl::InvalidArgumentError(StrCat("invalid path: must not be empty: ", GoQuote(path)));
  }
  if (path.front() == '/')
    return absl::InvalidArgumentError(StrCat("invalid path: must be relative path: ", path));
  if (path.size() > kMaxPath) {
    return absl::InvalidArgumentError(
        StrCat("invalid path: must be less than or equal to ", kMaxPath, " characters"));
  }
  for (absl::string_view name : absl::StrSplit(ToAbsl(path), '/')) {
    if (name == "..")
      return absl::InvalidArgumentError(StrCat("invalid path: must not contain '..': ", path));
    if (name.size() > kMaxName) {
      return absl::InvalidArgumentError(StrCat(
          "invalid path: filenames must be less than or equal to ", kMaxName, " characters"));
    }
  }
  if (path.starts_with(".."))
    return absl::InvalidArgumentError(StrCat("invalid path: must not start with '..': ", path));
  return absl::OkStatus();
}

std::string CleanPath(std::string_view path) {
  std::string clean;
  for (absl::string_view name : absl::StrSplit(ToAbsl(path), '/', absl::SkipEmpty())) {
    if (name == ".") continue;
    StrAppend(&clean, clean.empty() ? "" : "/", name);
  }
  return clean;
}

std::string TopName(std::string_view path) { return std::string(path.substr(0, path.find('/'))); }

std::set<std::string> TopNames(const Payload& payload) {
  std::set<std::string> names;
  for (const auto& [path, file] : payload) names.insert(TopName(path));
  return names;
}

// The name `..data` leads to, "" without it. Only what we make counts: a name beside it.
std::string CurrentVersion(const std::string& directory) {
  const absl::StatusOr<std::string> target = os::ReadLink(os::JoinPath(directory, kDataLink));
  if (!target.ok() || !absl::StartsWith(*target, "..") || absl::StrContains(*target, "/") ||
      *target == "..")
    return "";
  return *target;
}

// The paths of all files in a version, relative to it.
absl::StatusOr<std::set<std::string>> PathsIn(const std::string& version) {
  std::set<std::string> paths;
  const auto visit = [&](const os::TreeEntry& entry, std::string_view path) {
    if (!S_ISDIR(entry.mode)) paths.emplace(path.substr(version.size() + 1));
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(os::WalkTree(version, os::MountsInside::kSkip, visit));
  return paths;
}

// Whether the version holds exactly the payload.
bool IsUpToDate(const std::string& version, const Payload& payload) {
  const absl::StatusOr<std::set<std::string>> paths = PathsIn(version);
  if (!paths.ok() || paths->size() != payload.size()) return false;
  for (const auto& [path, file] : payload) {
    if (!paths->contains(path)) return false;
    const absl::StatusOr<std::string> data =
        os::ReadFile(os::JoinPath(version, path), file.data.size() + 1);
    if (!data.ok() || *data != file.data) return false;
  }
  return true;
}

// "..2026_11_24_00_13_21.2171851051"
std::string NewVersionName(absl::Time now) {
  const uint64_t random = std::strtoull(os::RandomHex(8).c_str(), nullptr, 16);
  return StrCat(absl::FormatTime("..%Y_%m_%d_%H_%M_%S.", now, absl::UTCTimeZone()), random);
}

absl::Status WriteFile(const std::string& path, const FileProjection& file) {
  RETURN_IF_ERROR(os::MakeDirectories(os::DirectoryOf(path), 0777));
  ASSIGN_OR_RETURN(const UniqueFd fd,
                   os::Open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  RETURN_IF_ERROR(os::WriteAll(fd.get(), file.data, path));
  if (file.owner && ::fchown(fd.get(), *file.owner, static_cast<gid_t>(-1)) != 0)
    return ErrnoError(StrCat("chown ", path));
  if (::fchmod(fd.get(), file.mode & 07777) != 0) return ErrnoError(StrCat("chmod ", path));
  return absl::OkStatus();
}

absl::Status WriteVersion(const std::string& version, const Payload& payload) {
  RETURN_IF_ERROR(os::MakeDirectories(version, 0755));
  RETURN_IF_ERROR(os::ChangeMode(version, 0755));
  for (const auto& [path, file] : payload)
    RETURN_IF_ERROR(WriteFile(os::JoinPath(version, path), file));
  return absl::OkStatus();
}

absl::Status SwitchTo(const std::string& directory, const std::string& version) {
  const std::string link = os::JoinPath(directory, kNewDataLink);
  RETURN_IF_ERROR(os::RemoveFile(link));
  RETURN_IF_ERROR(os::Symlink(version, link));
  return os::Rename(link, os::JoinPath(directory, kDataLink));
}

absl::Status WriteAndSwitch(const std::string& directory, const Payload& payload, absl::Time now,
                            absl::FunctionRef<absl::Status()> own) {
  const std::string name = NewVersionName(now);
  const std::string version = os::JoinPath(directory, name);
  absl::Status status = WriteVersion(version, payload);
  if (status.ok()) status = own();
  if (status.ok()) status = SwitchTo(directory, name);
  if (!status.ok()) {
    // The next call removes what could not be removed now.
    os::RemoveTree(version).IgnoreError();
  }
  return status;
}

// One entry of the volume's directory: whether it is a link that we made for users.
bool IsUserLink(const std::string& path, const std::string& name) {
  const absl::StatusOr<std::string> target = os::ReadLink(path);
  return target.ok() && *target == StrCat(kDataLink, "/", name);
}

// A link belongs to whom its file belongs to.
absl::Status LinkForUsers(const std::string& directory, const std::string& name,
                          const Payload& payload) {
  const std::string path = os::JoinPath(directory, name);
  RETURN_IF_ERROR(os::Symlink(StrCat(kDataLink, "/", name), path));
  const auto file = payload.find(name);
  if (file == payload.end() || !file->second.owner) return absl::OkStatus();
  if (::lchown(path.c_str(), *file->second.owner, static_cast<gid_t>(-1)) != 0)
    return ErrnoError(StrCat("chown ", path));
  return absl::OkStatus();
}

// Links for what the payload has, none for what it no longer has, and no version but the current.
absl::Status TidyUp(const std::string& directory, const Payload& payload) {
  const std::string current = CurrentVersion(directory);
  const std::set<std::string> wanted = TopNames(payload);
  for (const std::string& name : wanted) {
    if (!IsUserLink(os::JoinPath(directory, name), name))
      RETURN_IF_ERROR(LinkForUsers(directory, name, payload));
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> names, os::ListDirectory(directory));
  for (const std::string& name : names) {
    const std::string path = os::JoinPath(directory, name);
    if (name == kDataLink || name == current) continue;
    if (name == kNewDataLink || (IsUserLink(path, name) && !wanted.contains(name))) {
      RETURN_IF_ERROR(os::RemoveFile(path));
    } else if (absl::StartsWith(name, "..")) {
      RETURN_IF_ERROR(os::RemoveTree(path));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Payload> CleanPayload(const Payload& payload) {
  Payload clean;
  for (const auto& [path, file] : payload) {
    RETURN_IF_ERROR(CheckPath(path));
    std::string name = CleanPath(path);
    if (name.empty())
      return absl::InvalidArgumentError(StrCat("invalid path: names no file: ", path));
    clean[std::move(name)] = file;
  }
  return clean;
}

absl::Status WriteAtomically(const std::string& directory, const Payload& payload, absl::Time now,
                             absl::FunctionRef<absl::Status()> own) {
  const std::string current = CurrentVersion(directory);
  if (current.empty() || !IsUpToDate(os::JoinPath(directory, current), payload))
    RETURN_IF_ERROR(WriteAndSwitch(directory, payload, now, own));
  return TidyUp(directory, payload);
}

}  // namespace cubelet::volumes
