// Mounting, as one of the seams at the edge of the process: real through mount(2) and the mount
// table, or a record in tests and under simulation.
//
// Calls block: run them through async::Loop::Blocking. They may run on any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace cubelet::volumes {

class Mounter {
 public:
  virtual ~Mounter() = default;

  // mount(2) of a filesystem ("tmpfs", "hugetlbfs") with comma-separated options.
  virtual absl::Status Mount(const std::string& source, const std::string& target,
                             const std::string& type, const std::string& options) = 0;

  // Binds what the open descriptor `source_fd` names onto `target`, whatever its path has become.
  virtual absl::Status BindFd(int source_fd, const std::string& target) = 0;

  // OK also when nothing is mounted there.
  virtual absl::Status Unmount(const std::string& target) = 0;

  virtual absl::StatusOr<bool> IsMountPoint(const std::string& path) const = 0;

  // All mount points at or below `path`, deepest first, as paths that begin with `path`.
  virtual absl::StatusOr<std::vector<std::string>> MountPointsUnder(
      const std::string& path) const = 0;
};

std::unique_ptr<Mounter> CreateMounter();

}  // namespace cubelet::volumes
