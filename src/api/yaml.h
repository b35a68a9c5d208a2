// Text to JSON values: YAML and JSON as Kubernetes reads manifests and configuration files.
// Everything is bounded, as the text may come from anybody.
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <string_view>

#include "absl/status/statusor.h"

namespace cubelet::api {

// A text beyond any of these is refused.
struct DecodeLimits {
  size_t max_bytes = 10 << 20;  // of the text, and of all its strings once aliases are expanded
  size_t max_depth = 100;
  size_t max_nodes = 1'000'000;  // values, aliases counted for all they stand for
};

// Exactly one document that is not empty; none gives null. Plain scalars resolve to null, bool,
// int, float or string by the rules of YAML 1.1 that Kubernetes' reader has (so `yes`, `on` and `y`
// are booleans and 0644 is octal). Keys are strings; `<<` merges. Errors: duplicate keys, tags
// other than YAML's own, more than one document, text that is not UTF-8, anything beyond the
// limits.
absl::StatusOr<boost::json::value> ParseYaml(std::string_view text,
                                             const DecodeLimits& limits = {});

// Strict JSON; duplicate keys are errors.
absl::StatusOr<boost::json::value> ParseJson(std::string_view text,
                                             const DecodeLimits& limits = {});

// JSON if the first character that is not blank is `{`, YAML otherwise.
absl::StatusOr<boost::json::value> ParseJsonOrYaml(std::string_view text,
                                                   const DecodeLimits& limits = {});

}  // namespace cubelet::api
