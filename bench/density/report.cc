#include "report.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>

namespace cubelet::density {
namespace {

namespace json = boost::json;

double Round(double value) { return std::round(value * 100) / 100; }
double Milliseconds(absl::Duration duration) { return Round(absl::ToDoubleMilliseconds(duration)); }
double Megabytes(int64_t bytes) { return Round(static_cast<double>(bytes) / 1e6); }

// The smallest value that at least `share` of all do not exceed.
double Percentile(std::vector<absl::Duration> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(values.size())));
  return Milliseconds(values[std::max<size_t>(rank, 1) - 1]);
}

json::object Spread(const std::vector<absl::Duration>& values) {
  return {{"p50", Percentile(values, 0.5)},
          {"p99", Percentile(values, 0.99)},
          {"max", Percentile(values, 1)}};
}

json::object Of(const Memory& memory, double millicores) {
  return {{"rss_mb", Megabytes(memory.resident)},
          {"anonymous_mb", Megabytes(memory.anonymous)},
          {"idle_millicores", Round(millicores)}};
}

}  // namespace

std::string ReportJson(const Flags& flags, const Figures& figures) {
  const json::object report = {
      {"pods", flags.pods},
      {"runtime", flags.fake_runtime ? "fake" : "containerd"},
      {"kubelet", flags.kubelet},
      {"healthz_ms", Spread(figures.healthz)},
      {"without_pods", Of(figures.empty, figures.empty_millicores)},
      {"with_pods", Of(figures.full, figures.full_millicores)},
      {"alone_started_ms", Spread(figures.alone_started)},
      {"alone_ready_ms", Spread(figures.alone_ready)},
      {"burst_started_ms", Spread(figures.burst_started)},
      {"burst_all_ready_ms", Milliseconds(figures.burst_ready)},
      {"processor_per_pod_ms", Milliseconds(figures.processor_per_pod)},
      {"restart",
       {{"healthz_ms", Milliseconds(figures.restart_healthz)},
        {"processor_10s_ms", Milliseconds(figures.restart_processor)},
        {"same_containers", figures.restart_same_containers}}},
  };
  return json::serialize(report);
}

}  // namespace cubelet::density
