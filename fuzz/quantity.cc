// Quantities: the canonical form parses, to the same value and the same form.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "api/quantity.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto quantity = cubelet::api::Quantity::Parse(text);
  if (!quantity.ok()) return 0;
  const std::string canonical = quantity->ToString();
  const auto again = cubelet::api::Quantity::Parse(canonical);
  if (!again.ok() || *again != *quantity || again->ToString() != canonical) std::abort();
  return 0;
}
