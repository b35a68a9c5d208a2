// Bodies that came compressed. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace cubelet::kube {

// The content of a gzip text. Errors: it is none, it is cut off, its content is larger than
// `max_bytes`.
absl::StatusOr<std::string> Gunzip(std::string_view text, size_t max_bytes);

}  // namespace cubelet::kube
