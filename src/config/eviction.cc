#include "config/eviction.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/strings.h"

namespace cubelet::config {
namespace {

constexpr std::string_view kMemory = "memory.available";
constexpr std::string_view kAllocatableMemory = "allocatableMemory.available";
constexpr std::string_view kSignals[] = {
    kMemory,
    "nodefs.available",
    "nodefs.inodesFree",
    "imagefs.available",
    "imagefs.inodesFree",
    "containerfs.available",
    "containerfs.inodesFree",
    "pid.available",
    kAllocatableMemory,
};

using Settings = google::protobuf::Map<std::string, std::string>;

absl::Status Invalid(std::string message) { return absl::InvalidArgumentError(std::move(message)); }

absl::Status CheckSignal(const std::string& signal) {
  if (std::ranges::find(kSignals, signal) != std::end(kSignals)) return absl::OkStatus();
  return Invalid(StrCat("unsupported eviction signal ", signal));
}

absl::StatusOr<ThresholdValue> ParseValue(const std::string& signal, const std::string& text) {
  ThresholdValue value;
  if (text.ends_with('%')) {
    double percent = 0;
    if (!absl::SimpleAtod(text.substr(0, text.size() - 1), &percent))
      return Invalid(StrCat("invalid percentage for ", signal, ": ", GoQuote(text)));
    value.percentage = percent / 100;
    return value;
  }
  absl::StatusOr<api::Quantity> quantity = api::Quantity::Parse(text);
  if (!quantity.ok()) return Annotate(quantity.status(), StrCat(signal, ": ", GoQuote(text)));
  value.quantity = *quantity;
  return value;
}

absl::StatusOr<ThresholdValue> ParseThreshold(const std::string& signal, const std::string& text) {
  RETURN_IF_ERROR(CheckSignal(signal));
  ASSIGN_OR_RETURN(const ThresholdValue value, ParseValue(signal, text));
  if (value.percentage) {
    if (!(*value.percentage >= 0))
      return Invalid(StrCat("eviction percentage threshold ", signal, " must be >= 0%: ", text));
    if (*value.percentage > 1)
      return Invalid(StrCat("eviction percentage threshold ", signal, " must be <= 100%: ", text));
  } else if (value.quantity.Sign() <= 0) {
    return Invalid(StrCat("eviction threshold ", signal, " must be positive: ", text));
  }
  return value;
}

absl::StatusOr<std::map<std::string, EvictionThreshold>> ParseThresholds(const Settings& settings) {
  std::map<std::string, EvictionThreshold> thresholds;
  for (const auto& [signal, text] : settings) {
    ASSIGN_OR_RETURN(ThresholdValue value, ParseThreshold(signal, text));
    if (text == "0%" || text == "100%") continue;
    thresholds[signal] = {.signal = signal, .value = std::move(value)};
  }
  return thresholds;
}

absl::StatusOr<std::map<std::string, absl::Duration>> ParseGracePeriods(const Settings& settings) {
  std::map<std::string, absl::Duration> periods;
  for (const auto& [signal, text] : settings) {
    RETURN_IF_ERROR(CheckSignal(signal));
    absl::Duration period;
    RETURN_IF_ERROR(Annotate(ParseGoDuration(text, period), signal));
    if (period < absl::ZeroDuration())
      return Invalid(StrCat("invalid eviction grace period specified: ", signal, "=", text,
                            ", must be a positive value"));
    periods[signal] = period;
  }
  return periods;
}

absl::StatusOr<std::map<std::string, ThresholdValue>> ParseReclaims(const Settings& settings) {
  std::map<std::string, ThresholdValue> reclaims;
  for (const auto& [signal, text] : settings) {
    RETURN_IF_ERROR(CheckSignal(signal));
    ASSIGN_OR_RETURN(ThresholdValue value, ParseValue(signal, text));
    if (value.percentage && !(*value.percentage > 0))
      return Invalid(
          StrCat("eviction percentage minimum reclaim ", signal, " must be positive: ", text));
    if (value.quantity.Sign() < 0)
      return Invalid(
          StrCat("negative eviction minimum reclaim specified for ", signal, ": ", text));
    reclaims[signal] = std::move(value);
  }
  return reclaims;
}

void AddHard(const KubeletConfiguration& config, EvictionThreshold threshold,
             std::vector<EvictionThreshold>& thresholds) {
  thresholds.push_back(threshold);
  const auto& enforced = config.enforcenodeallocatable();
  if (threshold.signal != kMemory || std::ranges::find(enforced, "pods") == enforced.end()) return;
  threshold.signal = kAllocatableMemory;
  thresholds.push_back(std::move(threshold));
}

}  // namespace

absl::StatusOr<std::vector<EvictionThreshold>> EvictionThresholds(
    const KubeletConfiguration& config) {
  auto hard = ParseThresholds(config.evictionhard());
  if (!hard.ok()) return Annotate(hard.status(), "evictionHard");
  auto soft = ParseThresholds(config.evictionsoft());
  if (!soft.ok()) return Annotate(soft.status(), "evictionSoft");
  auto periods = ParseGracePeriods(config.evictionsoftgraceperiod());
  if (!periods.ok()) return Annotate(periods.status(), "evictionSoftGracePeriod");
  auto reclaims = ParseReclaims(config.evictionminimumreclaim());
  if (!reclaims.ok()) return Annotate(reclaims.status(), "evictionMinimumReclaim");

  std::vector<EvictionThreshold> thresholds;
  for (auto& [signal, threshold] : *hard) AddHard(config, std::move(threshold), thresholds);
  for (auto& [signal, threshold] : *soft) {
    const auto period = periods->find(signal);
    if (period == periods->end())
      return Invalid(
          StrCat("grace period must be specified for the soft eviction threshold ", signal));
    threshold.grace_period = period->second;
    thresholds.push_back(std::move(threshold));
  }
  for (EvictionThreshold& threshold : thresholds) {
    const auto reclaim = reclaims->find(threshold.signal);
    if (reclaim != reclaims->end()) threshold.minimum_reclaim = reclaim->second;
  }
  return thresholds;
}

}  // namespace cubelet::config
