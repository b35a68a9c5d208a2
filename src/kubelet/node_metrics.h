// Metrics of the whole agent: those that never change, and those that are only worked out when
// somebody scrapes.
#pragma once

#include "base/metrics.h"
#include "config/config.h"
#include "pods/manager.h"

namespace cubelet::kubelet {

// kubernetes_build_info, kubernetes_feature_enabled, and the counters that a table of alerts wants
// to see at 0 before anything was counted.
void SetBuildMetrics(Metrics& metrics, const config::Config& config);

// The gauges of pods and containers.
void UpdatePodMetrics(Metrics& metrics, const pods::Manager& pods);

}  // namespace cubelet::kubelet
