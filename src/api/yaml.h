// Text to JSON values: YAML and JSON as Kubernetes reads manifests and configuration files.
// Everything is bounded, as the text may come from anybody.
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <string_view>

#include "absl/status/statusor.h"

namespace cubelet::api {

struct DecodeLimits {
  size_t max_bytes = 10 << 20;
  size_t max_depth = 100;
  // Values after expansion of aliases: what a small document of aliases can blow up to.
  size_t max_nodes = 1'000'000;
};

// Exactly one document. Duplicate keys are errors. Plain scalars resolve to null, bool, int, float
// or string.
absl::StatusOr<boost::json::value> ParseYaml(std::string_view text,
                                             const DecodeLimits& limits = {});

// Strict JSON; duplicate keys are errors.
absl::StatusOr<boost::json::value> ParseJson(std::string_view text,
                                             const DecodeLimits& limits = {});

// JSON if the first character that is not blank is `{`, YAML otherwise.
absl::StatusOr<boost::json::value> ParseJsonOrYaml(std::string_view text,
                                                   const DecodeLimits& limits = {});

}  // namespace cubelet::api
