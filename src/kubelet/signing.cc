#include "kubelet/signing.h"

#include <algorithm>
#include <utility>

#include "async/backoff.h"
#include "async/timeout.h"
#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"
#include "kube/object_codec.h"
#include "kube/typed.h"

namespace cubelet::kubelet {
namespace {

using async::Task;
using certificatesv1::CertificateSigningRequest;
using kube::ResourceOf;

constexpr absl::Duration kFirstRetry = absl::Seconds(1);
constexpr absl::Duration kLongestRetry = absl::Seconds(30);
// The server ends a watch after this; then the next begins.
constexpr int kWatchSeconds = 480;

absl::Status Gone(const std::string& name) {
  return absl::FailedPreconditionError(
      StrCat("certificate signing request ", GoQuote(name), " was deleted"));
}

kube::Request WatchRequest(const std::string& name, const std::string& resource_version) {
  kube::Request request;
  request.path = kube::PathOf(ResourceOf<CertificateSigningRequest>::kValue, "", "");
  request.query = {{"fieldSelector", StrCat("metadata.name=", name)},
                   {"resourceVersion", resource_version},
                   {"timeoutSeconds", StrCat(kWatchSeconds)},
                   {"watch", "true"}};
  return request;
}

absl::StatusOr<std::optional<std::string>> VerdictOfEvent(const kube::WatchEvent& event,
                                                          const std::string& name,
                                                          const std::string& uid) {
  if (event.type == "DELETED") return Gone(name);
  if (event.type != "ADDED" && event.type != "MODIFIED")
    return absl::UnavailableError(StrCat("watch: event ", GoQuote(event.type)));
  const kube::Resource& resource = ResourceOf<CertificateSigningRequest>::kValue;
  CertificateSigningRequest request;
  RETURN_IF_ERROR(kube::DecodeObject(event.object, request, resource.api_version, resource.kind));
  return VerdictOf(request, uid);
}

// Looks once and then watches until the watch ends.
Task<absl::StatusOr<std::string>> Follow(kube::Client* client, std::string name, std::string uid) {
  kube::ListOptions options;
  options.field_selector = StrCat("metadata.name=", name);
  auto list = co_await kube::List<CertificateSigningRequest>(client, std::move(options));
  if (!list.ok()) co_return absl::UnavailableError(list.status().message());
  if (list->items.empty()) co_return Gone(name);
  auto verdict = VerdictOf(*list->items.front(), uid);
  if (!verdict.ok()) co_return verdict.status();
  if (const std::optional<std::string>& pem = *verdict; pem.has_value()) co_return *pem;
  auto stream = co_await client->Watch(WatchRequest(name, list->resource_version));
  if (!stream.ok()) co_return absl::UnavailableError(stream.status().message());
  while (true) {
    absl::StatusOr<kube::WatchEvent> event = co_await (*stream)->Next();
    if (!event.ok()) co_return event.status();
    verdict = VerdictOfEvent(*event, name, uid);
    if (!verdict.ok()) co_return verdict.status();
    if (const std::optional<std::string>& pem = *verdict; pem.has_value()) co_return *pem;
  }
}

Task<absl::StatusOr<std::string>> FollowOn(async::Loop* loop, kube::Client* client,
                                           std::string name, std::string uid) {
  async::Backoff backoff(kFirstRetry, kLongestRetry);
  while (true) {
    absl::StatusOr<std::string> certificate = co_await Follow(client, name, uid);
    if (certificate.ok() || absl::IsFailedPrecondition(certificate.status())) co_return certificate;
    VLOG(2, "Watching the certificate signing request again",
         {{"name", name}, {"because", Message(certificate.status())}});
    if (absl::IsOutOfRange(certificate.status())) backoff.Reset();
    co_await loop->Sleep(backoff.Next());
  }
}

}  // namespace

absl::StatusOr<std::optional<std::string>> VerdictOf(const CertificateSigningRequest& request,
                                                     const std::string& uid) {
  if (request.metadata().uid() != uid)
    return absl::FailedPreconditionError(StrCat("certificate signing request ",
                                                GoQuote(request.metadata().name()),
                                                " was replaced by another one"));
  bool approved = false;
  for (const auto& condition : request.status().conditions()) {
    const bool failed = condition.type() == "Failed";
    if (failed || condition.type() == "Denied")
      return absl::FailedPreconditionError(
          StrCat("certificate signing request ", failed ? "failed" : "is denied",
                 ", reason: ", condition.reason(), ", message: ", condition.message()));
    approved = approved || condition.type() == "Approved";
  }
  if (!approved || request.status().certificate().empty()) return std::nullopt;
  return request.status().certificate();
}

Task<absl::StatusOr<std::string>> AwaitCertificate(async::Loop* loop, kube::Client* client,
                                                   std::string name, std::string uid,
                                                   absl::Duration timeout) {
  std::string what = StrCat("wait for the certificate of signing request ", GoQuote(name));
  return async::WithTimeout(*loop, FollowOn(loop, client, std::move(name), std::move(uid)), timeout,
                            std::move(what));
}

}  // namespace cubelet::kubelet
