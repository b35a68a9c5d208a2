#include "cgroups/hierarchy.h"

#include <sys/stat.h>

#include <algorithm>
#include <iterator>
#include <string>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "base/strings.h"
#include "cgroups/kernel_files.h"
#include "os/files.h"

namespace cubelet::cgroups {
namespace {

constexpr char kV1Type[] = "cgroup";
constexpr char kV2Type[] = "cgroup2";

// Options of a v1 mount that name what it is for; the others are about mounting.
bool IsController(std::string_view option) {
  static constexpr std::string_view kKnown[] = {
      "cpu",      "cpuacct",    "cpuset",  "memory", "devices", "freezer", "net_cls",
      "net_prio", "perf_event", "hugetlb", "blkio",  "pids",    "rdma",    "misc"};
  return option.starts_with("name=") ||
         std::find(std::begin(kKnown), std::end(kKnown), option) != std::end(kKnown);
}

absl::Status NothingMounted(std::string_view where) {
  return absl::NotFoundError(StrCat("find cgroups: ", where, " has neither cgroup v1 nor v2"));
}

absl::StatusOr<Layout> V2Layout(const std::string& directory) {
  ASSIGN_OR_RETURN(const std::string text, os::ReadFile(os::JoinPath(directory, kControllers)));
  return Layout{.v2 = true, .hierarchies = {{directory, Words(text)}}};
}

// "cpu,cpuacct" names its controllers; "systemd" is the tree without one.
std::vector<std::string> ControllersOf(const std::string& name) {
  if (name == "systemd") return {kSystemd};
  return absl::StrSplit(name, ',');
}

absl::StatusOr<Layout> LayoutBelow(const std::string& mount_root) {
  ASSIGN_OR_RETURN(const bool v2, os::Exists(os::JoinPath(mount_root, kControllers)));
  if (v2) return V2Layout(mount_root);
  Layout layout;
  ASSIGN_OR_RETURN(const std::vector<std::string> names, os::ListDirectory(mount_root));
  for (const std::string& name : names) {
    const std::string directory = os::JoinPath(mount_root, name);
    // Links ("cpu" to "cpu,cpuacct") are second names of a hierarchy.
    ASSIGN_OR_RETURN(const struct stat info, os::Lstat(directory));
    if (!S_ISDIR(info.st_mode)) continue;
    ASSIGN_OR_RETURN(const bool cgroup, os::Exists(os::JoinPath(directory, kProcs)));
    ASSIGN_OR_RETURN(const bool unified, os::Exists(os::JoinPath(directory, kControllers)));
    if (unified) {
      if (layout.unified.empty()) layout.unified = directory;
    } else if (cgroup) {
      layout.hierarchies.push_back({directory, ControllersOf(name)});
    }
  }
  if (layout.hierarchies.empty()) return NothingMounted(mount_root);
  return layout;
}

}  // namespace

bool Hierarchy::Has(std::string_view controller) const {
  return std::find(controllers.begin(), controllers.end(), controller) != controllers.end();
}

const Hierarchy* Layout::Find(std::string_view controller) const {
  for (const Hierarchy& hierarchy : hierarchies) {
    if (hierarchy.Has(controller)) return &hierarchy;
  }
  return nullptr;
}

absl::StatusOr<Layout> LayoutOf(const std::vector<os::MountInfo>& table) {
  Layout v1, v2{.v2 = true};
  for (const os::MountInfo& mount : table) {
    if (mount.type == kV2Type && v2.hierarchies.empty())
      v2.hierarchies.push_back({mount.mount_point, {}});
    if (mount.type != kV1Type) continue;
    Hierarchy hierarchy{mount.mount_point, {}};
    for (absl::string_view option : absl::StrSplit(mount.options, ',')) {
      if (IsController(ToStd(option))) hierarchy.controllers.emplace_back(option);
    }
    // A hierarchy that is mounted twice is used where it was mounted first.
    if (!hierarchy.controllers.empty() && v1.Find(hierarchy.controllers[0]) == nullptr)
      v1.hierarchies.push_back(std::move(hierarchy));
  }
  const bool v1_in_use = std::any_of(v1.hierarchies.begin(), v1.hierarchies.end(), [](auto& h) {
    return !h.controllers[0].starts_with("name=");
  });
  if (v1_in_use) {
    if (!v2.hierarchies.empty()) v1.unified = v2.hierarchies[0].directory;
    return v1;
  }
  if (!v2.hierarchies.empty()) return v2;
  return NothingMounted("the mount table");
}

absl::StatusOr<Layout> FindLayout(const std::string& mount_root) {
  if (!mount_root.empty()) return LayoutBelow(mount_root);
  ASSIGN_OR_RETURN(const std::vector<os::MountInfo> table, os::ReadMountTable());
  ASSIGN_OR_RETURN(Layout layout, LayoutOf(table));
  if (layout.v2) return V2Layout(layout.hierarchies[0].directory);
  return layout;
}

absl::Status CheckControllers(const Layout& layout) {
  const std::vector<std::string> needed =
      layout.v2 ? std::vector<std::string>{kCpu, kCpuset, kMemory, kPids}
                : std::vector<std::string>{kCpu, kCpuacct, kCpuset, kMemory};
  std::vector<std::string> missing;
  std::copy_if(needed.begin(), needed.end(), std::back_inserter(missing),
               [&](const std::string& name) { return layout.Find(name) == nullptr; });
  if (missing.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      StrCat("cgroup ", layout.v2 ? "v2" : "v1",
             " has some missing controllers: ", absl::StrJoin(missing, ", ")));
}

std::vector<std::string> Words(std::string_view text) {
  return absl::StrSplit(ToAbsl(text), absl::ByAnyChar(" \n\t"), absl::SkipEmpty());
}

}  // namespace cubelet::cgroups
