// What making sandbox and container configurations needs to know of the node and of the agent's
// settings. Filled once at start; the runtime's features when its status is read.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "api/pod.h"
#include "paths/paths.h"

namespace cubelet::containers {

enum class SwapBehavior { kNoSwap, kLimitedSwap };

// What a runtime handler can do (CRI Status, runtime_handlers).
struct HandlerFeatures {
  bool user_namespaces = false;
  bool recursive_read_only_mounts = false;
};

struct NodeContext {
  const paths::Paths* paths = nullptr;  // outlives this

  std::string cluster_domain;            // clusterDomain, may be ""
  std::vector<std::string> cluster_dns;  // clusterDNS
  std::vector<std::string> host_ips;     // the node's addresses, primary first, at most two
  api::ResourceAmounts allocatable;      // stands in for limits in resourceFieldRef

  bool cpu_cfs_quota = true;  // cpuCFSQuota
  int64_t cpu_cfs_quota_period_us = 100000;
  int64_t memory_capacity_bytes = 0;
  int64_t swap_capacity_bytes = 0;
  SwapBehavior swap_behavior = SwapBehavior::kNoSwap;
  bool swap_controller_available = false;  // v2: memory.swap.max exists; v1: memory.memsw.*
  bool cgroup_v2 = true;
  bool single_process_oom_kill = false;  // singleProcessOOMKill; always true on v1
  bool seccomp_default = false;          // seccompDefault
  bool selinux_enabled = false;          // on this host
  bool container_stop_signals = false;   // feature gate ContainerStopSignals

  std::vector<std::string> hugepage_sizes;          // as the kernel names them: "2MB", "1GB"
  std::vector<std::string> thermal_throttle_paths;  // that exist, masked in containers

  std::map<std::string, HandlerFeatures> handlers;  // by name, "" is the runtime's default
};

}  // namespace cubelet::containers
