// What the agent does to its own process and to the kernel at start (node.md 6.9, 6.10). Blocking.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "config/config.h"

namespace cubelet::kubelet {

// A kernel setting that pods rely on.
struct KernelSetting {
  std::string_view name;  // "vm/overcommit_memory", below /proc/sys
  int64_t value;
};
const std::vector<KernelSetting>& KernelSettings();

// Sets what differs below `proc_sys`, or, with `protect`, fails naming all that differs
// (protectKernelDefaults). What cannot be written is logged: the node may be a container.
absl::Status ApplyKernelSettings(const std::string& proc_sys, bool protect);

// Whether the text of /proc/swaps names a device in use. Pure.
bool HasActiveSwap(std::string_view proc_swaps);

// Refuses a node with cgroup v1 where the configuration does (failCgroupV1, on by default).
absl::Status CheckCgroupVersion(const config::Config& config, bool cgroup_v2);

// Sets the number of open files and the OOM score as configured and refuses a node with swap where
// the configuration does. Error: as the original words it.
absl::Status PrepareProcess(const config::Config& config);

}  // namespace cubelet::kubelet
