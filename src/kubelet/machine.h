// What the agent reads of its machine once at start. Blocking.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "config/config.h"
#include "node/addresses.h"

namespace cubelet::kubelet {

struct Machine {
  std::string node_name;              // --hostname-override, or the kernel's host name
  node::NodeIpFlag node_ip;           // --node-ip
  std::vector<std::string> node_ips;  // primary first
  bool primary_ipv6 = false;
  int64_t cpu_count = 0;
  int64_t memory_bytes = 0;
  int64_t swap_bytes = 0;
  std::vector<std::pair<int64_t, int64_t>> hugepages;  // page size and bytes reserved
  int64_t root_filesystem_bytes = 0;
  int64_t max_tasks = 0;  // processes and threads, of the whole machine
  bool cgroup_v2 = false;
  bool swap_controller = false;  // containers' swap can be limited
  bool apparmor = false;
  bool selinux = false;
  std::string kernel_release;
  std::vector<std::string> thermal_throttle_paths;
};

// Errors: a host name or address that cannot be found out, a machine that cannot be read.
absl::StatusOr<Machine> ReadMachine(const config::Config& config);

}  // namespace cubelet::kubelet
