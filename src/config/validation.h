// Whether a KubeletConfiguration can be run with. Pure. Rules on one value stand in the field
// table; here are those that look at several values, at feature gates or at the machine.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "config/config.h"

namespace cubelet::config {

// OK, or all faults as `failed to validate kubelet configuration, error: [a, b]`, each `invalid
// configuration: <field> (--<flag>) <value> <what it must be>`.
absl::Status Validate(const KubeletConfiguration& config, const FeatureGates& gates,
                      const Host& host);

// ---- Parts, each for the settings of its name

class Faults {
 public:
  void Add(std::string text);
  void AddIf(bool fault, std::string text) {
    if (fault) Add(std::move(text));
  }
  const std::vector<std::string>& texts() const { return texts_; }

 private:
  std::vector<std::string> texts_;
};

// "port (--port)", or "tracing.endpoint" where no flag sets it: how messages name a setting.
std::string NameOf(std::string_view path);

void ValidateLogging(const KubeletConfiguration& config, const FeatureGates& gates, Faults& faults);
void ValidateNodeResources(const KubeletConfiguration& config, const FeatureGates& gates,
                           const Host& host, Faults& faults);
void ValidateManagers(const KubeletConfiguration& config, const FeatureGates& gates,
                      Faults& faults);
void ValidateImages(const KubeletConfiguration& config, const FeatureGates& gates, Faults& faults);
void ValidateServing(const KubeletConfiguration& config, const FeatureGates& gates, Faults& faults);
void ValidatePodLifecycle(const KubeletConfiguration& config, const FeatureGates& gates,
                          Faults& faults);

}  // namespace cubelet::config
