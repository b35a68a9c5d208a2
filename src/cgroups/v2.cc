// cgroup v2: one hierarchy, in which a cgroup has the controllers that its parent gives on.
#include <algorithm>
#include <iterator>

#include "absl/strings/str_join.h"
#include "base/status.h"
#include "base/strings.h"
#include "cgroups/driver.h"
#include "cgroups/kernel_files.h"
#include "os/files.h"

namespace cubelet::cgroups {
namespace {

constexpr HugetlbFiles kHugetlbFiles = {kV2HugetlbMax, kV2HugetlbReservedMax};

// What our cgroups need; of these, what the machine has.
constexpr const char* kUsed[] = {kCpu, kCpuset, kMemory, kPids, kHugetlb};

std::string LimitText(int64_t limit) { return limit < 0 ? kMax : StrCat(limit); }

class V2Driver final : public Driver {
 public:
  explicit V2Driver(Layout layout) : Driver(std::move(layout)) {}

  absl::Status CheckRoot(const std::string& root) const override {
    const std::string directory = DirectoryOf(root);
    ASSIGN_OR_RETURN(const bool exists, os::Exists(directory));
    if (!exists)
      return absl::FailedPreconditionError(
          StrCat("cgroupRoot: ", GoQuote(root), " does not exist: there is no ", directory));
    ASSIGN_OR_RETURN(const std::string text, ReadValue(directory, kControllers));
    const std::vector<std::string> missing = Used(Words(text), /*present=*/false);
    if (missing.empty()) return absl::OkStatus();
    return absl::FailedPreconditionError(StrCat(
        "cgroup ", GoQuote(root), " has some missing controllers: ", absl::StrJoin(missing, ", ")));
  }

  bool Exists(const std::string& path) const override {
    return os::Exists(DirectoryOf(path)).value_or(false);
  }

  absl::Status Make(const std::string& root, const std::string& path) const override {
    std::string parent = DirectoryOf("/");
    const size_t root_depth = Lineage(root).size();
    size_t depth = 0;
    for (const std::string& ancestor : Lineage(path)) {
      if (depth++ >= root_depth) RETURN_IF_ERROR(GiveControllersOn(parent));
      parent = DirectoryOf(ancestor);
      RETURN_IF_ERROR(os::MakeDirectories(parent, 0755));
    }
    return absl::OkStatus();
  }

  absl::Status Apply(const std::string& path, const Resources& resources) const override {
    const std::string directory = DirectoryOf(path);
    if (resources.cpu_shares)
      RETURN_IF_ERROR(WriteValue(directory, kV2CpuWeight, StrCat(WeightOf(*resources.cpu_shares))));
    RETURN_IF_ERROR(ApplyCpuMax(directory, resources));
    if (resources.memory_limit_bytes)
      RETURN_IF_ERROR(
          WriteValue(directory, kV2MemoryMax, LimitText(*resources.memory_limit_bytes)));
    if (resources.pids_limit)
      RETURN_IF_ERROR(WriteValue(
          directory, kPidsMax, LimitText(*resources.pids_limit > 0 ? *resources.pids_limit : -1)));
    return ApplyHugepages(directory, kHugetlbFiles, resources.hugepage_limits);
  }

  absl::Status UnlimitHugepages(const std::string& path) const override {
    return UnlimitHugepagesIn(DirectoryOf(path), kHugetlbFiles);
  }

 private:
  std::string DirectoryOf(const std::string& path) const {
    return path == "/" ? layout_.hierarchies[0].directory
                       : StrCat(layout_.hierarchies[0].directory, path);
  }

  // The controllers we use and the machine has that are in `names`, or are not.
  std::vector<std::string> Used(const std::vector<std::string>& names, bool present) const {
    std::vector<std::string> result;
    for (const char* controller : kUsed) {
      if (layout_.Find(controller) == nullptr) continue;
      const bool found = std::find(names.begin(), names.end(), controller) != names.end();
      if (found == present) result.emplace_back(controller);
    }
    return result;
  }

  // Gives the children of `directory` the controllers we use. What they have already is not
  // written again.
  absl::Status GiveControllersOn(const std::string& directory) const {
    ASSIGN_OR_RETURN(const std::string given, ReadValue(directory, kSubtreeControl));
    const std::vector<std::string> missing = Used(Words(given), /*present=*/false);
    if (missing.empty()) return absl::OkStatus();
    return WriteValue(directory, kSubtreeControl, StrCat("+", absl::StrJoin(missing, " +")));
  }

  // "quota period" in one file: what is not given stays.
  static absl::Status ApplyCpuMax(const std::string& directory, const Resources& resources) {
    if (!resources.cpu_quota_us && !resources.cpu_period_us) return absl::OkStatus();
    std::string text;
    if (resources.cpu_quota_us) {
      text = LimitText(*resources.cpu_quota_us > 0 ? *resources.cpu_quota_us : -1);
    } else {
      ASSIGN_OR_RETURN(const std::string now, ReadValue(directory, kV2CpuMax));
      text = now.substr(0, now.find(' '));
    }
    if (resources.cpu_period_us) StrAppend(&text, " ", *resources.cpu_period_us);
    return WriteValue(directory, kV2CpuMax, text);
  }
};

}  // namespace

std::unique_ptr<Driver> MakeV2Driver(Layout layout) {
  return std::make_unique<V2Driver>(std::move(layout));
}

}  // namespace cubelet::cgroups
