// The eviction settings as thresholds: evictionHard, evictionSoft with their grace periods and
// minimum reclaims (constants.md 5). Pure. Config::Load has checked that they can be read.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "api/quantity.h"
#include "config/config.h"

namespace cubelet::config {

// An amount, or a share of the capacity.
struct ThresholdValue {
  api::Quantity quantity;
  std::optional<double> percentage;  // 0.15 of "15%"; if set, instead of `quantity`
};

struct EvictionThreshold {
  std::string signal;    // "memory.available"
  ThresholdValue value;  // met when less is available
  // Zero for hard thresholds.
  absl::Duration grace_period;
  std::optional<ThresholdValue> minimum_reclaim;
};

// Hard thresholds first, each kind sorted by signal. Where enforceNodeAllocatable holds "pods", the
// hard memory.available is followed by its twin for allocatableMemory.available, which is what the
// pods' cgroup is held to. "0%" and "100%" take their signal out. Errors name the setting, the
// signal and the value.
absl::StatusOr<std::vector<EvictionThreshold>> EvictionThresholds(
    const KubeletConfiguration& config);

}  // namespace cubelet::config
