#include "containers/expander.h"

#include "api/expansion.h"
#include "base/strings.h"

namespace cubelet::containers {

absl::StatusOr<std::string> Expander::Expand(std::string_view text) {
  bool exceeded = false;
  std::string expanded =
      api::Expand(text, [&](std::string_view name) -> std::optional<std::string> {
        if (exceeded) return std::nullopt;
        std::optional<std::string> value = value_of_(name);
        if (!value) return std::nullopt;
        if (value->size() > left_) {
          exceeded = true;
          return std::nullopt;
        }
        left_ -= value->size();
        return value;
      });
  if (exceeded)
    return absl::OutOfRangeError(StrCat("references expand to more than ", max_bytes_, " bytes"));
  return expanded;
}

}  // namespace cubelet::containers
