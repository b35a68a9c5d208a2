// cgroups as a set of names, for the simulator and integration tests.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cgroups/manager.h"

namespace cubelet::fakes {

class FakeCgroups final : public cgroups::Manager {
 public:
  bool IsV2() const override { return true; }
  std::string PodPath(const std::string& uid, api::QosClass qos) const override {
    const std::string parent = qos == api::QosClass::kGuaranteed  ? ""
                               : qos == api::QosClass::kBurstable ? "/burstable"
                                                                  : "/besteffort";
    return "/kubepods" + parent + "/pod" + uid;
  }
  absl::Status EnsureRoots(const cgroups::Resources&) override { return absl::OkStatus(); }
  absl::Status SetBurstableShares(uint64_t) override { return absl::OkStatus(); }
  bool PodExists(const std::string& uid, api::QosClass) const override {
    return pods_.contains(uid);
  }
  absl::Status EnsurePod(const std::string& uid, api::QosClass qos,
                         const cgroups::Resources&) override {
    if (absl::Status status = Fail("ensure", uid); !status.ok()) return status;
    pods_[uid] = qos;
    return absl::OkStatus();
  }
  absl::Status DestroyPod(const std::string& uid) override {
    if (absl::Status status = Fail("destroy", uid); !status.ok()) return status;
    pods_.erase(uid);
    return absl::OkStatus();
  }
  absl::StatusOr<std::vector<cgroups::PodCgroup>> ListPods() const override {
    if (absl::Status status = Fail("list", ""); !status.ok()) return status;
    std::vector<cgroups::PodCgroup> pods;
    for (const auto& [uid, qos] : pods_) pods.push_back({uid, qos});
    return pods;
  }

  const std::map<std::string, api::QosClass>& pods() const { return pods_; }

  // Asked before each call ("ensure", "destroy", "list" and the pod's uid); an error is the call's.
  void SetFault(std::function<absl::Status(const std::string&, const std::string&)> fault) {
    fault_ = std::move(fault);
  }

 private:
  absl::Status Fail(const std::string& call, const std::string& uid) const {
    return fault_ ? fault_(call, uid) : absl::OkStatus();
  }

  std::map<std::string, api::QosClass> pods_;
  std::function<absl::Status(const std::string&, const std::string&)> fault_;
};

}  // namespace cubelet::fakes
