#include "kube/object_codec.h"

#include <google/protobuf/message.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "api/codec.h"
#include "api/types.h"
#include "api/yaml.h"
#include "base/status.h"
#include "base/strings.h"
#include "k8s.io/apimachinery/pkg/runtime/generated.pb.h"

namespace cubelet::kube {
namespace {

namespace runtime = ::k8s::io::apimachinery::pkg::runtime;

constexpr std::string_view kMagic("k8s\0", 4);
// Answers are bounded where they are read; within that, any number of values may be in them.
constexpr api::DecodeLimits kJsonLimits{.max_bytes = 64 << 20, .max_nodes = 16'000'000};

absl::Status CheckKind(std::string_view got, std::string_view want_version, std::string_view want) {
  if (want.empty() || got == want) return absl::OkStatus();
  return absl::InvalidArgumentError(
      StrCat("want a ", want, " of ", want_version, ", got ", GoQuote(got)));
}

absl::Status DecodeProtobuf(std::string_view bytes, google::protobuf::Message& message,
                            std::string_view api_version, std::string_view kind) {
  if (!bytes.starts_with(kMagic))
    return absl::InvalidArgumentError("not an object in Kubernetes' protobuf form");
  runtime::Unknown envelope;
  bytes.remove_prefix(kMagic.size());
  if (!envelope.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return absl::InvalidArgumentError("the envelope of the object cannot be read");
  RETURN_IF_ERROR(CheckKind(envelope.typemeta().kind(), api_version, kind));
  if (!message.ParseFromString(envelope.raw()))
    return absl::InvalidArgumentError(
        StrCat("the ", envelope.typemeta().kind(), " cannot be read: its protobuf is broken"));
  return absl::OkStatus();
}

absl::Status DecodeJson(std::string_view text, google::protobuf::Message& message,
                        std::string_view api_version, std::string_view kind) {
  ASSIGN_OR_RETURN(const boost::json::value value, api::ParseJson(text, kJsonLimits));
  ASSIGN_OR_RETURN(const api::TypeMeta type, api::PeekTypeMeta(value));
  RETURN_IF_ERROR(CheckKind(type.kind, api_version, kind));
  return api::FromJson(value, message);
}

}  // namespace

bool IsProtobuf(std::string_view content_type) { return content_type.starts_with(kProtobufType); }

std::string EncodeObject(const google::protobuf::Message& message, std::string_view api_version,
                         std::string_view kind) {
  runtime::Unknown envelope;
  envelope.mutable_typemeta()->set_apiversion(std::string(api_version));
  envelope.mutable_typemeta()->set_kind(std::string(kind));
  message.SerializeToString(envelope.mutable_raw());
  std::string bytes(kMagic);
  envelope.AppendToString(&bytes);
  return bytes;
}

absl::Status DecodeObject(const Encoded& encoded, google::protobuf::Message& message,
                          std::string_view api_version, std::string_view kind) {
  if (IsProtobuf(encoded.content_type))
    return DecodeProtobuf(encoded.bytes, message, api_version, kind);
  if (encoded.content_type.starts_with(kJsonType))
    return DecodeJson(encoded.bytes, message, api_version, kind);
  return absl::InvalidArgumentError(
      StrCat("want protobuf or JSON, got content type ", GoQuote(encoded.content_type)));
}

absl::StatusOr<WatchEvent> DecodeWatchEvent(const Encoded& encoded) {
  WatchEvent event;
  if (IsProtobuf(encoded.content_type)) {
    metav1::WatchEvent message;
    if (!message.ParseFromString(encoded.bytes))
      return absl::InvalidArgumentError("watch event: its protobuf is broken");
    event.type = std::move(*message.mutable_type());
    event.object = {kProtobufType, std::move(*message.mutable_object()->mutable_raw())};
    return event;
  }
  absl::StatusOr<boost::json::value> value = api::ParseJson(encoded.bytes, kJsonLimits);
  if (!value.ok()) return Annotate(value.status(), "watch event");
  const boost::json::object* fields = value->if_object();
  const boost::json::value* type = fields == nullptr ? nullptr : fields->if_contains("type");
  const boost::json::value* object = fields == nullptr ? nullptr : fields->if_contains("object");
  if (type == nullptr || !type->is_string() || object == nullptr)
    return absl::InvalidArgumentError("watch event: want an object with type and object");
  event.type = std::string(type->get_string());
  event.object = {kJsonType, boost::json::serialize(*object)};
  return event;
}

}  // namespace cubelet::kube
