#include "fakes/api_server/encoding.h"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/codec.h"
#include "api/yaml.h"
#include "base/status.h"
#include "base/strings.h"
#include "k8s.io/apimachinery/pkg/runtime/generated.pb.h"

namespace cubelet::fakes {
namespace {

namespace json = boost::json;
namespace runtime = ::k8s::io::apimachinery::pkg::runtime;

constexpr std::string_view kMagic("k8s\0", 4);
constexpr std::string_view kJsonType = "application/json";
constexpr std::string_view kProtobufType = "application/vnd.kubernetes.protobuf";

// Numbers of the two fields that all list messages share.
constexpr char kListMetadataTag = (1 << 3) | 2;
constexpr char kListItemsTag = (2 << 3) | 2;

std::string Envelope(std::string_view api_version, std::string_view kind, std::string raw) {
  runtime::Unknown unknown;
  unknown.mutable_typemeta()->set_apiversion(std::string(api_version));
  unknown.mutable_typemeta()->set_kind(std::string(kind));
  unknown.set_raw(std::move(raw));
  return std::string(kMagic) + unknown.SerializeAsString();
}

void AppendVarint(std::string& out, size_t value) {
  while (value >= 0x80) {
    out += static_cast<char>((value & 0x7f) | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

void AppendField(std::string& out, char tag, const std::string& bytes) {
  out += tag;
  AppendVarint(out, bytes.size());
  out += bytes;
}

std::string Trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return std::string(text);
}

std::string BaseType(std::string_view content_type) {
  return Trimmed(content_type.substr(0, content_type.find(';')));
}

absl::Status DecodeProtobuf(std::string_view body, Message& message) {
  runtime::Unknown unknown;
  if (!body.starts_with(kMagic) ||
      !unknown.ParseFromArray(body.data() + kMagic.size(),
                              static_cast<int>(body.size() - kMagic.size())))
    return absl::InvalidArgumentError("the body is no protobuf envelope");
  if (!message.ParseFromString(unknown.raw()))
    return absl::InvalidArgumentError(StrCat("the body is no ", message.GetDescriptor()->name()));
  return absl::OkStatus();
}

struct Reason {
  absl::StatusCode code;
  int http;
  const char* reason;
};

constexpr Reason kReasons[] = {
    {absl::StatusCode::kInvalidArgument, 400, "BadRequest"},
    {absl::StatusCode::kUnauthenticated, 401, "Unauthorized"},
    {absl::StatusCode::kPermissionDenied, 403, "Forbidden"},
    {absl::StatusCode::kNotFound, 404, "NotFound"},
    {absl::StatusCode::kUnimplemented, 405, "MethodNotAllowed"},
    {absl::StatusCode::kAlreadyExists, 409, "AlreadyExists"},
    {absl::StatusCode::kAborted, 409, "Conflict"},
    {absl::StatusCode::kOutOfRange, 410, "Expired"},
    {absl::StatusCode::kFailedPrecondition, 422, "Invalid"},
    {absl::StatusCode::kResourceExhausted, 429, "TooManyRequests"},
    {absl::StatusCode::kInternal, 500, "InternalError"},
    {absl::StatusCode::kUnavailable, 503, "ServiceUnavailable"},
    {absl::StatusCode::kDeadlineExceeded, 504, "Timeout"},
};

}  // namespace

std::string_view ContentType(Media media) {
  return media == Media::kJson ? kJsonType : kProtobufType;
}

std::string_view WatchContentType(Media media) {
  return media == Media::kJson ? kJsonType : "application/vnd.kubernetes.protobuf;stream=watch";
}

Media MediaOf(std::string_view accept) {
  while (!accept.empty()) {
    const size_t comma = accept.find(',');
    const std::string_view entry = accept.substr(0, comma);
    accept.remove_prefix(comma == std::string_view::npos ? accept.size() : comma + 1);
    if (entry.find("as=") != std::string_view::npos) continue;
    const std::string type = BaseType(entry);
    if (type == kProtobufType) return Media::kProtobuf;
    if (type == kJsonType || type == "*/*") return Media::kJson;
  }
  return Media::kJson;
}

std::string Encode(Media media, std::string_view api_version, std::string_view kind,
                   const Message& message) {
  if (media == Media::kProtobuf) return Envelope(api_version, kind, message.SerializeAsString());
  return api::Serialize(api::ToObjectJson(message, api_version, kind)) + "\n";
}

std::string Encode(Media media, const Kind& kind, const Message& object) {
  return Encode(media, kind.ApiVersion(), kind.kind, object);
}

std::string EncodeList(Media media, const Kind& kind, const metav1::ListMeta& meta,
                       const std::vector<ObjectPtr>& items) {
  const std::string list_kind = StrCat(kind.kind, "List");
  if (media == Media::kProtobuf) {
    std::string raw;
    AppendField(raw, kListMetadataTag, meta.SerializeAsString());
    for (const ObjectPtr& item : items) AppendField(raw, kListItemsTag, item->SerializeAsString());
    return Envelope(kind.ApiVersion(), list_kind, std::move(raw));
  }
  std::string text =
      StrCat(R"({"kind":)", JsonQuote(list_kind), R"(,"apiVersion":)", JsonQuote(kind.ApiVersion()),
             R"(,"metadata":)", api::Serialize(api::ToJson(meta)), R"(,"items":[)");
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) text += ",";
    // Items stand without apiVersion and kind, but readers without a schema look for them.
    text += api::Serialize(api::ToObjectJson(*items[i], kind.ApiVersion(), kind.kind));
  }
  return text + "]}\n";
}

std::string EncodeStatus(Media media, const metav1::Status& status) {
  return Encode(media, "v1", "Status", status);
}

std::string EncodeEvent(Media media, std::string_view type, std::string_view api_version,
                        std::string_view kind, const Message& object) {
  if (media == Media::kJson) {
    return StrCat(R"({"type":)", JsonQuote(type), R"(,"object":)",
                  api::Serialize(api::ToObjectJson(object, api_version, kind)), "}\n");
  }
  metav1::WatchEvent event;
  event.set_type(std::string(type));
  event.mutable_object()->set_raw(Envelope(api_version, kind, object.SerializeAsString()));
  const std::string bytes = event.SerializeAsString();
  std::string frame;
  for (int shift = 24; shift >= 0; shift -= 8) frame += static_cast<char>(bytes.size() >> shift);
  return frame + bytes;
}

absl::Status Decode(std::string_view content_type, std::string_view body, bool strict,
                    Message& message) {
  const std::string type = BaseType(content_type);
  if (type == kProtobufType) return DecodeProtobuf(body, message);
  if (type != kJsonType && type != "application/yaml" && !type.empty())
    return absl::UnimplementedError(
        StrCat("the body of the request was in an unknown format - "
               "accepted media types include: application/json, "
               "application/yaml, ",
               kProtobufType));
  ASSIGN_OR_RETURN(const json::value value, api::ParseJsonOrYaml(body));
  return api::FromJson(value, message, {.strict = strict});
}

metav1::Status StatusOf(const absl::Status& error) {
  metav1::Status status;
  status.mutable_metadata();
  status.set_status("Failure");
  status.set_message(std::string(cubelet::Message(error)));
  status.set_reason("InternalError");
  status.set_code(500);
  for (const Reason& reason : kReasons) {
    if (reason.code != error.code()) continue;
    status.set_reason(reason.reason);
    status.set_code(reason.http);
  }
  return status;
}

}  // namespace cubelet::fakes
