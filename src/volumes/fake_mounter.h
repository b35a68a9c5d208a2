// A Mounter that only writes down what it is asked for: tests of plugins, and the simulation.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "volumes/mounter.h"

namespace cubelet::volumes {

class FakeMounter : public Mounter {
 public:
  struct Entry {
    std::string source;
    std::string type;  // "bind" for binds
    std::string options;
  };

  absl::Status Mount(const std::string& source, const std::string& target, const std::string& type,
                     const std::string& options) override {
    if (absl::Status status = Fail("mount", target); !status.ok()) return status;
    mounts_[target] = {source, type, options};
    return absl::OkStatus();
  }

  absl::Status BindFd(int source_fd, const std::string& target) override {
    if (absl::Status status = Fail("bind", target); !status.ok()) return status;
    mounts_[target] = {std::to_string(source_fd), "bind", ""};
    return absl::OkStatus();
  }

  absl::Status Unmount(const std::string& target) override {
    if (absl::Status status = Fail("unmount", target); !status.ok()) return status;
    mounts_.erase(target);
    return absl::OkStatus();
  }

  absl::StatusOr<bool> IsMountPoint(const std::string& path) const override {
    if (absl::Status status = Fail("look", path); !status.ok()) return status;
    return mounts_.contains(path);
  }

  absl::StatusOr<std::vector<std::string>> MountPointsUnder(
      const std::string& path) const override {
    if (absl::Status status = Fail("list", path); !status.ok()) return status;
    std::vector<std::string> found;
    for (const auto& [target, entry] : mounts_) {
      if (target == path || target.starts_with(path + "/")) found.push_back(target);
    }
    std::sort(found.begin(), found.end(), [](const std::string& a, const std::string& b) {
      return std::count(a.begin(), a.end(), '/') > std::count(b.begin(), b.end(), '/');
    });
    return found;
  }

  const std::map<std::string, Entry>& mounts() const { return mounts_; }

  // Asked before each call ("mount", "bind", "unmount", "look", "list" and the path); an error is
  // the call's.
  void SetFault(std::function<absl::Status(const std::string&, const std::string&)> fault) {
    fault_ = std::move(fault);
  }

 private:
  absl::Status Fail(const std::string& call, const std::string& path) const {
    return fault_ ? fault_(call, path) : absl::OkStatus();
  }

  std::map<std::string, Entry> mounts_;
  std::function<absl::Status(const std::string&, const std::string&)> fault_;
};

}  // namespace cubelet::volumes
