// JSON into a type and back: what was accepted once is written and accepted again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "api/codec.h"
#include "api/types.h"
#include "api/yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto value = cubelet::api::ParseJsonOrYaml(text);
  if (!value.ok()) return 0;
  cubelet::v1::Pod pod;
  if (!cubelet::api::FromJson(*value, pod).ok()) return 0;
  cubelet::v1::Pod again;
  if (!cubelet::api::FromJson(cubelet::api::ToJson(pod), again).ok()) std::abort();
  return 0;
}
