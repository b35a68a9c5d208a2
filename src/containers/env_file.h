// Files of variables that fileKeyRef reads from a volume (containers.md 3.4.4). Pure.
//
//   NAME='value'     # comment
//
// A value stands in single quotes right after the equals sign and ends at the next one; it may span
// lines. Empty lines and those that start with # are passed over.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace cubelet::containers {

inline constexpr size_t kMaxEnvFileBytes = 1 << 20;

// The value of `key`, "" when it is not there. Error: a line before it that is not of this form.
absl::StatusOr<std::string> FindInEnvFile(std::string_view text, std::string_view key);

}  // namespace cubelet::containers
