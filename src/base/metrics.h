// Counters, gauges and histograms of the agent, and their Prometheus text form.
//
//   metrics.Count("kubelet_runtime_operations_total", {"run_podsandbox"});
//   metrics.Observe("kubelet_pod_start_duration_seconds", {}, seconds);
//
// Every family stands in the table of metric_table.cc with its name, type, help, labels and
// buckets; names, labels and buckets are those of the Go kubelet, our own begin with cubelet_.
// Label values are given in the table's order. An unknown name, a wrong number of values or the
// wrong call for the type is a BUG and changes nothing.
//
// Loop thread only. Nothing is computed until somebody scrapes: what can be read at any time is set
// by a function given to OnScrape.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace cubelet {

class Metrics {
 public:
  using Values = std::initializer_list<std::string_view>;

  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // Adds to a counter. With `by` 0 the series is shown as 0 from now on.
  void Count(std::string_view family, Values values = {}, double by = 1);

  // Moves a counter up to a total that is counted elsewhere; a smaller total changes nothing.
  void SetCounter(std::string_view family, Values values, double total);

  void SetGauge(std::string_view family, Values values, double value);
  void AddGauge(std::string_view family, Values values, double delta);
  void Observe(std::string_view family, Values values, double value);

  // Ends one series (its pod is gone), or all series of a family (before setting them anew).
  void Remove(std::string_view family, Values values);
  void Clear(std::string_view family);

  // `fn` runs at the start of each Render and sets what is only read when somebody asks.
  void OnScrape(std::function<void()> fn);

  // The exposition text (version 0.0.4) of "/metrics", "/metrics/probes" or "/metrics/slis":
  // families sorted by name, series by label values. NOT_FOUND for any other path.
  absl::StatusOr<std::string> Render(std::string_view path);

  // Sets every family of the path back to its beginning (DELETE /metrics/slis).
  void Reset(std::string_view path);

  // Series that one family may have; what would be more is dropped and counted in
  // cubelet_metric_series_dropped_total: label values can come from a runtime that makes them up.
  static constexpr size_t kMaxSeries = 20000;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A number as Go's Prometheus library writes it: shortest form that reads back the same, exponent
// below 1e-4 and from 1e+06 on ("0.005", "1e+06", "+Inf").
std::string FormatMetricValue(double value);

}  // namespace cubelet
