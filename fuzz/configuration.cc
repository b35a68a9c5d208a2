// KubeletConfiguration: what was accepted is written, read again as the same, and judged.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "api/yaml.h"
#include "config/config.h"
#include "config/defaults.h"
#include "config/file.h"
#include "config/validation.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace config = cubelet::config;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto value = cubelet::api::ParseJsonOrYaml(text);
  if (!value.ok()) return 0;
  std::vector<std::string> unknown;
  auto file = config::DecodeConfiguration(*value, &unknown);
  if (!file.ok()) return 0;
  const auto again =
      config::DecodeConfiguration(config::EncodeConfiguration(file->kubelet), nullptr);
  if (!again.ok()) std::abort();
  const config::FeatureGates gates;
  config::ApplyDefaults(file->kubelet, gates, config::DefaultSet::kFile, file->given_empty);
  (void)config::Validate(file->kubelet, gates, config::Host());
  (void)config::LogOptionsOf(file->kubelet);
  return 0;
}
