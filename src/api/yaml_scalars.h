// What a scalar of YAML is. Internal to the YAML reader.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace cubelet::api {

// A plain (unquoted) scalar: null, a boolean, a number or a string.
boost::json::value ResolvePlain(std::string_view text);

// A scalar with an explicit tag ("tag:yaml.org,2002:int"). Error when the text does not fit the
// tag, or the tag is not one of YAML's scalars.
absl::StatusOr<boost::json::value> ResolveTagged(std::string_view tag, std::string_view text);

// A mapping's key as JSON has it: numbers and booleans in their canonical text. Error for null.
absl::StatusOr<std::string> KeyText(const boost::json::value& key);

bool IsUtf8(std::string_view text);

}  // namespace cubelet::api
