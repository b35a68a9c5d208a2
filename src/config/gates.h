// Feature gates: names, defaults and rules of Kubernetes 1.36 (gate_table.cc), and which are on.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace cubelet::config {

enum class GateStage { kAlpha, kBeta, kGa, kDeprecated };

// "ALPHA", "BETA", "" for GA, "DEPRECATED": as metrics name it.
const char* GateStageName(GateStage stage);

struct GateSpec {
  std::string_view name;
  bool enabled = false;  // by default
  GateStage stage = GateStage::kAlpha;
  bool locked = false;     // keeps its default
  std::string_view needs;  // gates that must be on when this one is, separated by commas
};

// Gates that mean something to a kubelet, and those of other components, which the original accepts
// as well because it links the whole registry. Both sorted by name.
std::span<const GateSpec> KubeletGates();
std::span<const GateSpec> ForeignGates();

// Null for a name that is no gate.
const GateSpec* FindGate(std::string_view name);

class FeatureGates {
 public:
  // All at their defaults.
  FeatureGates() = default;

  // Replaces what was set before. AllAlpha and AllBeta stand for every gate of that stage that is
  // not named itself. `warnings`, if given, gets a sentence for each gate set that will go away.
  // Errors: `unrecognized feature gate: X`; `cannot set feature gate X to false, feature is locked
  // to true`; `X is enabled, but depends on features that are disabled: [Y]`.
  absl::Status Set(const std::map<std::string, bool>& values,
                   std::vector<std::string>* warnings = nullptr);

  // `name` is one of the table; another one is a bug.
  bool Enabled(std::string_view name) const;

  struct State {
    std::string_view name;
    std::string_view stage;
    bool enabled;
  };
  // All gates, sorted by name: for the metric kubernetes_feature_enabled.
  std::vector<State> All() const;

 private:
  bool EnabledSpec(const GateSpec& gate) const;

  std::map<std::string, bool, std::less<>> values_;
};

}  // namespace cubelet::config
