// What cgroup hierarchies this machine has and where they are mounted.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "os/mounts.h"

namespace cubelet::cgroups {

// One mounted hierarchy.
struct Hierarchy {
  std::string directory;                 // "/sys/fs/cgroup/cpu"
  std::vector<std::string> controllers;  // "cpu", "cpuacct"; "name=systemd"

  bool Has(std::string_view controller) const;
};

// v2: exactly one hierarchy, with the controllers of its root. v1: one or more. On machines with
// both (v2 mounted beside v1) it is v1.
struct Layout {
  bool v2 = false;
  std::vector<Hierarchy> hierarchies;
  // v1: where v2 is mounted beside it, "" if it is not. Nothing of ours is made there, but runtimes
  // make cgroups there and do not remove them.
  std::string unified = {};

  // The hierarchy of a controller, null if there is none.
  const Hierarchy* Find(std::string_view controller) const;
};

// The layout below `mount_root`: it is a v2 root itself, or holds one directory per v1 hierarchy,
// named after its controllers ("cpu,cpuacct", "systemd"), and maybe one of v2. With "" the mount
// table is asked. Error: NOT_FOUND when neither v1 nor v2 is there.
absl::StatusOr<Layout> FindLayout(const std::string& mount_root);

// The same from a mount table; the controllers of a v2 hierarchy are left empty.
absl::StatusOr<Layout> LayoutOf(const std::vector<os::MountInfo>& table);

// OK, or FAILED_PRECONDITION that names the controllers which are needed and missing: v1 cpu,
// cpuacct, cpuset and memory; v2 cpu, cpuset, memory and pids.
absl::Status CheckControllers(const Layout& layout);

// The words of a kernel file ("cpuset cpu io\n").
std::vector<std::string> Words(std::string_view text);

}  // namespace cubelet::cgroups
