// Pods for tests, from YAML.
#pragma once

#include <gtest/gtest.h>

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "api/codec.h"
#include "api/pod_defaults.h"
#include "api/types.h"
#include "api/yaml.h"
#include "base/strings.h"

namespace cubelet::api {

// Members of `changes` replace those of `value`; null removes.
inline void MergeInto(boost::json::value& value, const boost::json::value& changes) {
  if (!changes.is_object() || !value.is_object()) {
    value = changes;
    return;
  }
  for (const auto& [key, change] : changes.get_object()) {
    if (change.is_null()) {
      value.get_object().erase(key);
    } else {
      MergeInto(value.get_object()[key], change);
    }
  }
}

template <typename T>
T FromYaml(std::string_view yaml) {
  T message;
  const absl::StatusOr<boost::json::value> value = ParseYaml(yaml);
  EXPECT_TRUE(value.ok()) << yaml << ": " << value.status();
  if (!value.ok()) return message;
  const absl::Status decoded = FromJson(*value, message, {.strict = true});
  EXPECT_TRUE(decoded.ok()) << yaml << ": " << decoded;
  return message;
}

// What ValidatePod says of a good pod with defaults, `yaml` merged into it (members replace, null
// removes).
inline std::string FaultsWith(std::string_view yaml) {
  boost::json::value pod = *ParseYaml(R"(
metadata: {name: web, namespace: prod}
spec: {containers: [{name: main, image: busybox}]}
)");
  const absl::StatusOr<boost::json::value> changes = ParseYaml(yaml);
  EXPECT_TRUE(changes.ok()) << yaml << ": " << changes.status();
  if (!changes.ok()) return "";
  MergeInto(pod, *changes);
  v1::Pod message;
  const absl::Status decoded = FromJson(pod, message, {.strict = true});
  EXPECT_TRUE(decoded.ok()) << yaml << ": " << decoded;
  SetDefaults(message);
  return std::string(Message(ValidatePod(message)));
}

}  // namespace cubelet::api
