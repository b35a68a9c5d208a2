#include "kube/errors.h"

#include <algorithm>

#include "absl/strings/cord.h"
#include "base/strings.h"
#include "kube/object_codec.h"

namespace cubelet::kube {
namespace {

constexpr char kPayload[] = "k8s.io/apimachinery/pkg/apis/meta/v1.Status";
constexpr size_t kMaxQuotedBytes = 512;

// What a server's code means when it gives no reason. Reasons are those of metav1.StatusReason.
struct Meaning {
  int code;
  const char* reason;
  absl::StatusCode status;
};
constexpr Meaning kMeanings[] = {
    {400, "BadRequest", absl::StatusCode::kInvalidArgument},
    {401, "Unauthorized", absl::StatusCode::kUnauthenticated},
    {403, "Forbidden", absl::StatusCode::kPermissionDenied},
    {404, "NotFound", absl::StatusCode::kNotFound},
    {405, "MethodNotAllowed", absl::StatusCode::kUnimplemented},
    {406, "NotAcceptable", absl::StatusCode::kInvalidArgument},
    {409, "Conflict", absl::StatusCode::kAborted},
    {410, "Gone", absl::StatusCode::kOutOfRange},
    {413, "RequestEntityTooLarge", absl::StatusCode::kInvalidArgument},
    {415, "UnsupportedMediaType", absl::StatusCode::kInvalidArgument},
    {422, "Invalid", absl::StatusCode::kInvalidArgument},
    {429, "TooManyRequests", absl::StatusCode::kResourceExhausted},
    {500, "InternalError", absl::StatusCode::kInternal},
    {503, "ServiceUnavailable", absl::StatusCode::kUnavailable},
    {504, "Timeout", absl::StatusCode::kDeadlineExceeded},
};

const Meaning* MeaningOf(int code) {
  const auto* const found =
      std::find_if(std::begin(kMeanings), std::end(kMeanings),
                   [code](const Meaning& meaning) { return meaning.code == code; });
  return found == std::end(kMeanings) ? nullptr : found;
}

absl::StatusCode StatusCodeOf(const metav1::Status& status) {
  if (status.reason() == "AlreadyExists") return absl::StatusCode::kAlreadyExists;
  if (const Meaning* meaning = MeaningOf(status.code()); meaning != nullptr) return meaning->status;
  return status.code() >= 500 ? absl::StatusCode::kUnavailable : absl::StatusCode::kUnknown;
}

// An answer of somebody who does not speak of metav1.Status (a proxy, an old handler).
metav1::Status StatusOfText(const Answer& answer) {
  metav1::Status status;
  status.set_status("Failure");
  status.set_code(answer.code);
  if (const Meaning* meaning = MeaningOf(answer.code); meaning != nullptr)
    status.set_reason(meaning->reason);
  status.set_message(
      StrCat("the server answers ", answer.code, " ",
             GoQuote(CleanUtf8(std::string_view(answer.body).substr(0, kMaxQuotedBytes)))));
  return status;
}

bool HasReason(const absl::Status& error, std::string_view reason) {
  const std::optional<metav1::Status> status = ServerStatus(error);
  return status.has_value() && status->reason() == reason;
}

bool HasCause(const absl::Status& error, std::string_view reason) {
  const std::optional<metav1::Status> status = ServerStatus(error);
  if (!status.has_value()) return false;
  const auto& causes = status->details().causes();
  return std::any_of(causes.begin(), causes.end(),
                     [&](const auto& cause) { return cause.reason() == reason; });
}

}  // namespace

absl::Status ToStatus(const metav1::Status& status) {
  std::string message = status.message();
  if (message.empty()) message = StrCat("the server answers ", status.code(), " ", status.reason());
  absl::Status error(StatusCodeOf(status), ToAbsl(message));
  // From a view: the constructor from a string is mangled differently by the compiler that built
  // Debian's Abseil.
  const std::string bytes = status.SerializeAsString();
  error.SetPayload(kPayload, absl::Cord(absl::string_view(bytes)));
  return error;
}

absl::Status StatusOf(const Answer& answer) {
  if (answer.code < 300) return absl::OkStatus();
  metav1::Status status;
  const bool told = DecodeObject({answer.content_type, answer.body}, status, "v1", "Status").ok() &&
                    status.status() == "Failure";
  if (!told) status = StatusOfText(answer);
  if (status.code() == 0) status.set_code(answer.code);
  if (status.details().retryafterseconds() == 0 && answer.retry_after > absl::ZeroDuration())
    status.mutable_details()->set_retryafterseconds(
        static_cast<int32_t>(absl::ToInt64Seconds(answer.retry_after)));
  return ToStatus(status);
}

std::optional<metav1::Status> ServerStatus(const absl::Status& error) {
  const auto payload = error.GetPayload(kPayload);
  metav1::Status status;
  if (!payload.has_value() || !status.ParseFromString(std::string(*payload))) return std::nullopt;
  return status;
}

int CodeOf(const absl::Status& error) {
  const std::optional<metav1::Status> status = ServerStatus(error);
  return status.has_value() ? status->code() : 0;
}

bool IsNotFound(const absl::Status& error) { return HasReason(error, "NotFound"); }
bool IsAlreadyExists(const absl::Status& error) { return HasReason(error, "AlreadyExists"); }
bool IsConflict(const absl::Status& error) { return HasReason(error, "Conflict"); }
bool IsInvalid(const absl::Status& error) { return HasReason(error, "Invalid"); }
bool IsBadRequest(const absl::Status& error) { return HasReason(error, "BadRequest"); }
bool IsUnauthorized(const absl::Status& error) { return HasReason(error, "Unauthorized"); }
bool IsForbidden(const absl::Status& error) { return HasReason(error, "Forbidden"); }
bool IsServerTimeout(const absl::Status& error) {
  return HasReason(error, "ServerTimeout") || HasReason(error, "Timeout");
}
bool IsTooManyRequests(const absl::Status& error) {
  return HasReason(error, "TooManyRequests") || CodeOf(error) == 429;
}
bool IsGone(const absl::Status& error) {
  return HasReason(error, "Gone") || HasReason(error, "Expired");
}
bool IsNamespaceTerminating(const absl::Status& error) {
  return HasReason(error, "Forbidden") && HasCause(error, "NamespaceTerminating");
}
bool IsTooLargeResourceVersion(const absl::Status& error) {
  return HasCause(error, "ResourceVersionTooLarge");
}

absl::Duration RetryAfter(const absl::Status& error) {
  const std::optional<metav1::Status> status = ServerStatus(error);
  if (!status.has_value()) return absl::ZeroDuration();
  return absl::Seconds(std::max(0, status->details().retryafterseconds()));
}

}  // namespace cubelet::kube
