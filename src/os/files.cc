#include "os/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "base/check.h"
#include "base/status.h"
#include "base/strings.h"
#include "os/fault.h"

namespace cubelet::os {
namespace {

// Runs one system call that gives -1 on error, again when interrupted. `call` is asked after the
// test's fault hook.
template <typename Call>
absl::StatusOr<int> Do(std::string_view operation, std::string_view path, Call call) {
  if (const int fault = InjectedFault(operation, path); fault != 0)
    return ErrnoError(StrCat(operation, " ", path), fault);
  int result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  if (result < 0) return ErrnoError(StrCat(operation, " ", path));
  return result;
}

template <typename Call>
absl::Status DoVoid(std::string_view operation, std::string_view path, Call call) {
  return Do(operation, path, call).status();
}

// Stops at files that would keep the reader waiting.
absl::Status CheckRegular(int fd, const std::string& path) {
  struct stat info;
  if (::fstat(fd, &info) != 0) return ErrnoError(StrCat("stat ", path));
  if (S_ISREG(info.st_mode)) return absl::OkStatus();
  if (S_ISDIR(info.st_mode)) return ErrnoError(StrCat("read ", path), EISDIR);
  return absl::InvalidArgumentError(StrCat("read ", path, ": not a regular file"));
}

// A name beside `path` that nobody lists: dot files are skipped by what reads our directories.
std::string TemporaryName(const std::string& path) {
  constexpr size_t kKeptBytes = 200;  // of NAME_MAX, 255
  return JoinPath(DirectoryOf(path),
                  StrCat(".", BaseName(path).substr(0, kKeptBytes), ".tmp-", RandomHex(12)));
}

absl::Status WriteNew(const std::string& path, std::string_view data, mode_t mode) {
  ASSIGN_OR_RETURN(UniqueFd fd, Open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  RETURN_IF_ERROR(WriteAll(fd.get(), data, path));
  RETURN_IF_ERROR(DoVoid("chmod", path, [&] { return ::fchmod(fd.get(), mode); }));
  return DoVoid("sync", path, [&] { return ::fsync(fd.get()); });
}

}  // namespace

std::string JoinPath(std::string_view directory, std::string_view name) {
  if (directory.empty()) return std::string(name);
  return StrCat(directory, directory.back() == '/' ? "" : "/", name);
}

std::string DirectoryOf(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(path.substr(0, std::max<size_t>(slash, 1)));
}

std::string BaseName(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos || path.size() == 1) return std::string(path);
  return std::string(path.substr(slash + 1));
}

absl::StatusOr<std::string> RealPath(const std::string& path) {
  std::unique_ptr<char, decltype(&::free)> real(::realpath(path.c_str(), nullptr), &::free);
  if (real == nullptr) return ErrnoError(StrCat("resolve ", path));
  return std::string(real.get());
}

absl::StatusOr<struct stat> Stat(const std::string& path) {
  struct stat info;
  RETURN_IF_ERROR(DoVoid("stat", path, [&] { return ::stat(path.c_str(), &info); }));
  return info;
}

absl::StatusOr<struct stat> Lstat(const std::string& path) {
  struct stat info;
  RETURN_IF_ERROR(DoVoid("stat", path, [&] { return ::lstat(path.c_str(), &info); }));
  return info;
}

absl::StatusOr<bool> Exists(const std::string& path) {
  int fault = InjectedFault("stat", path);
  if (fault == 0) {
    struct stat info;
    if (::lstat(path.c_str(), &info) == 0) return true;
    fault = errno;
  }
  // ENOTDIR: a file where a directory was meant, nothing can be below it.
  if (fault == ENOENT || fault == ENOTDIR) return false;
  return ErrnoError(StrCat("stat ", path), fault);
}

absl::StatusOr<std::vector<std::string>> ListDirectory(const std::string& path) {
  if (const int fault = InjectedFault("list", path); fault != 0)
    return ErrnoError(StrCat("list ", path), fault);
  std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), &::closedir);
  if (directory == nullptr) return ErrnoError(StrCat("list ", path));
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
    errno = 0;
  }
  if (errno != 0) return ErrnoError(StrCat("list ", path));
  std::sort(names.begin(), names.end());
  return names;
}

absl::StatusOr<std::string> ReadLink(const std::string& path) {
  std::string target(PATH_MAX, '\0');
  const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
  if (length < 0) return ErrnoError(StrCat("read link ", path));
  target.resize(static_cast<size_t>(length));
  return target;
}

absl::StatusOr<UniqueFd> Open(const std::string& path, int flags, mode_t mode) {
  ASSIGN_OR_RETURN(const int fd,
                   Do("open", path, [&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode); }));
  return UniqueFd(fd);
}

absl::StatusOr<std::string> ReadFile(const std::string& path, size_t max_bytes) {
  // Without O_NONBLOCK opening a pipe would wait for its writer.
  ASSIGN_OR_RETURN(const UniqueFd fd, Open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  RETURN_IF_ERROR(CheckRegular(fd.get(), path));
  return ReadAll(fd.get(), max_bytes, path);
}

absl::StatusOr<std::string> ReadAll(int fd, size_t max_bytes, const std::string& path) {
  constexpr size_t kChunkBytes = 64 << 10;
  std::string data;
  while (true) {
    const size_t before = data.size();
    data.resize(before + std::min(kChunkBytes, max_bytes + 1 - before));
    const absl::StatusOr<int> got = Do("read", path, [&] {
      return static_cast<int>(::read(fd, data.data() + before, data.size() - before));
    });
    if (!got.ok()) return got.status();
    data.resize(before + static_cast<size_t>(*got));
    if (*got == 0) return data;
    if (data.size() > max_bytes)
      return absl::InvalidArgumentError(
          StrCat("read ", path, ": larger than ", max_bytes, " bytes"));
  }
}

absl::Status WriteAll(int fd, std::string_view data, const std::string& path) {
  constexpr size_t kChunkBytes = 1 << 20;
  while (!data.empty()) {
    ASSIGN_OR_RETURN(
        const int written, Do("write", path, [&] {
          return static_cast<int>(::write(fd, data.data(), std::min(data.size(), kChunkBytes)));
        }));
    data.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status WriteFileAtomic(const std::string& path, std::string_view data, mode_t mode) {
  const std::string temporary = TemporaryName(path);
  absl::Status status = WriteNew(temporary, data, mode);
  if (status.ok()) status = Rename(temporary, path);
  if (!status.ok()) {
    ::unlink(temporary.c_str());
    return Annotate(status, StrCat("write ", path));
  }
  return SyncDirectory(DirectoryOf(path));
}

absl::Status CreateFile(const std::string& path, mode_t mode) {
  absl::StatusOr<UniqueFd> fd = Open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  if (absl::IsAlreadyExists(fd.status())) return absl::OkStatus();
  RETURN_IF_ERROR(fd.status());
  return DoVoid("chmod", path, [&] { return ::fchmod(fd->get(), mode); });
}

absl::Status MakeDirectories(const std::string& path, mode_t mode) {
  const absl::Status made = DoVoid("mkdir", path, [&] { return ::mkdir(path.c_str(), mode); });
  if (made.ok()) return absl::OkStatus();
  if (absl::IsAlreadyExists(made)) {
    ASSIGN_OR_RETURN(const struct stat info, Stat(path));
    return S_ISDIR(info.st_mode) ? absl::OkStatus() : ErrnoError(StrCat("mkdir ", path), ENOTDIR);
  }
  const std::string parent = DirectoryOf(path);
  if (!absl::IsNotFound(made) || parent == path || parent == ".") return made;
  RETURN_IF_ERROR(MakeDirectories(parent, mode));
  const absl::Status again = DoVoid("mkdir", path, [&] { return ::mkdir(path.c_str(), mode); });
  return absl::IsAlreadyExists(again) ? absl::OkStatus() : again;
}

absl::Status RemoveFile(const std::string& path) {
  const absl::Status status = DoVoid("unlink", path, [&] { return ::unlink(path.c_str()); });
  return absl::IsNotFound(status) ? absl::OkStatus() : status;
}

absl::Status RemoveDirectory(const std::string& path) {
  const absl::Status status = DoVoid("rmdir", path, [&] { return ::rmdir(path.c_str()); });
  return absl::IsNotFound(status) ? absl::OkStatus() : status;
}

absl::Status Rename(const std::string& from, const std::string& to) {
  int fault = InjectedFault("rename", to);
  if (fault == 0 && ::rename(from.c_str(), to.c_str()) != 0) fault = errno;
  return fault == 0 ? absl::OkStatus() : ErrnoError(StrCat("rename ", from, " to ", to), fault);
}

absl::Status Symlink(const std::string& target, const std::string& path) {
  return DoVoid("symlink", path, [&] { return ::symlink(target.c_str(), path.c_str()); });
}

absl::Status SymlinkAtomic(const std::string& target, const std::string& path) {
  const std::string temporary = TemporaryName(path);
  RETURN_IF_ERROR(Symlink(target, temporary));
  const absl::Status status = Rename(temporary, path);
  if (!status.ok()) ::unlink(temporary.c_str());
  return status;
}

absl::Status ChangeMode(const std::string& path, mode_t mode) {
  return DoVoid("chmod", path, [&] { return ::chmod(path.c_str(), mode); });
}

absl::Status SyncDirectory(const std::string& path) {
  ASSIGN_OR_RETURN(const UniqueFd fd, Open(path, O_RDONLY | O_DIRECTORY));
  return DoVoid("sync", path, [&] { return ::fsync(fd.get()); });
}

std::string RandomHex(size_t length) {
  std::string bytes((length + 1) / 2, '\0');
  size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t got = ::getrandom(bytes.data() + filled, bytes.size() - filled, 0);
    if (got < 0 && errno == EINTR) continue;
    CHECK(got > 0);
    filled += static_cast<size_t>(got);
  }
  return HexEncode(bytes).substr(0, length);
}

}  // namespace cubelet::os
