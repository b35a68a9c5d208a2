// cgroup v1: a hierarchy for each controller or group of them, and cgroups of one path in all.
#include <algorithm>

#include "base/status.h"
#include "base/strings.h"
#include "cgroups/driver.h"
#include "cgroups/kernel_files.h"
#include "os/files.h"

namespace cubelet::cgroups {
namespace {

constexpr HugetlbFiles kHugetlbFiles = {kV1HugetlbLimit, kV1HugetlbReservedLimit};

// Where a cgroup of ours has to be for it to exist; others (blkio, devices, ...) are only given one
// so that the runtime finds it.
constexpr const char* kTelling[] = {kCpu, kCpuacct, kCpuset, kMemory, kPids, kHugetlb, kSystemd};

class V1Driver final : public Driver {
 public:
  explicit V1Driver(Layout layout) : Driver(std::move(layout)) {}

  absl::Status CheckRoot(const std::string& root) const override {
    for (const Hierarchy* hierarchy : TellingHierarchies()) {
      const std::string directory = StrCat(hierarchy->directory, root);
      ASSIGN_OR_RETURN(const bool exists, os::Exists(directory));
      if (!exists)
        return absl::FailedPreconditionError(
            StrCat("cgroupRoot: ", GoQuote(root), " does not exist: there is no ", directory));
    }
    return absl::OkStatus();
  }

  bool Exists(const std::string& path) const override {
    const std::vector<const Hierarchy*> telling = TellingHierarchies();
    return std::all_of(telling.begin(), telling.end(), [&](const Hierarchy* hierarchy) {
      return os::Exists(StrCat(hierarchy->directory, path)).value_or(false);
    });
  }

  absl::Status Make(const std::string&, const std::string& path) const override {
    for (const Hierarchy& hierarchy : layout_.hierarchies) {
      std::string parent = hierarchy.directory;
      for (const std::string& ancestor : Lineage(path)) {
        const std::string directory = StrCat(hierarchy.directory, ancestor);
        RETURN_IF_ERROR(os::MakeDirectories(directory, 0755));
        if (hierarchy.Has(kCpuset)) RETURN_IF_ERROR(InheritCpuset(parent, directory));
        parent = directory;
      }
    }
    return absl::OkStatus();
  }

  absl::Status Apply(const std::string& path, const Resources& resources) const override {
    RETURN_IF_ERROR(ApplyCpu(DirectoryOf(kCpu, path), resources));
    if (resources.memory_limit_bytes)
      RETURN_IF_ERROR(WriteValue(DirectoryOf(kMemory, path), kV1MemoryLimit,
                                 StrCat(std::max<int64_t>(*resources.memory_limit_bytes, -1))));
    RETURN_IF_ERROR(ApplyPids(path, resources));
    if (layout_.Find(kHugetlb) != nullptr)
      return ApplyHugepages(DirectoryOf(kHugetlb, path), kHugetlbFiles, resources.hugepage_limits);
    for (const auto& [size, limit] : resources.hugepage_limits) {
      if (limit > 0) return Missing(kHugetlb, StrCat("huge pages of ", size));
    }
    return absl::OkStatus();
  }

  absl::Status UnlimitHugepages(const std::string& path) const override {
    if (layout_.Find(kHugetlb) == nullptr) return absl::OkStatus();
    return UnlimitHugepagesIn(DirectoryOf(kHugetlb, path), kHugetlbFiles);
  }

 private:
  static absl::Status Missing(std::string_view controller, std::string_view wanted) {
    return absl::FailedPreconditionError(
        StrCat("limit ", wanted, ": cgroup v1 has no controller ", controller));
  }

  std::vector<const Hierarchy*> TellingHierarchies() const {
    std::vector<const Hierarchy*> telling;
    for (const char* controller : kTelling) {
      const Hierarchy* hierarchy = layout_.Find(controller);
      if (hierarchy != nullptr) telling.push_back(hierarchy);
    }
    return telling;
  }

  // REQUIRES: the hierarchy exists, as CheckControllers or the caller has seen.
  std::string DirectoryOf(std::string_view controller, const std::string& path) const {
    return StrCat(layout_.Find(controller)->directory, path);
  }

  // A new cpuset has neither processors nor memory nodes, and no process can be in it before it
  // has.
  static absl::Status InheritCpuset(const std::string& parent, const std::string& directory) {
    for (const char* file : {kCpusetCpus, kCpusetMems}) {
      ASSIGN_OR_RETURN(const std::string own, ReadValue(directory, file));
      if (!own.empty()) continue;
      ASSIGN_OR_RETURN(const std::string inherited, ReadValue(parent, file));
      if (inherited.empty())
        return absl::FailedPreconditionError(StrCat("inherit ", file, ": it is empty in ", parent));
      RETURN_IF_ERROR(WriteValue(directory, file, inherited));
    }
    return absl::OkStatus();
  }

  static absl::Status ApplyCpu(const std::string& directory, const Resources& resources) {
    if (resources.cpu_shares)
      RETURN_IF_ERROR(WriteValue(directory, kV1CpuShares,
                                 StrCat(std::clamp<uint64_t>(*resources.cpu_shares, 2, 262144))));
    const std::string period = resources.cpu_period_us ? StrCat(*resources.cpu_period_us) : "";
    bool period_left = !period.empty();
    if (period_left) {
      const absl::Status status = WriteValue(directory, kV1CpuPeriod, period);
      // Refused when the old quota over the new period were more than the parent has: then the
      // quota goes first.
      if (!status.ok() && !(absl::IsInvalidArgument(status) && resources.cpu_quota_us))
        return status;
      period_left = !status.ok();
    }
    if (resources.cpu_quota_us) {
      const int64_t quota = *resources.cpu_quota_us > 0 ? *resources.cpu_quota_us : -1;
      RETURN_IF_ERROR(WriteValue(directory, kV1CpuQuota, StrCat(quota)));
    }
    return period_left ? WriteValue(directory, kV1CpuPeriod, period) : absl::OkStatus();
  }

  absl::Status ApplyPids(const std::string& path, const Resources& resources) const {
    if (!resources.pids_limit) return absl::OkStatus();
    const bool limited = *resources.pids_limit > 0;
    if (layout_.Find(kPids) == nullptr)
      return limited ? Missing(kPids, "processes") : absl::OkStatus();
    return WriteValue(DirectoryOf(kPids, path), kPidsMax,
                      limited ? StrCat(*resources.pids_limit) : kMax);
  }
};

}  // namespace

std::unique_ptr<Driver> MakeV1Driver(Layout layout) {
  return std::make_unique<V1Driver>(std::move(layout));
}

}  // namespace cubelet::cgroups
