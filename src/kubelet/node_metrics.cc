#include "kubelet/node_metrics.h"

#include <map>
#include <string>

#include "config/version.h"
#include "pleg/runtime_records.h"

namespace cubelet::kubelet {
namespace {

using pods::PodCensus;

constexpr const char* kStaticLabels[PodCensus::kKinds] = {"", "true"};
constexpr const char* kLifecycleLabels[PodCensus::kLifecycles] = {"sync", "terminating",
                                                                  "terminated"};
constexpr const char* kConfigLabels[PodCensus::kConfigs] = {"desired", "orphan", "runtime_only"};

void SetPerKind(Metrics& metrics, const char* family, const PodCensus::PerKind& counts) {
  for (size_t kind = 0; kind < PodCensus::kKinds; ++kind)
    metrics.SetGauge(family, {kStaticLabels[kind]}, counts[kind]);
}

void SetWorking(Metrics& metrics, const PodCensus& census) {
  for (size_t lifecycle = 0; lifecycle < PodCensus::kLifecycles; ++lifecycle) {
    for (size_t config = 0; config < PodCensus::kConfigs; ++config) {
      const PodCensus::PerKind& counts = census.working[lifecycle][config];
      if (config == PodCensus::kRuntimeOnly) {
        metrics.SetGauge("kubelet_working_pods",
                         {kLifecycleLabels[lifecycle], kConfigLabels[config], "unknown"},
                         counts[PodCensus::kFromApi] + counts[PodCensus::kStatic]);
        continue;
      }
      for (size_t kind = 0; kind < PodCensus::kKinds; ++kind)
        metrics.SetGauge("kubelet_working_pods",
                         {kLifecycleLabels[lifecycle], kConfigLabels[config], kStaticLabels[kind]},
                         counts[kind]);
    }
  }
}

void SetRunning(Metrics& metrics, const pods::Manager& pods) {
  double running = 0;
  std::map<std::string, double> containers = {
      {"created", 0}, {"exited", 0}, {"running", 0}, {"unknown", 0}};
  for (const auto& pod : pods.Seen()) {
    if (!pod->sandboxes.empty() && pod->sandboxes.front().ready) ++running;
    for (const pleg::ContainerRecord& record : pod->containers)
      containers[pleg::ContainerStateName(record.state)] += 1;
  }
  metrics.SetGauge("kubelet_running_pods", {}, running);
  for (const auto& [state, count] : containers)
    metrics.SetGauge("kubelet_running_containers", {state}, count);
}

}  // namespace

void SetBuildMetrics(Metrics& metrics, const config::Config& config) {
#if defined(__aarch64__)
  constexpr char kPlatform[] = "linux/arm64";
#else
  constexpr char kPlatform[] = "linux/amd64";
#endif
  metrics.SetGauge("kubernetes_build_info",
                   {"1", "36", config::kKubernetesVersion, "", "", "", "", "clang", kPlatform}, 1);
  for (const config::FeatureGates::State& gate : config.gates.All())
    metrics.SetGauge("kubernetes_feature_enabled", {gate.name, gate.stage}, gate.enabled ? 1 : 0);
  for (const char* label : kStaticLabels) metrics.Count("kubelet_restarted_pods_total", {label}, 0);
}

void UpdatePodMetrics(Metrics& metrics, const pods::Manager& pods) {
  const PodCensus census = pods.Census();
  SetPerKind(metrics, "kubelet_desired_pods", census.desired);
  SetPerKind(metrics, "kubelet_active_pods", census.active);
  SetWorking(metrics, census);
  metrics.SetGauge("kubelet_managed_ephemeral_containers", {}, census.ephemeral_containers);
  SetRunning(metrics, pods);
}

}  // namespace cubelet::kubelet
