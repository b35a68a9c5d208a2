// Expansion of $(NAME) with a bound. References to variables that are made of references double
// with each one, so a small pod could ask for more memory than the node has.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace cubelet::containers {

// What a container's variables, or its command, may grow by: more than a process can be started
// with, and what one message to the runtime may hold.
inline constexpr size_t kMaxExpandedBytes = 16 << 20;

class Expander {
 public:
  using ValueOf = std::function<std::optional<std::string>(std::string_view name)>;

  // `max_bytes` is what the values put into all texts together may come to.
  explicit Expander(ValueOf value_of, size_t max_bytes = kMaxExpandedBytes)
      : value_of_(std::move(value_of)), max_bytes_(max_bytes), left_(max_bytes) {}

  // The text as api::Expand makes it. OUT_OF_RANGE when the bound is passed.
  absl::StatusOr<std::string> Expand(std::string_view text);

 private:
  ValueOf value_of_;
  size_t max_bytes_;
  size_t left_;
};

}  // namespace cubelet::containers
