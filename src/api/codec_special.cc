#include "api/codec_special.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "api/quantity.h"
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
using WireQuantity = ::k8s::io::apimachinery::pkg::api::resource::Quantity;
using ::k8s::io::apimachinery::pkg::runtime::RawExtension;
using ::k8s::io::apimachinery::pkg::util::intstr::IntOrString;

absl::Status WrongType(const char* wanted, const json::value& got) {
  return absl::InvalidArgumentError(StrCat("want ", wanted, ", got ", KindName(got)));
}

std::string_view Text(const json::value& value) {
  const json::string& text = value.get_string();
  return {text.data(), text.size()};
}

absl::Status ParseTime(const json::value& value, int64_t& seconds, int32_t& nanos) {
  if (!value.is_string()) return WrongType("a time as a string", value);
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, std::string(Text(value)), &time, &error))
    return absl::InvalidArgumentError(
        StrCat("want a time like 2006-01-02T15:04:05Z, got ", GoQuote(Text(value))));
  const timespec spec = absl::ToTimespec(time);
  seconds = spec.tv_sec;
  nanos = static_cast<int32_t>(spec.tv_nsec);
  return absl::OkStatus();
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

Special SpecialKind(const google::protobuf::Descriptor* descriptor) {
  if (descriptor == metav1::Time::descriptor()) return Special::kTime;
  if (descriptor == metav1::MicroTime::descriptor()) return Special::kMicroTime;
  if (descriptor == metav1::Duration::descriptor()) return Special::kDuration;
  if (descriptor == WireQuantity::descriptor()) return Special::kQuantity;
  if (descriptor == IntOrString::descriptor()) return Special::kIntOrString;
  if (descriptor == RawExtension::descriptor() || descriptor == metav1::FieldsV1::descriptor())
    return Special::kRaw;
  return Special::kNone;
}

absl::Status SpecialFromJson(Special special, const json::value& value,
                             google::protobuf::Message& message) {
  switch (special) {
    case Special::kTime:
    case Special::kMicroTime: {
      int64_t seconds = 0;
      int32_t nanos = 0;
      RETURN_IF_ERROR(ParseTime(value, seconds, nanos));
      if (special == Special::kTime) {
        auto& time = static_cast<metav1::Time&>(message);
        time.set_seconds(seconds);
        time.set_nanos(nanos);
      } else {
        auto& time = static_cast<metav1::MicroTime&>(message);
        time.set_seconds(seconds);
        time.set_nanos(nanos);
      }
      return absl::OkStatus();
    }
    case Special::kDuration: {
      if (!value.is_string()) return WrongType("a duration as a string", value);
      absl::Duration duration;
      RETURN_IF_ERROR(ParseGoDuration(Text(value), duration));
      static_cast<metav1::Duration&>(message).set_duration(absl::ToInt64Nanoseconds(duration));
      return absl::OkStatus();
    }
    case Special::kQuantity: {
      const bool number = value.is_int64() || value.is_uint64() || value.is_double();
      if (!value.is_string() && !number) return WrongType("a quantity", value);
      const std::string text = number ? json::serialize(value) : std::string(Text(value));
      ASSIGN_OR_RETURN(const api::Quantity quantity, api::Quantity::Parse(text));
      static_cast<WireQuantity&>(message).set_string(quantity.ToString());
      return absl::OkStatus();
    }
    case Special::kIntOrString: {
      auto& out = static_cast<IntOrString&>(message);
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
    case Special::kRaw: {
      const std::string text = json::serialize(value);
      if (message.GetDescriptor() == metav1::FieldsV1::descriptor()) {
        static_cast<metav1::FieldsV1&>(message).set_raw(text);
      } else {
        static_cast<RawExtension&>(message).set_raw(text);
      }
      return absl::OkStatus();
    }
    case Special::kNone:
      break;
  }
  return absl::InternalError("not a special type");
}

json::value SpecialToJson(Special special, const google::protobuf::Message& message) {
  switch (special) {
    case Special::kTime: {
      const auto& time = static_cast<const metav1::Time&>(message);
      // Kubernetes writes the zero time as null; whole seconds otherwise.
      if (!time.has_seconds()) return nullptr;
      return json::string(::cubelet::FormatTime(absl::FromUnixSeconds(time.seconds())));
    }
    case Special::kMicroTime: {
      const auto& time = static_cast<const metav1::MicroTime&>(message);
      if (!time.has_seconds()) return nullptr;
      return json::string(
          absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ",
                           absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos()),
                           absl::UTCTimeZone()));
    }
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
      return json::value(value.intval());
    }
    case Special::kRaw: {
      const std::string& raw = message.GetDescriptor() == metav1::FieldsV1::descriptor()
                                   ? static_cast<const metav1::FieldsV1&>(message).raw()
                                   : static_cast<const RawExtension&>(message).raw();
      boost::json::error_code error;
      json::value value = json::parse(raw, error);
      return error ? json::value(nullptr) : value;
    }
    case Special::kNone:
      break;
  }
  return nullptr;
}

}  // namespace cubelet::api
