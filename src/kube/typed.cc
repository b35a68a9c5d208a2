#include "kube/typed.h"

#include <google/protobuf/message.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/strings.h"
#include "kube/errors.h"
#include "kube/object_codec.h"

namespace cubelet::kube {
namespace {

void AddUnlessEmpty(std::string_view name, std::string& value, CallOptions& options) {
  if (!value.empty()) options.query.emplace_back(name, std::move(value));
}

std::string_view ContentTypeOf(PatchType type) {
  switch (type) {
    case PatchType::kStrategicMerge:
      return "application/strategic-merge-patch+json";
    case PatchType::kMerge:
      return "application/merge-patch+json";
    case PatchType::kJson:
      return "application/json-patch+json";
  }
  return "";
}

Request ToRequest(RawCall call) {
  Request request;
  request.method = std::move(call.method);
  request.path = PathOf(call.resource, call.name.name_space, call.name.name, call.name.subresource);
  request.query = std::move(call.options.query);
  if (call.options.tell_timeout)
    request.query.emplace_back("timeout", FormatGoDuration(call.options.timeout));
  request.content_type = std::move(call.content_type);
  request.body = std::move(call.body);
  request.timeout = call.options.timeout;
  return request;
}

// Names come from pods, which can say anything; in a path only letters do no harm.
absl::Status CheckSegment(std::string_view segment) {
  const auto safe = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           std::string_view("-._~:@+").find(c) != std::string_view::npos;
  };
  if (segment != "." && segment != ".." && std::all_of(segment.begin(), segment.end(), safe))
    return absl::OkStatus();
  return absl::InvalidArgumentError(StrCat(GoQuote(segment), " is no name of an object"));
}

}  // namespace

std::string PathOf(const Resource& resource, std::string_view name_space, std::string_view name,
                   std::string_view subresource) {
  const bool core = resource.api_version.find('/') == std::string_view::npos;
  std::string path = StrCat(core ? "/api/" : "/apis/", resource.api_version);
  if (resource.namespaced && !name_space.empty()) StrAppend(&path, "/namespaces/", name_space);
  StrAppend(&path, "/", resource.name);
  if (!name.empty()) StrAppend(&path, "/", name);
  if (!subresource.empty()) StrAppend(&path, "/", subresource);
  return path;
}

async::Task<absl::StatusOr<Encoded>> Call(Client* client, RawCall call) {
  CO_RETURN_IF_ERROR(CheckSegment(call.name.name_space));
  CO_RETURN_IF_ERROR(CheckSegment(call.name.name));
  absl::StatusOr<Answer> answer = co_await client->Do(ToRequest(std::move(call)));
  if (!answer.ok()) co_return answer.status();
  CO_RETURN_IF_ERROR(StatusOf(*answer));
  co_return Encoded{std::move(answer->content_type), std::move(answer->body)};
}

async::Task<absl::Status> CallFor(Client* client, RawCall call, google::protobuf::Message* out,
                                  std::string kind) {
  const std::string what = StrCat(call.method, " ", call.resource.name, " ", call.name.name);
  const std::string version(call.resource.api_version);
  absl::StatusOr<Encoded> answer = co_await Call(client, std::move(call));
  if (!answer.ok()) co_return answer.status();
  co_return Annotate(DecodeObject(*answer, *out, version, kind), what);
}

RawCall ListCall(const Resource& resource, ListOptions options) {
  CallOptions call = std::move(options.call);
  AddUnlessEmpty("fieldSelector", options.field_selector, call);
  AddUnlessEmpty("labelSelector", options.label_selector, call);
  AddUnlessEmpty("resourceVersion", options.resource_version, call);
  AddUnlessEmpty("resourceVersionMatch", options.resource_version_match, call);
  return {"GET", resource, {std::move(options.name_space), "", ""}, "", "", std::move(call)};
}

RawCall DeleteCall(const Resource& resource, ObjectName name, DeleteOptions options) {
  metav1::DeleteOptions body;
  if (options.grace_period_seconds.has_value())
    body.set_graceperiodseconds(*options.grace_period_seconds);
  if (!options.uid.empty()) body.mutable_preconditions()->set_uid(options.uid);
  if (!options.resource_version.empty())
    body.mutable_preconditions()->set_resourceversion(options.resource_version);
  return {"DELETE",
          resource,
          std::move(name),
          kProtobufType,
          EncodeObject(body, resource.api_version, "DeleteOptions"),
          std::move(options.call)};
}

RawCall PatchCall(const Resource& resource, ObjectName name, PatchType type, std::string patch,
                  CallOptions options) {
  return {"PATCH",          resource,          std::move(name), std::string(ContentTypeOf(type)),
          std::move(patch), std::move(options)};
}

RawCall WriteCall(std::string method, const Resource& resource, ObjectName name,
                  const google::protobuf::Message& object, const Resource& object_type,
                  CallOptions options) {
  return {std::move(method),
          resource,
          std::move(name),
          kProtobufType,
          EncodeObject(object, object_type.api_version, object_type.kind),
          std::move(options)};
}

async::Task<absl::StatusOr<std::shared_ptr<const authenticationv1::TokenRequest>>> CreateToken(
    Client* client, std::string name_space, std::string service_account,
    authenticationv1::TokenRequest request) {
  ObjectName name{std::move(name_space), std::move(service_account), "token"};
  return FetchObject<authenticationv1::TokenRequest>(
      client, WriteCall("POST", kServiceAccounts, std::move(name), request, kTokenRequests, {}),
      "TokenRequest");
}

}  // namespace cubelet::kube
