// Messages that JSON writes as something else than an object. Internal to the codec.
#pragma once

#include <boost/json/value.hpp>
#include <string>

#include "absl/status/status.h"

namespace google::protobuf {
class Descriptor;
class Message;
}  // namespace google::protobuf

namespace cubelet::api {

enum class Special {
  kNone,
  kTime,
  kMicroTime,
  kDuration,
  kQuantity,
  kIntOrString,
  kRaw,
};

Special SpecialKind(const google::protobuf::Descriptor* descriptor);

// `message` is of the kind `special`. Errors without a path.
absl::Status SpecialFromJson(Special special, const boost::json::value& value,
                             google::protobuf::Message& message);
boost::json::value SpecialToJson(Special special, const google::protobuf::Message& message);

// "a string", "an object", ...: what a value is, for error messages.
const char* KindName(const boost::json::value& value);

}  // namespace cubelet::api
