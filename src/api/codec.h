// One codec for all Kubernetes types, over protobuf reflection: JSON values to messages and back.
//
// The wire schema gives names, numbers and types; the options of proto/cubelet/json.proto say where
// JSON differs (fields whose members stand in the parent, absent against zero). Types that are
// written as something else are known here: Time, MicroTime, Duration, Quantity, IntOrString,
// RawExtension, FieldsV1, bytes.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace google::protobuf {
class Message;
}

namespace cubelet::api {

struct DecodeOptions {
  // Strict decoding fails at the first unknown field (`unknown field "spec.contaners"`). Lenient
  // decoding passes over them; with `unknown` set the first hundred are collected as paths.
  bool strict = false;
  std::vector<std::string>* unknown = nullptr;
};

// Fills `message` (cleared first) from a JSON object. `apiVersion` and `kind` at the top, and in
// the items of a list, are passed over. null is what is left out; in a list or map it stands for
// the zero value. The error names the path, what was wanted and what was there:
// `spec.containers[0].image: want a string, got a number`.
absl::Status FromJson(const boost::json::value& value, google::protobuf::Message& message,
                      const DecodeOptions& options = {});

// The object as Kubernetes writes it: fields in the order of the schema (which is that of Go's
// types), map keys sorted. A list that was given empty cannot be told from one that was left out.
boost::json::value ToJson(const google::protobuf::Message& message);

// The same with apiVersion and kind first; they are part of every top-level object.
boost::json::value ToObjectJson(const google::protobuf::Message& message,
                                std::string_view api_version, std::string_view kind);

// Compact text, byte for byte as Go's encoder writes it. With `escape_html` (Go's default), <, >
// and & are \u escapes.
std::string Serialize(const boost::json::value& value, bool escape_html = false);

struct TypeMeta {
  std::string api_version;
  std::string kind;
};

// Error when the value is no object or the two are not strings; absent ones are "".
absl::StatusOr<TypeMeta> PeekTypeMeta(const boost::json::value& value);

}  // namespace cubelet::api
