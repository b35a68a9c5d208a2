// The table of all settings of KubeletConfiguration (field_table.cc): what stands in it is enough
// to default, to check and to document a field. Types come from the schema, by reflection.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace cubelet::config {

// What a single value must be. Rules that look at several fields are in validation*.cc.
struct Rule {
  enum class Kind {
    kNone,
    kNotNegative,  // numbers and durations
    kPositive,     // numbers and durations
    kBetween,      // whole numbers, ends included
    kAtLeast,      // whole numbers
    kOneOf,        // text
    kNotEmpty,     // text
  };
  Kind kind = Kind::kNone;
  int64_t min = 0;
  int64_t max = std::numeric_limits<int64_t>::max();
  std::string_view choices;  // separated by '|'; an empty one stands for ""
};

struct FieldSpec {
  std::string_view path;  // "authentication.x509.clientCAFile"
  // The default as a flag would be given it; "" leaves the field unset.
  std::string_view fallback;
  // The default where the agent runs without --config, if it differs.
  std::string_view legacy_fallback;
  Rule rule;
  std::string_view help;  // no final period
};

// In the order of the schema.
std::span<const FieldSpec> Fields();

// Null for a path that is no setting.
const FieldSpec* FindField(std::string_view path);

}  // namespace cubelet::config
