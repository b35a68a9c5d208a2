#include "report.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_format.h"
#include "base/strings.h"

namespace cubelet::density {
namespace {

// Two digits after the point are more than any of this repeats.
std::string Number(double value) { return absl::StrFormat("%.2f", value); }
std::string Milliseconds(absl::Duration duration) {
  return Number(absl::ToDoubleMilliseconds(duration));
}
std::string Megabytes(int64_t bytes) { return Number(static_cast<double>(bytes) / 1e6); }

// The smallest value that at least `share` of all do not exceed.
std::string Percentile(std::vector<absl::Duration> values, double share) {
  if (values.empty()) return "null";
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(values.size())));
  return Milliseconds(values[std::max<size_t>(rank, 1) - 1]);
}

std::string Spread(const std::vector<absl::Duration>& values) {
  return StrCat(R"({"p50":)", Percentile(values, 0.5), R"(,"p99":)", Percentile(values, 0.99),
                R"(,"max":)", Percentile(values, 1), "}");
}

std::string Of(const Memory& memory, double millicores) {
  return StrCat(R"({"rss_mb":)", Megabytes(memory.resident), R"(,"anonymous_mb":)",
                Megabytes(memory.anonymous), R"(,"idle_millicores":)", Number(millicores), "}");
}

}  // namespace

std::string ReportJson(const Flags& flags, const Figures& figures) {
  return StrCat(R"({"pods":)", flags.pods, R"(,"runtime":)",
                flags.fake_runtime ? R"("fake")" : R"("containerd")", R"(,"kubelet":)",
                JsonQuote(flags.kubelet), R"(,"healthz_ms":)", Spread(figures.healthz),
                R"(,"without_pods":)", Of(figures.empty, figures.empty_millicores),
                R"(,"with_pods":)", Of(figures.full, figures.full_millicores),
                R"(,"alone_started_ms":)", Spread(figures.alone_started), R"(,"alone_ready_ms":)",
                Spread(figures.alone_ready), R"(,"burst_started_ms":)",
                Spread(figures.burst_started), R"(,"burst_all_ready_ms":)",
                Milliseconds(figures.burst_ready), R"(,"processor_per_pod_ms":)",
                Milliseconds(figures.processor_per_pod), R"(,"restart":{"healthz_ms":)",
                Milliseconds(figures.restart_healthz), R"(,"processor_10s_ms":)",
                Milliseconds(figures.restart_processor), R"(,"same_containers":)",
                figures.restart_same_containers ? "true" : "false", "}}");
}

}  // namespace cubelet::density
