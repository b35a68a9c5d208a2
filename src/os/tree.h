// Whole directory trees, held by descriptors: no link is ever followed and no mount is ever entered
// (bind mounts of the same file system included), whatever is moved or swapped underneath
// meanwhile. Depth is bounded by nothing but memory: three descriptors serve any tree.
//
// Everything blocks: run it through async::Loop::Blocking. Paths must be absolute.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"

namespace cubelet::os {

// The id of the mount that an open descriptor lies on.
absl::StatusOr<uint64_t> MountIdOf(int fd);

// One file or directory as a walk meets it.
struct TreeEntry {
  int directory_fd;  // of the directory it is in
  const char* name;  // in that directory
  mode_t mode;       // with the type (S_IFMT)
  uid_t uid;
  gid_t gid;
  uint64_t device;
  uint64_t inode;
  uint64_t links;
  int64_t disk_bytes;  // that it takes on disk
};

// An error is kept by the walk, which goes on with the next entry.
using TreeVisitor = absl::FunctionRef<absl::Status(const TreeEntry& entry, std::string_view path)>;

enum class MountsInside { kSkip, kFail };

// Visits everything at and below `root`, a directory after what it holds, `root` last. Mounts below
// `root` are passed over, or are errors; `root` itself may be one. Returns the first error of the
// walk or of the visitor; OK when there is no `root`.
absl::Status WalkTree(const std::string& root, MountsInside mounts, TreeVisitor visitor);

// Removes `root` and everything below it. Stops short of mounts: FAILED_PRECONDITION "<path> is a
// mount point", with all else removed that could be. OK when nothing is there.
absl::Status RemoveTree(const std::string& root);

// The same, but directories only, and never a file: for what must be empty. The error names the
// first directory that is not.
absl::Status RemoveEmptyTree(const std::string& root);

struct DiskUsage {
  int64_t bytes = 0;
  int64_t inodes = 0;
};

// What a tree takes on disk, hard links counted once, mounts inside left out. Files that come and
// go meanwhile are no error.
absl::StatusOr<DiskUsage> MeasureTree(const std::string& root);

// Sets owner and mode of what a walk met, if it is still what it was: never through a link, never
// on a mount put over it. uid or gid -1 leaves that as it is. Links get owners but no mode.
absl::Status ChangeOwnerAndMode(const TreeEntry& entry, uid_t uid, gid_t gid, mode_t mode);

}  // namespace cubelet::os
