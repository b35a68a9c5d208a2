// The defaults of KubeletConfiguration, which the field table holds but for a few that depend on
// other fields or on feature gates. Pure.
#pragma once

#include "config/fields.h"
#include "config/gates.h"

namespace cubelet::config {

// Lists and maps for which empty is not the same as absent; the messages do not tell them apart.
struct GivenEmpty {
  bool enforce_node_allocatable = false;
  bool eviction_hard = false;
};

enum class DefaultSet {
  kFile,    // with --config
  kLegacy,  // without: less safe, and no eviction thresholds
};

// Fills in what is unset. A value that is zero counts as unset where the original has no difference
// (evictionPressureTransitionPeriod: 0s).
void ApplyDefaults(KubeletConfiguration& config, const FeatureGates& gates, DefaultSet set,
                   const GivenEmpty& given_empty = {});

}  // namespace cubelet::config
