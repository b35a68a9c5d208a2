// What the node has and what of it pods may use (constants.md 4.6). Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "api/pod.h"

namespace cubelet::node {

struct MachineFacts {
  int64_t cpu_count = 0;
  uint64_t memory_bytes = 0;
  std::map<uint64_t, uint64_t> hugepages;         // page size in bytes -> bytes reserved
  std::optional<uint64_t> nodefs_capacity_bytes;  // absent: not known yet
};

struct CapacityConfig {
  int64_t max_pods = 110;
  int64_t pods_per_core = 0;  // 0: no limit by cores
  api::ResourceAmounts kube_reserved;
  api::ResourceAmounts system_reserved;
  // evictionHard by signal: "memory.available" -> "100Mi", "nodefs.available" -> "10%".
  std::map<std::string, std::string> eviction_hard;
  bool ignore_eviction = false;  // --experimental-allocatable-ignore-eviction
};

// "cpu", "memory", "pods", "hugepages-*" and, when known, "ephemeral-storage".
api::ResourceAmounts Capacity(const MachineFacts& machine, const CapacityConfig& config);

// Capacity less what is reserved and kept free for eviction; memory also less all huge pages; never
// below zero. Error: a threshold that is no quantity or percentage, with its signal.
absl::StatusOr<api::ResourceAmounts> Allocatable(const api::ResourceAmounts& capacity,
                                                 const CapacityConfig& config);

// The name of the resource for pages of that size: "hugepages-2Mi".
std::string HugePageResource(uint64_t page_bytes);

}  // namespace cubelet::node
