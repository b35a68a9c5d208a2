#include "api/codec_special.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <cctype>
#include <cstdint>

#include "absl/strings/escaping.h"
#include "absl/time/time.h"
#include "api/codec.h"
#include "api/json_text.h"
#include "api/quantity.h"
#include "api/yaml.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/strings.h"
#include "k8s.io/apimachinery/pkg/api/resource/generated.pb.h"
#include "k8s.io/apimachinery/pkg/apis/meta/v1/generated.pb.h"
#include "k8s.io/apimachinery/pkg/runtime/generated.pb.h"
#include "k8s.io/apimachinery/pkg/util/intstr/generated.pb.h"

namespace cubelet::api {
namespace {

namespace json = boost::json;
namespace metav1 = ::k8s::io::apimachinery::pkg::apis::meta::v1;
using google::protobuf::Message;
using WireQuantity = ::k8s::io::apimachinery::pkg::api::resource::Quantity;
using ::k8s::io::apimachinery::pkg::runtime::RawExtension;
using ::k8s::io::apimachinery::pkg::util::intstr::IntOrString;

// 0001-01-01T00:00:00Z, the time Go's types hold when nothing was set.
constexpr int64_t kGoZeroSeconds = -62135596800;

absl::Status WrongType(const char* wanted, const json::value& got) {
  return absl::InvalidArgumentError(StrCat("want ", wanted, ", got ", KindName(got)));
}

std::string_view Text(const json::value& value) {
  const json::string& text = value.get_string();
  return {text.data(), text.size()};
}

// "2006-01-02T15:04:05", then any fraction, then a zone; absl::ParseTime alone takes more.
bool LooksLikeTime(std::string_view text) {
  constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd";
  if (text.size() <= kShape.size() || text.size() > 40) return false;
  for (size_t i = 0; i < kShape.size(); ++i) {
    const bool digit = std::isdigit(static_cast<unsigned char>(text[i])) != 0;
    if (kShape[i] == 'd' ? !digit : text[i] != kShape[i]) return false;
  }
  const char next = text[kShape.size()];
  return next == '.' || next == 'Z' || next == '+' || next == '-';
}

absl::StatusOr<absl::Time> ParseTime(const json::value& value) {
  if (!value.is_string()) return WrongType("a time as a string", value);
  absl::Time time;
  std::string error;
  if (!LooksLikeTime(Text(value)) ||
      !absl::ParseTime(absl::RFC3339_full, std::string(Text(value)), &time, &error))
    return absl::InvalidArgumentError(
        StrCat("want a time like 2006-01-02T15:04:05Z, got ", GoQuote(Text(value))));
  return time;
}

absl::Status TimeFromJson(const json::value& value, metav1::Time& out) {
  ASSIGN_OR_RETURN(const absl::Time time, ParseTime(value));
  const int64_t seconds = absl::ToUnixSeconds(time);
  if (seconds != kGoZeroSeconds) out.set_seconds(seconds);
  return absl::OkStatus();
}

absl::Status MicroTimeFromJson(const json::value& value, metav1::MicroTime& out) {
  ASSIGN_OR_RETURN(const absl::Time time, ParseTime(value));
  const int64_t seconds = absl::ToUnixSeconds(time);
  const int64_t micros = absl::ToInt64Microseconds(
      absl::Floor(time - absl::FromUnixSeconds(seconds), absl::Microseconds(1)));
  if (seconds == kGoZeroSeconds && micros == 0) return absl::OkStatus();
  out.set_seconds(seconds);
  out.set_nanos(static_cast<int32_t>(micros * 1000));
  return absl::OkStatus();
}

absl::Status DurationFromJson(const json::value& value, metav1::Duration& out) {
  if (!value.is_string()) return WrongType("a duration as a string", value);
  absl::Duration duration;
  RETURN_IF_ERROR(ParseGoDuration(Text(value), duration));
  out.set_duration(absl::ToInt64Nanoseconds(duration));
  return absl::OkStatus();
}

absl::Status QuantityFromJson(const json::value& value, WireQuantity& out) {
  if (!value.is_string() && !value.is_number()) return WrongType("a quantity", value);
  const std::string text = value.is_string() ? std::string(Text(value)) : NumberText(value);
  ASSIGN_OR_RETURN(const api::Quantity quantity, api::Quantity::Parse(text));
  out.set_string(quantity.ToString());
  return absl::OkStatus();
}

absl::Status IntOrStringFromJson(const json::value& value, IntOrString& out) {
  if (value.is_string()) {
    out.set_type(1);
    out.set_strval(std::string(Text(value)));
    return absl::OkStatus();
  }
  if (!value.is_int64() || value.get_int64() > INT32_MAX || value.get_int64() < INT32_MIN)
    return WrongType("a 32 bit number or a string", value);
  out.set_type(0);
  out.set_intval(static_cast<int32_t>(value.get_int64()));
  return absl::OkStatus();
}

// Each group of the API has an ExtraValue of its own: a message around `items`.
const google::protobuf::FieldDescriptor* ItemsOf(const Message& message) {
  return message.GetDescriptor()->FindFieldByNumber(1);
}

absl::Status StringsFromJson(const json::value& value, Message& out) {
  if (!value.is_array()) return WrongType("a list", value);
  for (const json::value& item : value.get_array()) {
    if (!item.is_string()) return WrongType("a list of strings", item);
    out.GetReflection()->AddString(&out, ItemsOf(out), std::string(Text(item)));
  }
  return absl::OkStatus();
}

void RawFromJson(const json::value& value, Message& message) {
  std::string text = Serialize(value);
  if (message.GetDescriptor() == metav1::FieldsV1::descriptor()) {
    static_cast<metav1::FieldsV1&>(message).set_raw(std::move(text));
  } else {
    static_cast<RawExtension&>(message).set_raw(std::move(text));
  }
}

json::value MicroTimeToJson(const metav1::MicroTime& time) {
  if (IsZeroTime(Special::kMicroTime, time)) return nullptr;
  return json::string(
      absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ",
                       absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos()),
                       absl::UTCTimeZone()));
}

json::value RawToJson(const Message& message) {
  const std::string& raw = message.GetDescriptor() == metav1::FieldsV1::descriptor()
                               ? static_cast<const metav1::FieldsV1&>(message).raw()
                               : static_cast<const RawExtension&>(message).raw();
  absl::StatusOr<json::value> value = ParseJson(raw);
  // Raw bytes of another object's wire form cannot be shown as JSON.
  return value.ok() ? *std::move(value) : json::value(nullptr);
}

json::value StringsToJson(const Message& message) {
  json::array items;
  for (int i = 0; i < message.GetReflection()->FieldSize(message, ItemsOf(message)); ++i)
    items.push_back(
        json::string(message.GetReflection()->GetRepeatedString(message, ItemsOf(message), i)));
  return items;
}

}  // namespace

const char* KindName(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "a boolean";
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_:
      return "a number";
    case json::kind::string:
      return "a string";
    case json::kind::array:
      return "a list";
    case json::kind::object:
      return "an object";
  }
  return "something unknown";
}

bool DecodeBase64(std::string_view text, std::string& bytes) {
  std::string clean;
  clean.reserve(text.size());
  size_t padding = 0;
  for (char c : text) {
    if (c == '\r' || c == '\n') continue;
    const bool digit = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '/';
    if (c == '=') {
      ++padding;
    } else if (!digit || padding > 0) {
      return false;
    }
    clean += c;
  }
  return clean.size() % 4 == 0 && padding <= 2 && absl::Base64Unescape(clean, &bytes);
}

Special SpecialKind(const google::protobuf::Descriptor* descriptor) {
  if (descriptor == metav1::Time::descriptor()) return Special::kTime;
  if (descriptor == metav1::MicroTime::descriptor()) return Special::kMicroTime;
  if (descriptor == metav1::Duration::descriptor()) return Special::kDuration;
  if (descriptor == WireQuantity::descriptor()) return Special::kQuantity;
  if (descriptor == IntOrString::descriptor()) return Special::kIntOrString;
  if (descriptor == RawExtension::descriptor() || descriptor == metav1::FieldsV1::descriptor())
    return Special::kRaw;
  if (descriptor->name() == "ExtraValue") return Special::kStrings;
  return Special::kNone;
}

absl::Status SpecialFromJson(Special special, const json::value& value, Message& message) {
  switch (special) {
    case Special::kTime:
      return TimeFromJson(value, static_cast<metav1::Time&>(message));
    case Special::kMicroTime:
      return MicroTimeFromJson(value, static_cast<metav1::MicroTime&>(message));
    case Special::kDuration:
      return DurationFromJson(value, static_cast<metav1::Duration&>(message));
    case Special::kQuantity:
      return QuantityFromJson(value, static_cast<WireQuantity&>(message));
    case Special::kIntOrString:
      return IntOrStringFromJson(value, static_cast<IntOrString&>(message));
    case Special::kStrings:
      return StringsFromJson(value, message);
    case Special::kRaw:
      RawFromJson(value, message);
      return absl::OkStatus();
    case Special::kNone:
      break;
  }
  return absl::InternalError("not a special type");
}

json::value SpecialToJson(Special special, const Message& message) {
  switch (special) {
    case Special::kTime:
      if (IsZeroTime(special, message)) return nullptr;
      return json::string(::cubelet::FormatTime(
          absl::FromUnixSeconds(static_cast<const metav1::Time&>(message).seconds())));
    case Special::kMicroTime:
      return MicroTimeToJson(static_cast<const metav1::MicroTime&>(message));
    case Special::kDuration:
      return json::string(FormatGoDuration(
          absl::Nanoseconds(static_cast<const metav1::Duration&>(message).duration())));
    case Special::kQuantity: {
      const std::string& text = static_cast<const WireQuantity&>(message).string();
      return json::string(text.empty() ? "0" : text);
    }
    case Special::kIntOrString: {
      const auto& value = static_cast<const IntOrString&>(message);
      if (value.type() == 1) return json::string(value.strval());
      return value.intval();
    }
    case Special::kStrings:
      return StringsToJson(message);
    case Special::kRaw:
      return RawToJson(message);
    case Special::kNone:
      break;
  }
  return nullptr;
}

bool IsZeroTime(Special special, const Message& message) {
  if (special == Special::kTime) {
    const auto& time = static_cast<const metav1::Time&>(message);
    return !time.has_seconds() || time.seconds() == kGoZeroSeconds;
  }
  if (special == Special::kMicroTime) {
    const auto& time = static_cast<const metav1::MicroTime&>(message);
    return !time.has_seconds() || (time.seconds() == kGoZeroSeconds && time.nanos() == 0);
  }
  return false;
}

}  // namespace cubelet::api
