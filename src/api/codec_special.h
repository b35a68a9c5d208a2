// Messages that JSON writes as something else than an object. Internal to the codec.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace google::protobuf {
class Descriptor;
class Message;
}  // namespace google::protobuf

namespace cubelet::api {

enum class Special {
  kNone,
  kTime,         // whole seconds
  kMicroTime,    // six fractional digits
  kDuration,     // Go's form
  kQuantity,     // a string, read from numbers too, in canonical form
  kIntOrString,  // either
  kRaw,          // any JSON, kept as its text (RawExtension, FieldsV1)
  kStrings,      // a message around one list (ExtraValue)
};

Special SpecialKind(const google::protobuf::Descriptor* descriptor);

// `message` is of the kind `special`. Errors without a path.
absl::Status SpecialFromJson(Special special, const boost::json::value& value,
                             google::protobuf::Message& message);
boost::json::value SpecialToJson(Special special, const google::protobuf::Message& message);

// A Time or MicroTime that was never set, or set to Go's zero time, the year 1.
bool IsZeroTime(Special special, const google::protobuf::Message& message);

// Standard base64 with padding; line ends are passed over, as Go does.
bool DecodeBase64(std::string_view text, std::string& bytes);

// "a string", "an object", ...: what a value is, for error messages.
const char* KindName(const boost::json::value& value);

}  // namespace cubelet::api
