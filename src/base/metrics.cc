#include "base/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_split.h"
#include "base/check.h"
#include "base/metric_table.h"
#include "base/process_metrics.h"
#include "base/strings.h"

namespace cubelet {
namespace {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;

// Longer label values are cut: names in Kubernetes have at most 253 bytes.
constexpr size_t kMaxLabelValue = 256;

struct MetricState {
  template <typename T>
  using Family = std::unique_ptr<prometheus::Family<T>>;

  const MetricRow* row;
  std::vector<std::string> labels;
  std::variant<Family<Counter>, Family<Gauge>, Family<Histogram>> family;
  absl::flat_hash_map<std::string, std::variant<Counter*, Gauge*, Histogram*>> series;
};

std::string_view PathName(MetricPath path) {
  switch (path) {
    case MetricPath::kMetrics:
      return "/metrics";
    case MetricPath::kProbes:
      return "/metrics/probes";
    case MetricPath::kSlis:
      return "/metrics/slis";
  }
  return "";
}

std::string_view KindName(MetricKind kind) {
  switch (kind) {
    case MetricKind::kCounter:
      return "counter";
    case MetricKind::kGauge:
      return "gauge";
    case MetricKind::kHistogram:
      return "histogram";
  }
  return "";
}

std::string SeriesKey(Metrics::Values values) {
  std::string key;
  for (std::string_view value : values) StrAppend(&key, value.substr(0, kMaxLabelValue), "\xff");
  return key;
}

// `value` in quotes, with the three escapes the exposition knows.
std::string QuoteLabel(std::string_view value) {
  std::string out = "\"";
  for (char c : value) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return out + "\"";
}

using LabelPairs = std::vector<prometheus::ClientMetric::Label>;

// "{a="1",b="2"}", with `le` last if it is not empty; "" without any label.
std::string LabelText(const LabelPairs& labels, std::string_view le = "") {
  std::string out;
  for (const auto& label : labels)
    StrAppend(&out, out.empty() ? "{" : ",", label.name, "=", QuoteLabel(label.value));
  if (!le.empty()) StrAppend(&out, out.empty() ? "{" : ",", "le=\"", le, "\"");
  if (!out.empty()) out += "}";
  return out;
}

void AppendHeader(std::string* out, const MetricRow& row, std::string_view stability) {
  StrAppend(out, "# HELP ", row.name, " ");
  if (!stability.empty()) StrAppend(out, "[", stability, "] ");
  StrAppend(out, row.help, "\n# TYPE ", row.name, " ", KindName(row.kind), "\n");
}

void AppendHistogram(std::string* out, std::string_view name, const prometheus::ClientMetric& m) {
  bool infinite = false;
  for (const auto& bucket : m.histogram.bucket) {
    infinite = std::isinf(bucket.upper_bound);
    StrAppend(out, name, "_bucket", LabelText(m.label, FormatMetricValue(bucket.upper_bound)), " ",
              bucket.cumulative_count, "\n");
  }
  if (!infinite) {
    StrAppend(out, name, "_bucket", LabelText(m.label, "+Inf"), " ", m.histogram.sample_count,
              "\n");
  }
  StrAppend(out, name, "_sum", LabelText(m.label), " ", FormatMetricValue(m.histogram.sample_sum),
            "\n");
  StrAppend(out, name, "_count", LabelText(m.label), " ", m.histogram.sample_count, "\n");
}

void AppendFamily(std::string* out, const MetricState& state) {
  if (state.series.empty()) return;
  std::vector<prometheus::MetricFamily> collected =
      std::visit([](const auto& family) { return family->Collect(); }, state.family);
  AppendHeader(out, *state.row, state.row->stability);
  for (prometheus::MetricFamily& family : collected) {
    std::sort(family.metric.begin(), family.metric.end(),
              [](const auto& a, const auto& b) { return a.label < b.label; });
    for (const prometheus::ClientMetric& m : family.metric) {
      if (state.row->kind == MetricKind::kHistogram) {
        AppendHistogram(out, state.row->name, m);
        continue;
      }
      const double value =
          state.row->kind == MetricKind::kCounter ? m.counter.value : m.gauge.value;
      StrAppend(out, state.row->name, LabelText(m.label), " ", FormatMetricValue(value), "\n");
    }
  }
}

}  // namespace

struct Metrics::Impl {
  // Sorted by name, which is the order of the exposition.
  std::vector<std::unique_ptr<MetricState>> families;
  absl::flat_hash_map<std::string_view, MetricState*> by_name;
  std::vector<std::function<void()>> collectors;

  // The series of `values` in a family of type T; null, with a BUG or a count, if there is none.
  template <typename T>
  T* Series(Metrics& metrics, std::string_view name, Values values);
  template <typename T>
  T* Create(MetricState& state, Values values);
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {
  for (const MetricRow& row : MetricTable()) {
    auto state = std::make_unique<MetricState>();
    state->row = &row;
    state->labels = absl::StrSplit(ToAbsl(row.labels), ',', absl::SkipEmpty());
    const std::string name(row.name);
    switch (row.kind) {
      case MetricKind::kCounter:
        state->family =
            std::make_unique<prometheus::Family<Counter>>(name, "", prometheus::Labels{});
        break;
      case MetricKind::kGauge:
        state->family = std::make_unique<prometheus::Family<Gauge>>(name, "", prometheus::Labels{});
        break;
      case MetricKind::kHistogram:
        state->family =
            std::make_unique<prometheus::Family<Histogram>>(name, "", prometheus::Labels{});
        break;
    }
    CHECK(impl_->by_name.emplace(row.name, state.get()).second);
    impl_->families.push_back(std::move(state));
  }
  std::sort(impl_->families.begin(), impl_->families.end(),
            [](const auto& a, const auto& b) { return a->row->name < b->row->name; });
  for (MetricPath path : {MetricPath::kMetrics, MetricPath::kProbes, MetricPath::kSlis})
    Reset(PathName(path));
}

Metrics::~Metrics() = default;

template <typename T>
T* Metrics::Impl::Create(MetricState& state, Values values) {
  prometheus::Labels labels;
  size_t i = 0;
  for (std::string_view value : values)
    labels[state.labels[i++]] = CleanUtf8(value.substr(0, kMaxLabelValue));
  auto& family = *std::get<MetricState::Family<T>>(state.family);
  if constexpr (std::is_same_v<T, Histogram>) {
    return &family.Add(labels,
                       std::vector<double>(state.row->buckets.begin(), state.row->buckets.end()));
  } else {
    return &family.Add(labels);
  }
}

template <typename T>
T* Metrics::Impl::Series(Metrics& metrics, std::string_view name, Values values) {
  auto it = by_name.find(name);
  if (it == by_name.end()) {
    BUG(StrCat("no metric family is called ", GoQuote(name)));
    return nullptr;
  }
  MetricState& state = *it->second;
  if (!std::holds_alternative<MetricState::Family<T>>(state.family) ||
      values.size() != state.labels.size()) {
    BUG(StrCat("metric family ", name, " is a ", KindName(state.row->kind), " with the labels {",
               state.row->labels, "} and was used as another"));
    return nullptr;
  }
  std::string key = SeriesKey(values);
  if (auto found = state.series.find(key); found != state.series.end())
    return std::get<T*>(found->second);
  if (state.series.size() >= kMaxSeries) {
    metrics.Count("cubelet_metric_series_dropped_total");
    return nullptr;
  }
  T* const series = Create<T>(state, values);
  state.series.emplace(std::move(key), series);
  return series;
}

void Metrics::Count(std::string_view family, Values values, double by) {
  if (auto* counter = impl_->Series<Counter>(*this, family, values)) counter->Increment(by);
}

void Metrics::SetCounter(std::string_view family, Values values, double total) {
  if (auto* counter = impl_->Series<Counter>(*this, family, values))
    counter->Increment(std::max(0.0, total - counter->Value()));
}

void Metrics::SetGauge(std::string_view family, Values values, double value) {
  if (auto* gauge = impl_->Series<Gauge>(*this, family, values)) gauge->Set(value);
}

void Metrics::AddGauge(std::string_view family, Values values, double delta) {
  if (auto* gauge = impl_->Series<Gauge>(*this, family, values)) gauge->Set(gauge->Value() + delta);
}

void Metrics::Observe(std::string_view family, Values values, double value) {
  if (auto* histogram = impl_->Series<Histogram>(*this, family, values)) histogram->Observe(value);
}

void Metrics::Remove(std::string_view family, Values values) {
  auto it = impl_->by_name.find(family);
  if (it == impl_->by_name.end() || values.size() != it->second->labels.size()) {
    BUG(StrCat("no metric family ", GoQuote(family), " with as many labels"));
    return;
  }
  MetricState& state = *it->second;
  auto found = state.series.find(SeriesKey(values));
  if (found == state.series.end()) return;
  std::visit(
      [&]<typename T>(const MetricState::Family<T>& owner) {
        owner->Remove(std::get<T*>(found->second));
      },
      state.family);
  state.series.erase(found);
}

void Metrics::Clear(std::string_view family) {
  auto it = impl_->by_name.find(family);
  if (it == impl_->by_name.end()) {
    BUG(StrCat("no metric family is called ", GoQuote(family)));
    return;
  }
  MetricState& state = *it->second;
  std::visit(
      [&]<typename T>(const MetricState::Family<T>& owner) {
        for (auto& [key, series] : state.series) owner->Remove(std::get<T*>(series));
      },
      state.family);
  state.series.clear();
}

void Metrics::OnScrape(std::function<void()> fn) { impl_->collectors.push_back(std::move(fn)); }

absl::StatusOr<std::string> Metrics::Render(std::string_view path) {
  const auto on_path = [&](const auto& state) { return PathName(state->row->path) == path; };
  if (std::none_of(impl_->families.begin(), impl_->families.end(), on_path))
    return absl::NotFoundError(StrCat("no metrics at ", path));
  for (const std::function<void()>& collect : impl_->collectors) collect();
  SetCounter("cubelet_bugs_total", {}, BugCount());
  UpdateProcessMetrics(*this);
  std::string out;
  for (const std::unique_ptr<MetricState>& state : impl_->families) {
    if (on_path(state)) {
      AppendFamily(&out, *state);
    } else if (state->row->name == "process_start_time_seconds") {
      // The one family that stands on every path, with a stability on all but the first.
      AppendHeader(&out, *state->row, "ALPHA");
      StrAppend(&out, state->row->name, " ", FormatMetricValue(ProcessStartTime()), "\n");
    }
  }
  return out;
}

void Metrics::Reset(std::string_view path) {
  for (const std::unique_ptr<MetricState>& state : impl_->families) {
    if (PathName(state->row->path) != path) continue;
    Clear(state->row->name);
    if (!state->labels.empty()) continue;
    switch (state->row->kind) {
      case MetricKind::kCounter:
        Count(state->row->name, {}, 0);
        break;
      case MetricKind::kGauge:
        SetGauge(state->row->name, {}, 0);
        break;
      case MetricKind::kHistogram:
        impl_->Series<Histogram>(*this, state->row->name, {});
        break;
    }
  }
}

std::string FormatMetricValue(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  if (value == 0) return "0";
  char buffer[64];
  const double size = std::abs(value);
  const auto format =
      size < 1e-4 || size >= 1e6 ? std::chars_format::scientific : std::chars_format::fixed;
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, format).ptr;
  return std::string(buffer, end);
}

}  // namespace cubelet
