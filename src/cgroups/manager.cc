#include "cgroups/manager.h"

#include <sys/stat.h>

#include <set>
#include <utility>

#include "base/status.h"
#include "base/strings.h"
#include "cgroups/destroy.h"
#include "cgroups/driver.h"
#include "cgroups/hierarchy.h"
#include "cgroups/names.h"
#include "os/files.h"

namespace cubelet::cgroups {
namespace {

constexpr api::QosClass kClasses[] = {api::QosClass::kGuaranteed, api::QosClass::kBurstable,
                                      api::QosClass::kBestEffort};

constexpr uint64_t kLeastShares = 2;

class CgroupfsManager final : public Manager {
 public:
  CgroupfsManager(std::string root, std::unique_ptr<Driver> driver)
      : root_(std::move(root)), driver_(std::move(driver)) {}

  bool IsV2() const override { return driver_->v2(); }

  std::string PodPath(const std::string& uid, api::QosClass qos) const override {
    return PodPathOf(root_, uid, qos);
  }

  absl::Status EnsureRoots(const Resources& node) override {
    RETURN_IF_ERROR(driver_->CheckRoot(root_));
    for (api::QosClass qos : kClasses)
      RETURN_IF_ERROR(Annotate(driver_->Make(root_, QosPath(root_, qos)),
                               StrCat("make cgroup ", QosPath(root_, qos))));
    RETURN_IF_ERROR(Limit(PodsPath(root_), node));
    RETURN_IF_ERROR(
        Limit(QosPath(root_, api::QosClass::kBestEffort), {.cpu_shares = kLeastShares}));
    // The classes have no limit of their own on huge pages, whatever was there before.
    for (api::QosClass qos : {api::QosClass::kBurstable, api::QosClass::kBestEffort})
      RETURN_IF_ERROR(Annotate(driver_->UnlimitHugepages(QosPath(root_, qos)),
                               StrCat("change cgroup ", QosPath(root_, qos))));
    return absl::OkStatus();
  }

  absl::Status SetBurstableShares(uint64_t cpu_shares) override {
    return Limit(QosPath(root_, api::QosClass::kBurstable), {.cpu_shares = cpu_shares});
  }

  bool PodExists(const std::string& uid, api::QosClass qos) const override {
    return CheckUid(uid).ok() && driver_->Exists(PodPath(uid, qos));
  }

  absl::Status EnsurePod(const std::string& uid, api::QosClass qos,
                         const Resources& resources) override {
    RETURN_IF_ERROR(CheckUid(uid));
    const std::string path = PodPath(uid, qos);
    RETURN_IF_ERROR(Annotate(driver_->Make(root_, path), StrCat("make cgroup ", path)));
    return Limit(path, resources);
  }

  absl::Status DestroyPod(const std::string& uid) override {
    RETURN_IF_ERROR(CheckUid(uid));
    std::vector<std::string> directories;
    for (api::QosClass qos : kClasses) {
      for (std::string& directory : driver_->DirectoriesOf(PodPath(uid, qos)))
        directories.push_back(std::move(directory));
    }
    return Annotate(DestroyCgroup(directories), StrCat("destroy cgroup of pod ", uid));
  }

  absl::StatusOr<std::vector<PodCgroup>> ListPods() const override {
    std::vector<PodCgroup> pods;
    for (api::QosClass qos : kClasses) {
      // A pod may be left in some hierarchies only.
      std::set<std::string> uids;
      for (const std::string& directory : driver_->DirectoriesOf(QosPath(root_, qos)))
        RETURN_IF_ERROR(AddPodsIn(directory, uids));
      for (const std::string& uid : uids) pods.push_back({uid, qos});
    }
    return pods;
  }

 private:
  absl::Status Limit(const std::string& path, const Resources& resources) {
    return Annotate(driver_->Apply(path, resources), StrCat("change cgroup ", path));
  }

  static absl::Status AddPodsIn(const std::string& directory, std::set<std::string>& uids) {
    const absl::StatusOr<std::vector<std::string>> names = os::ListDirectory(directory);
    if (absl::IsNotFound(names.status())) return absl::OkStatus();
    RETURN_IF_ERROR(Annotate(names.status(), "list pod cgroups"));
    for (const std::string& name : *names) {
      const std::optional<std::string> uid = UidOf(name);
      if (!uid) continue;
      const absl::StatusOr<struct stat> info = os::Lstat(os::JoinPath(directory, name));
      if (info.ok() && S_ISDIR(info->st_mode)) uids.insert(*uid);
    }
    return absl::OkStatus();
  }

  const std::string root_;
  const std::unique_ptr<Driver> driver_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Manager>> CreateCgroupfsManager(const Options& options) {
  ASSIGN_OR_RETURN(std::string root, NormalizeRoot(options.cgroup_root));
  ASSIGN_OR_RETURN(Layout layout, FindLayout(options.mount_root));
  RETURN_IF_ERROR(CheckControllers(layout));
  std::unique_ptr<Driver> driver =
      layout.v2 ? MakeV2Driver(std::move(layout)) : MakeV1Driver(std::move(layout));
  return std::make_unique<CgroupfsManager>(std::move(root), std::move(driver));
}

}  // namespace cubelet::cgroups
