#include "os/mounts.h"

#include <fcntl.h>
#include <libmount/libmount.h>
#include <stdio.h>
#include <sys/mount.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/status.h"
#include "base/strings.h"
#include "os/fault.h"
#include "os/files.h"
#include "os/machine.h"
#include "os/safe_path.h"
#include "os/tree.h"

namespace cubelet::os {
namespace {

constexpr char kMountTable[] = "/proc/self/mountinfo";
constexpr size_t kMaxTableBytes = 64 << 20;
constexpr int kMaxReadings = 8;

std::string Text(const char* text) { return text == nullptr ? "" : text; }

// libmount's reading of a line it does not understand: counted, and the line left out.
int CountError(libmnt_table* table, const char*, int) {
  ++*static_cast<int*>(mnt_table_get_userdata(table));
  return 1;
}

MountInfo FromLibmount(libmnt_fs* fs) {
  const std::string propagation = Text(mnt_fs_get_optional_fields(fs));
  return {.id = mnt_fs_get_id(fs),
          .parent_id = mnt_fs_get_parent_id(fs),
          .device = mnt_fs_get_devno(fs),
          .root = Text(mnt_fs_get_root(fs)),
          .mount_point = Text(mnt_fs_get_target(fs)),
          .type = Text(mnt_fs_get_fstype(fs)),
          .source = Text(mnt_fs_get_source(fs)),
          .options = Text(mnt_fs_get_options(fs)),
          // "-" stands for none.
          .propagation = propagation == "-" ? "" : propagation};
}

bool IsAtOrBelow(std::string_view path, std::string_view ancestor) {
  if (!path.starts_with(ancestor)) return false;
  return path.size() == ancestor.size() || ancestor == "/" || path[ancestor.size()] == '/';
}

// Mounts whose server is gone answer with one of these.
bool IsDeadMount(int error) {
  return error == ENOTCONN || error == ESTALE || error == EIO || error == EACCES ||
         error == EHOSTDOWN || error == EWOULDBLOCK || error == ENODEV;
}

absl::StatusOr<std::string> ReadTableText() {
  ASSIGN_OR_RETURN(std::string text, ReadFile(kMountTable, kMaxTableBytes));
  if (KernelVersion() >= KernelRelease{5, 8}) return text;
  for (int reading = 0; reading < kMaxReadings; ++reading) {
    ASSIGN_OR_RETURN(std::string again, ReadFile(kMountTable, kMaxTableBytes));
    if (again == text) return text;
    text = std::move(again);
  }
  return absl::UnavailableError("read the mount table: it changes all the time");
}

// The fifth field of a line of the table, with blanks and backslashes as they are.
std::string MountPointField(absl::string_view line) {
  constexpr int kField = 4;
  const std::vector<absl::string_view> fields =
      absl::StrSplit(line, absl::MaxSplits(' ', kField + 1));
  if (fields.size() <= kField) return "";
  std::string path;
  const absl::string_view escaped = fields[kField];
  for (size_t i = 0; i < escaped.size(); ++i) {
    if (escaped[i] == '\\' && i + 3 < escaped.size()) {
      const int code =
          (escaped[i + 1] - '0') * 64 + (escaped[i + 2] - '0') * 8 + (escaped[i + 3] - '0');
      path += static_cast<char>(code);
      i += 3;
    } else {
      path += escaped[i];
    }
  }
  return path;
}

std::string_view WithoutTrailingSlash(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  return path;
}

}  // namespace

std::string MountInfo::Option(std::string_view name) const {
  for (absl::string_view option : absl::StrSplit(options, ',')) {
    if (absl::ConsumePrefix(&option, ToAbsl(name)) && absl::ConsumePrefix(&option, "="))
      return std::string(option);
  }
  return "";
}

absl::StatusOr<std::vector<MountInfo>> ParseMountTable(std::string_view text) {
  std::vector<MountInfo> mounts;
  if (text.empty()) return mounts;
  std::string copy(text);
  std::unique_ptr<FILE, int (*)(FILE*)> stream(::fmemopen(copy.data(), copy.size(), "r"),
                                               &::fclose);
  std::unique_ptr<libmnt_table, void (*)(libmnt_table*)> table(mnt_new_table(), &mnt_unref_table);
  std::unique_ptr<libmnt_iter, void (*)(libmnt_iter*)> iterator(mnt_new_iter(MNT_ITER_FORWARD),
                                                                &mnt_free_iter);
  if (!stream || !table || !iterator) return ErrnoError("read the mount table", ENOMEM);
  absl::Status unreadable =
      absl::InvalidArgumentError("read the mount table: a line of it cannot be understood");
  int errors = 0;
  mnt_table_set_userdata(table.get(), &errors);
  mnt_table_set_parser_errcb(table.get(), &CountError);
  if (mnt_table_parse_stream(table.get(), stream.get(), kMountTable) != 0 || errors > 0)
    return unreadable;
  libmnt_fs* fs = nullptr;
  while (mnt_table_next_fs(table.get(), iterator.get(), &fs) == 0) {
    // libmount takes other text for an fstab, whose lines have no id.
    if (mnt_fs_get_id(fs) <= 0) return unreadable;
    mounts.push_back(FromLibmount(fs));
  }
  return mounts;
}

absl::StatusOr<std::vector<MountInfo>> ReadMountTable() {
  ASSIGN_OR_RETURN(const std::string text, ReadTableText());
  return ParseMountTable(text);
}

absl::StatusOr<bool> IsMountPoint(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) {
    if (errno == ENOENT || errno == ENOTDIR) return false;
    if (IsDeadMount(errno)) return true;
    return ErrnoError(StrCat("open ", path));
  }
  const UniqueFd parent(::open(DirectoryOf(path).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!parent.valid()) return ErrnoError(StrCat("open ", DirectoryOf(path)));
  ASSIGN_OR_RETURN(const uint64_t own, MountIdOf(fd.get()));
  ASSIGN_OR_RETURN(const uint64_t above, MountIdOf(parent.get()));
  return own != above || DirectoryOf(path) == path;
}

absl::StatusOr<std::vector<std::string>> ReadMountPointsUnder(const std::string& path) {
  absl::StatusOr<std::string> real = RealPath(path);
  if (absl::IsNotFound(real.status())) return std::vector<std::string>();
  if (!real.ok()) {
    // A dead mount at `path` itself cannot be looked into, but it is in the table.
    ASSIGN_OR_RETURN(const std::string parent, RealPath(DirectoryOf(path)));
    real = JoinPath(parent, BaseName(path));
  }
  ASSIGN_OR_RETURN(const std::string text, ReadTableText());
  std::string lines;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    if (IsAtOrBelow(MountPointField(line), *real)) StrAppend(&lines, line, "\n");
  }
  ASSIGN_OR_RETURN(const std::vector<MountInfo> table, ParseMountTable(lines));
  std::vector<std::string> found = MountPointsUnder(table, *real);
  for (std::string& mount : found) mount.replace(0, real->size(), WithoutTrailingSlash(path));
  return found;
}

const MountInfo* FindMount(const std::vector<MountInfo>& table, std::string_view path) {
  path = WithoutTrailingSlash(path);
  const auto it = std::find_if(table.rbegin(), table.rend(),
                               [&](const MountInfo& mount) { return mount.mount_point == path; });
  return it == table.rend() ? nullptr : &*it;
}

std::vector<std::string> MountPointsUnder(const std::vector<MountInfo>& table,
                                          std::string_view path) {
  path = WithoutTrailingSlash(path);
  // Depth and place in the table; of mounts on one path the later one is on top.
  std::vector<std::pair<ptrdiff_t, size_t>> order;
  for (size_t i = 0; i < table.size(); ++i) {
    const std::string& at = table[i].mount_point;
    if (IsAtOrBelow(at, path)) order.emplace_back(std::count(at.begin(), at.end(), '/'), i);
  }
  std::sort(order.rbegin(), order.rend());
  std::vector<std::string> found;
  for (const auto& [depth, index] : order) found.push_back(table[index].mount_point);
  return found;
}

absl::Status Mount(const std::string& source, const std::string& target, const std::string& type,
                   const std::string& options) {
  const std::string context =
      StrCat("mount ", type, " from ", source, " on ", target, " with options ", GoQuote(options));
  char* vfs = nullptr;
  char* own = nullptr;
  unsigned long flags = 0;
  int error = mnt_split_optstr(options.c_str(), nullptr, &vfs, &own, 0, 0);
  const std::unique_ptr<char, decltype(&::free)> vfs_owner(vfs, &::free), own_owner(own, &::free);
  if (error == 0 && vfs != nullptr)
    error = mnt_optstr_get_flags(vfs, &flags, mnt_get_builtin_optmap(MNT_LINUX_MAP));
  if (error != 0) return ErrnoError(context, -error);
  int fault = InjectedFault("mount", target);
  if (fault == 0 && ::mount(source.c_str(), target.c_str(), type.c_str(), flags, own) != 0)
    fault = errno;
  return fault == 0 ? absl::OkStatus() : ErrnoError(context, fault);
}

absl::Status BindMount(int source_fd, const std::string& target) {
  int fault = InjectedFault("mount", target);
  if (fault == 0 &&
      ::mount(DescriptorPath(source_fd).c_str(), target.c_str(), nullptr, MS_BIND, nullptr) != 0)
    fault = errno;
  return fault == 0 ? absl::OkStatus() : ErrnoError(StrCat("bind mount on ", target), fault);
}

absl::Status Unmount(const std::string& path) {
  int fault = InjectedFault("umount", path);
  if (fault == 0 && ::umount2(path.c_str(), UMOUNT_NOFOLLOW) != 0) fault = errno;
  // EINVAL: not a mount point.
  if (fault == 0 || fault == EINVAL || fault == ENOENT) return absl::OkStatus();
  return ErrnoError(StrCat("unmount ", path), fault);
}

absl::Status MakeRecursivelyShared(const std::string& path) {
  int fault = InjectedFault("mount", path);
  if (fault == 0 && ::mount("none", path.c_str(), nullptr, MS_SHARED | MS_REC, nullptr) != 0)
    fault = errno;
  return fault == 0 ? absl::OkStatus() : ErrnoError(StrCat("make shared ", path), fault);
}

}  // namespace cubelet::os
