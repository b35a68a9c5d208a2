// The mount table and mount(2), of the calling process's mount namespace. Everything blocks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace cubelet::os {

struct MountInfo {
  int id = 0;
  int parent_id = 0;
  uint64_t device = 0;      // as st_dev
  std::string root;         // what of the filesystem is mounted
  std::string mount_point;  // where
  std::string type;         // "tmpfs"
  std::string source;
  std::string options;      // of the mount and of the filesystem: "rw,relatime,size=8192k"
  std::string propagation;  // "shared:5 master:2" or ""

  // The value of one of `options` ("size"), "" without it.
  std::string Option(std::string_view name) const;
};

// A text in the form of /proc/<pid>/mountinfo, in its order (a mount comes after what it is on).
// Lines that cannot be read are an error.
absl::StatusOr<std::vector<MountInfo>> ParseMountTable(std::string_view text);

// The table now. Kernels before 5.8 may leave mounts out while others change the table: there it is
// read until two readings agree.
absl::StatusOr<std::vector<MountInfo>> ReadMountTable();

// What is mounted at exactly `path` (absolute, without links), the topmost if several; null if
// nothing is.
const MountInfo* FindMount(const std::vector<MountInfo>& table, std::string_view path);

// Whether something is mounted at exactly `path`, not following a link there. Reads no mount table.
// False when there is no such path; true for a mount that has become unusable (a dead FUSE or NFS
// server), which an unmount can still take down.
absl::StatusOr<bool> IsMountPoint(const std::string& path);

// Mount points at or below `path`, deepest first and of stacked ones the topmost first.
std::vector<std::string> MountPointsUnder(const std::vector<MountInfo>& table,
                                          std::string_view path);

// The same from the table as it is now, `path` resolved first; none when there is no such path.
// Only the lines in question are parsed.
absl::StatusOr<std::vector<std::string>> ReadMountPointsUnder(const std::string& path);

// mount(2) of a filesystem. `options` are comma-separated, as of mount(8): those that mount(2) has
// flags for become flags, the rest is the filesystem's.
absl::Status Mount(const std::string& source, const std::string& target, const std::string& type,
                   const std::string& options);

// Binds what the descriptor names onto `target`.
absl::Status BindMount(int source_fd, const std::string& target);

// Takes the topmost mount at `path` down, not following a link there. OK when nothing is mounted
// there or there is no such path.
absl::Status Unmount(const std::string& path);

// Makes mounts at and below `path` reach the containers they are bound into (mount --make-rshared).
// `path` must be a mount point.
absl::Status MakeRecursivelyShared(const std::string& path);

}  // namespace cubelet::os
