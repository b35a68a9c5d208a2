// The table of all metric families (metric_table.cc). Part of Metrics.
#pragma once

#include <span>
#include <string_view>

namespace cubelet {

enum class MetricKind { kCounter, kGauge, kHistogram };
enum class MetricPath { kMetrics, kProbes, kSlis };

struct MetricRow {
  std::string_view name;
  MetricKind kind;
  MetricPath path;
  std::string_view stability;  // "ALPHA", "BETA", "STABLE": prefix of the help text; "" has none
  std::string_view labels;  // names, separated by commas; a family without labels is always shown
  std::span<const double> buckets;  // histograms: upper bounds without +Inf
  std::string_view help;
};

std::span<const MetricRow> MetricTable();

}  // namespace cubelet
