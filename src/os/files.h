// Files and directories by path: reading with a bound, writing whole or not at all.
//
// Every function blocks: on the loop only for small local files, otherwise through
// async::Loop::Blocking. Errors name the operation and the path ("open /x: No such file or
// directory") and carry the code that fits the errno (NOT_FOUND, ALREADY_EXISTS,
// RESOURCE_EXHAUSTED for a full disk, ...).
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/fd.h"

namespace cubelet::os {

inline constexpr size_t kMaxFileBytes = 16 << 20;

// ---- Names

// "a/b" of "a" and "b"; no second slash when `directory` ends in one.
std::string JoinPath(std::string_view directory, std::string_view name);

// "/a" of "/a/b", "/" of "/a", "." of "a".
std::string DirectoryOf(std::string_view path);

// "b" of "/a/b" and of "/a/b/".
std::string BaseName(std::string_view path);

// The absolute path with all links followed. Error: NOT_FOUND and others of realpath(3).
absl::StatusOr<std::string> RealPath(const std::string& path);

// ---- Looking

// stat(2) and lstat(2).
absl::StatusOr<struct stat> Stat(const std::string& path);
absl::StatusOr<struct stat> Lstat(const std::string& path);

// Whether something is there (a link that leads nowhere is something). Error: it cannot be told.
absl::StatusOr<bool> Exists(const std::string& path);

// The names in a directory but "." and "..", sorted.
absl::StatusOr<std::vector<std::string>> ListDirectory(const std::string& path);

absl::StatusOr<std::string> ReadLink(const std::string& path);

// open(2), close-on-exec.
absl::StatusOr<UniqueFd> Open(const std::string& path, int flags, mode_t mode = 0);

// ---- Reading and writing

// The content of a regular file (kernel files are regular, too). Pipes, sockets and devices are
// refused without waiting on them. Error: INVALID_ARGUMENT when it is larger than `max_bytes`.
absl::StatusOr<std::string> ReadFile(const std::string& path, size_t max_bytes = kMaxFileBytes);

// Replaces `path` by a file with exactly `data` and `mode` (whatever the umask): written beside it
// under a name that starts with a dot, synced, renamed, and the directory synced. After an error,
// or a crash at any point, `path` holds the old or the new content, never a part; only a failed
// sync of the directory is reported with the new content in place.
absl::Status WriteFileAtomic(const std::string& path, std::string_view data, mode_t mode);

// Makes an empty file with exactly `mode` if nothing is there; what is there stays as it is.
absl::Status CreateFile(const std::string& path, mode_t mode);

// Writes all of `data` to an open descriptor. `path` is for the message.
absl::Status WriteAll(int fd, std::string_view data, const std::string& path);

// All that can be read from an open descriptor, up to `max_bytes`.
absl::StatusOr<std::string> ReadAll(int fd, size_t max_bytes, const std::string& path);

// ---- Making and removing

// Makes a directory and its missing parents with `mode` less the umask, as mkdir(2) does. What
// exists keeps its mode. Error: a part of the path is no directory.
absl::Status MakeDirectories(const std::string& path, mode_t mode);

// unlink(2) and rmdir(2). OK when nothing is there.
absl::Status RemoveFile(const std::string& path);
absl::Status RemoveDirectory(const std::string& path);

absl::Status Rename(const std::string& from, const std::string& to);

// Makes `path` a link with the text `target`. Error: something is there already.
absl::Status Symlink(const std::string& target, const std::string& path);

// Makes `path` a link with the text `target`, in one step also when there is a link or file before.
absl::Status SymlinkAtomic(const std::string& target, const std::string& path);

absl::Status ChangeMode(const std::string& path, mode_t mode);

// Makes the names in a directory last through a crash.
absl::Status SyncDirectory(const std::string& path);

// `length` random hexadecimal digits from the kernel, for names that must not collide.
std::string RandomHex(size_t length);

}  // namespace cubelet::os
