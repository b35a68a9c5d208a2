#include "volumes/mounter.h"

#include "os/mounts.h"

namespace cubelet::volumes {
namespace {

class SystemMounter final : public Mounter {
 public:
  absl::Status Mount(const std::string& source, const std::string& target, const std::string& type,
                     const std::string& options) override {
    return os::Mount(source, target, type, options);
  }
  absl::Status BindFd(int source_fd, const std::string& target) override {
    return os::BindMount(source_fd, target);
  }
  absl::Status Unmount(const std::string& target) override { return os::Unmount(target); }
  absl::StatusOr<bool> IsMountPoint(const std::string& path) const override {
    return os::IsMountPoint(path);
  }
  absl::StatusOr<std::vector<std::string>> MountPointsUnder(
      const std::string& path) const override {
    return os::ReadMountPointsUnder(path);
  }
};

}  // namespace

std::unique_ptr<Mounter> CreateMounter() { return std::make_unique<SystemMounter>(); }

}  // namespace cubelet::volumes
