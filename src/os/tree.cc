#include "os/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/fd.h"
#include "base/status.h"
#include "base/strings.h"
#include "os/fault.h"
#include "os/files.h"

namespace cubelet::os {
namespace {

constexpr unsigned kStatxMask = STATX_TYPE | STATX_MODE | STATX_NLINK | STATX_UID | STATX_GID |
                                STATX_INO | STATX_BLOCKS | STATX_MNT_ID;

uint64_t DeviceOf(const struct statx& info) {
  return ::makedev(info.stx_dev_major, info.stx_dev_minor);
}

bool SameFile(const struct statx& a, const struct statx& b) {
  return a.stx_ino == b.stx_ino && DeviceOf(a) == DeviceOf(b);
}

// Kernels before 5.8 tell a descriptor's mount only here.
absl::StatusOr<uint64_t> MountIdFromProc(int fd) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(StrCat("/proc/self/fdinfo/", fd)));
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    uint64_t id;
    if (absl::ConsumePrefix(&line, "mnt_id:") && absl::SimpleAtoi(line, &id)) return id;
  }
  return absl::UnimplementedError("the kernel does not tell the mount of a descriptor");
}

// `info` of what `name` is in the directory, links not followed, with the mount id filled in.
absl::Status Look(int directory, const char* name, std::string_view path, struct statx& info) {
  if (const int fault = InjectedFault("stat", path); fault != 0)
    return ErrnoError(StrCat("stat ", path), fault);
  const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*name == '\0' ? AT_EMPTY_PATH : 0);
  if (::statx(directory, name, flags, kStatxMask, &info) != 0)
    return ErrnoError(StrCat("stat ", path));
  if ((info.stx_mask & STATX_MNT_ID) != 0) return absl::OkStatus();
  const UniqueFd fd(*name == '\0' ? ::fcntl(directory, F_DUPFD_CLOEXEC, 0)
                                  : ::openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) return ErrnoError(StrCat("open ", path));
  ASSIGN_OR_RETURN(info.stx_mnt_id, MountIdFromProc(fd.get()));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> NamesIn(int fd, std::string_view path) {
  if (const int fault = InjectedFault("list", path); fault != 0)
    return ErrnoError(StrCat("list ", path), fault);
  // A descriptor of its own, as closedir closes it.
  const int own = ::openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (own < 0) return ErrnoError(StrCat("list ", path));
  std::unique_ptr<DIR, int (*)(DIR*)> directory(::fdopendir(own), &::closedir);
  if (directory == nullptr) return ErrnoError(StrCat("list ", path));
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
    errno = 0;
  }
  if (errno != 0) return ErrnoError(StrCat("list ", path));
  return names;
}

absl::Status MountPointError(std::string_view path) {
  return absl::FailedPreconditionError(StrCat(path, " is a mount point"));
}

class Walk {
 public:
  Walk(MountsInside mounts, TreeVisitor visitor) : mounts_(mounts), visitor_(visitor) {}

  absl::Status Run(const std::string& root);

 private:
  // A directory on the way from the root to where the walk is.
  struct Level {
    std::string name;
    struct statx info;
    size_t path_length;                    // of path_ without this level
    std::vector<std::string> directories;  // still to be entered
  };

  bool Enter(const std::string& name, const struct statx& seen);
  void ReadDirectory();
  bool Leave();
  void Visit(int directory, const std::string& name, const struct statx& info);
  void Keep(const absl::Status& status);

  const MountsInside mounts_;
  const TreeVisitor visitor_;
  std::string path_;
  std::vector<Level> levels_;
  UniqueFd current_;               // the directory of the last level
  struct statx parent_info_ = {};  // of the directory the root is in
  absl::Status first_error_;
};

void Walk::Keep(const absl::Status& status) {
  // What vanishes while it is looked at is gone, as it may be.
  if (!absl::IsNotFound(status)) first_error_ = FirstError(first_error_, status);
}

void Walk::Visit(int directory, const std::string& name, const struct statx& info) {
  Keep(visitor_(TreeEntry{.directory_fd = directory,
                          .name = name.c_str(),
                          .mode = info.stx_mode,
                          .uid = info.stx_uid,
                          .gid = info.stx_gid,
                          .device = DeviceOf(info),
                          .inode = info.stx_ino,
                          .links = info.stx_nlink,
                          .disk_bytes = static_cast<int64_t>(info.stx_blocks) * 512},
                path_));
}

// Opens the directory `name` of the current one and makes it the current one, if it still is what
// was seen.
bool Walk::Enter(const std::string& name, const struct statx& seen) {
  UniqueFd child(
      ::openat(current_.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!child.valid()) {
    Keep(ErrnoError(StrCat("open ", path_)));
    return false;
  }
  struct statx info;
  if (absl::Status status = Look(child.get(), "", path_, info); !status.ok()) {
    Keep(status);
    return false;
  }
  if (!SameFile(info, seen) || info.stx_mnt_id != seen.stx_mnt_id) {
    Keep(absl::AbortedError(StrCat("open ", path_, ": it was replaced meanwhile")));
    return false;
  }
  current_ = std::move(child);
  return true;
}

// Visits the files of the current directory and notes its directories.
void Walk::ReadDirectory() {
  absl::StatusOr<std::vector<std::string>> names = NamesIn(current_.get(), path_);
  if (!names.ok()) return Keep(names.status());
  Level& level = levels_.back();
  const size_t length = path_.size();
  for (std::string& name : *names) {
    path_.resize(length);
    StrAppend(&path_, "/", name);
    struct statx info;
    if (absl::Status status = Look(current_.get(), name.c_str(), path_, info); !status.ok()) {
      Keep(status);
    } else if (info.stx_mnt_id != level.info.stx_mnt_id) {
      if (mounts_ == MountsInside::kFail) Keep(MountPointError(path_));
    } else if (S_ISDIR(info.stx_mode)) {
      level.directories.push_back(std::move(name));
    } else {
      Visit(current_.get(), name, info);
    }
  }
  path_.resize(length);
}

// Goes back to the directory above and visits the one left. False when the way back is gone: the
// tree was moved while it was walked.
bool Walk::Leave() {
  const struct statx& above = levels_.size() > 1 ? levels_[levels_.size() - 2].info : parent_info_;
  UniqueFd parent(::openat(current_.get(), "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct statx info;
  absl::Status status = parent.valid() ? Look(parent.get(), "", path_, info)
                                       : ErrnoError(StrCat("open ", path_, "/.."));
  if (status.ok() && !SameFile(info, above))
    status = absl::AbortedError(StrCat(path_, " was moved while it was walked"));
  if (!status.ok()) {
    first_error_ = FirstError(first_error_, status);
    return false;
  }
  current_ = std::move(parent);
  const Level left = std::move(levels_.back());
  levels_.pop_back();
  Visit(current_.get(), left.name, left.info);
  path_.resize(left.path_length);
  return true;
}

absl::Status Walk::Run(const std::string& root) {
  const std::string name = BaseName(root);
  if (root.empty() || root[0] != '/' || name == "/" || name == "." || name == "..")
    return absl::InvalidArgumentError(StrCat("walk ", root, ": not a path of a tree"));
  path_ = DirectoryOf(root);
  current_ = UniqueFd(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!current_.valid()) {
    return errno == ENOENT ? absl::OkStatus() : ErrnoError(StrCat("open ", path_));
  }
  RETURN_IF_ERROR(Look(current_.get(), "", path_, parent_info_));
  size_t length = path_.size();
  path_ = JoinPath(path_, name);
  struct statx info;
  if (absl::Status status = Look(current_.get(), name.c_str(), path_, info); !status.ok())
    return absl::IsNotFound(status) ? absl::OkStatus() : status;
  if (!S_ISDIR(info.stx_mode)) {
    Visit(current_.get(), name, info);
    return first_error_;
  }
  if (!Enter(name, info)) return first_error_;
  levels_.push_back({name, info, length, {}});
  ReadDirectory();
  while (!levels_.empty()) {
    Level& level = levels_.back();
    if (level.directories.empty()) {
      if (!Leave()) return first_error_;
      continue;
    }
    const std::string next = std::move(level.directories.back());
    level.directories.pop_back();
    length = path_.size();
    StrAppend(&path_, "/", next);
    absl::Status status = Look(current_.get(), next.c_str(), path_, info);
    if (status.ok() && info.stx_mnt_id != level.info.stx_mnt_id) status = MountPointError(path_);
    Keep(status);
    if (status.ok() && Enter(next, info)) {
      levels_.push_back({next, info, length, {}});
      ReadDirectory();
    } else {
      path_.resize(length);
    }
  }
  return first_error_;
}

// The root of a removal may not be a mount itself: its contents are not ours to remove.
absl::Status CheckNoMount(const std::string& root) {
  const UniqueFd parent(::open(DirectoryOf(root).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent.valid())
    return errno == ENOENT ? absl::OkStatus() : ErrnoError(StrCat("open ", DirectoryOf(root)));
  struct statx above, info;
  RETURN_IF_ERROR(Look(parent.get(), "", DirectoryOf(root), above));
  absl::Status status = Look(parent.get(), BaseName(root).c_str(), root, info);
  if (absl::IsNotFound(status)) return absl::OkStatus();
  RETURN_IF_ERROR(status);
  return above.stx_mnt_id == info.stx_mnt_id ? absl::OkStatus() : MountPointError(root);
}

absl::Status Unlink(const TreeEntry& entry, std::string_view path) {
  const bool directory = S_ISDIR(entry.mode);
  const std::string_view operation = directory ? "rmdir" : "unlink";
  int fault = InjectedFault(operation, path);
  if (fault == 0 && ::unlinkat(entry.directory_fd, entry.name, directory ? AT_REMOVEDIR : 0) != 0)
    fault = errno;
  return fault == 0 ? absl::OkStatus() : ErrnoError(StrCat(operation, " ", path), fault);
}

}  // namespace

absl::StatusOr<uint64_t> MountIdOf(int fd) {
  struct statx info;
  RETURN_IF_ERROR(Look(fd, "", StrCat("descriptor ", fd), info));
  return info.stx_mnt_id;
}

absl::Status WalkTree(const std::string& root, MountsInside mounts, TreeVisitor visitor) {
  return Walk(mounts, visitor).Run(root);
}

absl::Status RemoveTree(const std::string& root) {
  RETURN_IF_ERROR(CheckNoMount(root));
  return Annotate(WalkTree(root, MountsInside::kFail, Unlink), StrCat("remove ", root));
}

absl::Status RemoveEmptyTree(const std::string& root) {
  RETURN_IF_ERROR(CheckNoMount(root));
  const auto visit = [](const TreeEntry& entry, std::string_view path) {
    if (S_ISDIR(entry.mode)) return Unlink(entry, path);
    return absl::FailedPreconditionError(StrCat(path, " is still there"));
  };
  return Annotate(WalkTree(root, MountsInside::kFail, visit), StrCat("remove ", root));
}

absl::StatusOr<DiskUsage> MeasureTree(const std::string& root) {
  DiskUsage usage;
  absl::flat_hash_set<std::pair<uint64_t, uint64_t>> linked;
  const auto visit = [&](const TreeEntry& entry, std::string_view) {
    if (entry.links > 1 && !S_ISDIR(entry.mode) &&
        !linked.emplace(entry.device, entry.inode).second)
      return absl::OkStatus();
    usage.bytes += entry.disk_bytes;
    ++usage.inodes;
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(Annotate(WalkTree(root, MountsInside::kSkip, visit), StrCat("measure ", root)));
  return usage;
}

absl::Status ChangeOwnerAndMode(const TreeEntry& entry, uid_t uid, gid_t gid, mode_t mode) {
  const UniqueFd fd(::openat(entry.directory_fd, entry.name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) return ErrnoError(StrCat("open ", entry.name));
  struct stat now;
  if (::fstat(fd.get(), &now) != 0) return ErrnoError(StrCat("stat ", entry.name));
  if (now.st_ino != entry.inode || now.st_dev != entry.device)
    return absl::AbortedError(StrCat("change ", entry.name, ": it was replaced meanwhile"));
  if (::fchownat(fd.get(), "", uid, gid, AT_EMPTY_PATH) != 0)
    return ErrnoError(StrCat("chown ", entry.name));
  if (S_ISLNK(entry.mode)) return absl::OkStatus();
  // An O_PATH descriptor has no fchmod; its name under /proc leads to the very file.
  if (::chmod(StrCat("/proc/self/fd/", fd.get()).c_str(), mode & 07777) != 0)
    return ErrnoError(StrCat("chmod ", entry.name));
  return absl::OkStatus();
}

}  // namespace cubelet::os
