#include "config/gates.h"

#include <algorithm>
#include <functional>

#include "absl/strings/str_split.h"
#include "base/check.h"
#include "base/status.h"
#include "base/strings.h"

namespace cubelet::config {
namespace {

constexpr std::string_view kAllAlpha = "AllAlpha";
constexpr std::string_view kAllBeta = "AllBeta";

const char* Text(bool value) { return value ? "true" : "false"; }

const GateSpec* FindIn(std::span<const GateSpec> gates, std::string_view name) {
  const auto gate = std::ranges::lower_bound(gates, name, {}, &GateSpec::name);
  return gate != gates.end() && gate->name == name ? &*gate : nullptr;
}

void ForEachGate(const std::function<void(const GateSpec&)>& fn) {
  for (const GateSpec& gate : KubeletGates()) fn(gate);
  for (const GateSpec& gate : ForeignGates()) fn(gate);
}

absl::Status CheckSettable(std::string_view name, bool value) {
  const GateSpec* gate = FindGate(name);
  if (gate == nullptr)
    return absl::InvalidArgumentError(StrCat("unrecognized feature gate: ", name));
  if (gate->locked && gate->enabled != value)
    return absl::InvalidArgumentError(StrCat("cannot set feature gate ", name, " to ", Text(value),
                                             ", feature is locked to ", Text(gate->enabled)));
  return absl::OkStatus();
}

void WarnOf(const GateSpec& gate, bool value, std::vector<std::string>* warnings) {
  if (warnings == nullptr) return;
  const char* stage = gate.stage == GateStage::kGa           ? "GA"
                      : gate.stage == GateStage::kDeprecated ? "deprecated"
                                                             : nullptr;
  if (stage != nullptr)
    warnings->push_back(StrCat("Setting ", stage, " feature gate ", gate.name, "=", Text(value),
                               ". It will be removed in a future release."));
}

}  // namespace

const char* GateStageName(GateStage stage) {
  switch (stage) {
    case GateStage::kAlpha:
      return "ALPHA";
    case GateStage::kBeta:
      return "BETA";
    case GateStage::kGa:
      return "";
    case GateStage::kDeprecated:
      return "DEPRECATED";
  }
  return "";
}

const GateSpec* FindGate(std::string_view name) {
  const GateSpec* gate = FindIn(KubeletGates(), name);
  return gate != nullptr ? gate : FindIn(ForeignGates(), name);
}

absl::Status FeatureGates::Set(const std::map<std::string, bool>& values,
                               std::vector<std::string>* warnings) {
  for (const auto& [name, value] : values) {
    RETURN_IF_ERROR(CheckSettable(name, value));
    WarnOf(*FindGate(name), value, warnings);
  }
  values_ = {values.begin(), values.end()};
  absl::Status result;
  ForEachGate([&](const GateSpec& gate) {
    if (!EnabledSpec(gate)) return;
    std::vector<std::string> missing;
    for (absl::string_view needed : absl::StrSplit(ToAbsl(gate.needs), ',', absl::SkipEmpty())) {
      if (!Enabled(ToStd(needed))) missing.emplace_back(needed);
    }
    if (!missing.empty())
      result = FirstError(
          result, absl::InvalidArgumentError(StrCat(gate.name,
                                                    " is enabled, but depends on features that are "
                                                    "disabled: ",
                                                    GoList(missing))));
  });
  return result;
}

bool FeatureGates::EnabledSpec(const GateSpec& gate) const {
  if (const auto value = values_.find(gate.name); value != values_.end()) return value->second;
  const std::string_view group = gate.stage == GateStage::kAlpha  ? kAllAlpha
                                 : gate.stage == GateStage::kBeta ? kAllBeta
                                                                  : std::string_view();
  const auto all = values_.find(group);
  return all != values_.end() && !gate.locked ? all->second : gate.enabled;
}

bool FeatureGates::Enabled(std::string_view name) const {
  const GateSpec* gate = FindGate(name);
  CHECK(gate != nullptr);
  return EnabledSpec(*gate);
}

std::vector<FeatureGates::State> FeatureGates::All() const {
  std::vector<State> states;
  ForEachGate([&](const GateSpec& gate) {
    states.push_back({gate.name, GateStageName(gate.stage), EnabledSpec(gate)});
  });
  std::ranges::sort(states, {}, &State::name);
  return states;
}

}  // namespace cubelet::config
