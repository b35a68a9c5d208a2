#include "images/manager.h"

#include <utility>

#include "base/clock.h"
#include "base/status.h"
#include "base/strings.h"
#include "cri/errors.h"
#include "images/image_name.h"
#include "images/pull_errors.h"

namespace cubelet::images {

using async::Task;

namespace {

constexpr char kPolicyNever[] = "Never";
constexpr char kPolicyIfNotPresent[] = "IfNotPresent";

constexpr char kPulling[] = "Pulling";
constexpr char kPulled[] = "Pulled";
constexpr char kFailed[] = "Failed";
constexpr char kBackOff[] = "BackOff";
constexpr char kInspectFailed[] = "InspectFailed";

Result Failure(absl::StatusCode code, const char* reason, std::string_view message) {
  Result result;
  result.status = absl::Status(code, ToAbsl(message));
  result.reason = reason;
  return result;
}

Result Success(std::string image_ref) {
  Result result;
  result.image_ref = std::move(image_ref);
  return result;
}

criv1::ImageSpec MakeSpec(const Request& request, std::string image) {
  criv1::ImageSpec spec;
  spec.set_image(std::move(image));
  const auto& annotations = request.pod->metadata().annotations();
  spec.mutable_annotations()->insert(annotations.begin(), annotations.end());
  spec.set_runtime_handler(request.runtime_handler);
  return spec;
}

int64_t Permits(const Options& options) {
  return options.serialize_pulls ? 1 : options.max_parallel_pulls;
}

// The label of kubelet_image_pull_duration_seconds; sizes are bytes, 0 is not known.
const char* SizeBucket(uint64_t bytes) {
  struct Bucket {
    uint64_t below_megabytes;
    const char* label;
  };
  static constexpr Bucket kBuckets[] = {
      {10, "0-10MB"},       {100, "10MB-100MB"},  {500, "100MB-500MB"},   {1000, "500MB-1GB"},
      {5000, "1GB-5GB"},    {10000, "5GB-10GB"},  {20000, "10GB-20GB"},   {30000, "20GB-30GB"},
      {40000, "30GB-40GB"}, {60000, "40GB-60GB"}, {100000, "60GB-100GB"},
  };
  if (bytes == 0) return "N/A";
  for (const Bucket& bucket : kBuckets) {
    if (bytes <= bucket.below_megabytes * 1'000'000) return bucket.label;
  }
  return "GT100GB";
}

std::string Milliseconds(absl::Duration duration) {
  return FormatGoDuration(absl::Trunc(duration, absl::Milliseconds(1)));
}

}  // namespace

Manager::Manager(async::Loop& loop, cri::Images& images, api::EventRecorder& recorder,
                 Options options)
    : loop_(loop),
      images_(images),
      recorder_(recorder),
      options_(options),
      backoff_(options.backoff_initial, options.backoff_max),
      rate_(options.registry_pull_qps, options.registry_burst, loop.Monotonic()) {
  if (Permits(options_) > 0) turns_.emplace(loop, Permits(options_));
}

void Manager::CountRequest(const Request& request, const char* present_locally, bool pull) {
  if (metrics_ == nullptr) return;
  const char* policy = request.pull_policy == kPolicyNever          ? "never"
                       : request.pull_policy == kPolicyIfNotPresent ? "ifnotpresent"
                                                                    : "always";
  metrics_->Count("kubelet_image_manager_ensure_image_requests_total",
                  {policy, present_locally, pull ? "true" : "false"});
}

void Manager::ForgetPod(const std::string& uid) { backoff_.ForgetPod(uid); }

void Manager::Normal(const Request& request, const char* reason, std::string message) {
  recorder_.Record(request.target, api::EventType::kNormal, reason, std::move(message));
}

void Manager::Warning(const Request& request, const char* reason, std::string message) {
  recorder_.Record(request.target, api::EventType::kWarning, reason, std::move(message));
}

Task<Result> Manager::Ensure(Request request) {
  absl::StatusOr<std::string> image = WithDefaultTag(request.image);
  if (!image.ok()) {
    const std::string message = StrCat("Failed to apply default image tag ", GoQuote(request.image),
                                       ": ", Message(image.status()));
    Warning(request, kInspectFailed, message);
    co_return Failure(absl::StatusCode::kInvalidArgument, kInvalidImageName, message);
  }
  criv1::ImageSpec spec = MakeSpec(request, *std::move(image));
  const bool never = request.pull_policy == kPolicyNever;
  if (never || request.pull_policy == kPolicyIfNotPresent) {
    const absl::StatusOr<std::string> local = co_await FindLocal(spec);
    if (!local.ok()) {
      // The reference has the name that was not found in the quotes: none.
      const std::string message = StrCat("Failed to inspect image \"\": ", Message(local.status()));
      Warning(request, kInspectFailed, message);
      co_return Failure(local.status().code(), kImageInspectError, message);
    }
    CountRequest(request, local->empty() ? "false" : "true", local->empty() && !never);
    if (!local->empty()) {
      Normal(request, kPulled,
             StrCat("Container image ", GoQuote(request.image),
                    " already present on machine and can be accessed by the pod"));
      co_return Success(*local);
    }
  }
  if (request.pull_policy != kPolicyIfNotPresent && !never)
    CountRequest(request, "unknown", /*pull=*/true);
  if (never) {
    const std::string message = StrCat("Container image ", GoQuote(request.image),
                                       " is not present with pull policy of Never");
    Warning(request, kErrImageNeverPull, message);
    co_return Failure(absl::StatusCode::kNotFound, kErrImageNeverPull, message);
  }
  co_return co_await Pull(std::move(request), std::move(spec));
}

// The id of the image, "" when it is not on the node. The error's message is complete.
Task<absl::StatusOr<std::string>> Manager::FindLocal(criv1::ImageSpec spec) {
  const std::string name = spec.image();
  auto answer = co_await images_.ImageStatus(std::move(spec));
  if (!answer.ok())
    co_return absl::Status(answer.status().code(), ToAbsl(cri::RpcErrorText(answer.status())));
  if (!answer->has_image()) co_return std::string();
  if (answer->image().id().empty() || answer->image().size() == 0)
    co_return absl::InternalError(StrCat("Id or size of image ", GoQuote(name), " is not set"));
  co_return answer->image().id();
}

Task<Result> Manager::Pull(Request request, criv1::ImageSpec spec) {
  const std::string uid = request.pod->metadata().uid();
  const std::string image = request.image;
  const absl::Duration asked = loop_.Monotonic();
  if (const auto hold = backoff_.Check(uid, image, asked)) co_return InBackOff(request, *hold);
  backoff_.Started(uid, image);
  Normal(request, kPulling, StrCat("Pulling image ", GoQuote(image)));
  const absl::StatusOr<Pulled> pulled = co_await PullInTurn(std::move(spec), request.sandbox);
  const absl::Duration now = loop_.Monotonic();
  if (!pulled.ok()) co_return PullFailed(request, pulled.status());
  Normal(request, kPulled,
         StrCat("Successfully pulled image ", GoQuote(image), " in ", Milliseconds(pulled->took),
                " (", Milliseconds(now - asked), " including waiting). Image size: ", pulled->bytes,
                " bytes."));
  if (metrics_ != nullptr)
    metrics_->Observe("kubelet_image_pull_duration_seconds", {SizeBucket(pulled->bytes)},
                      absl::ToDoubleSeconds(pulled->took));
  backoff_.Expire(now);
  co_return Success(pulled->image_ref);
}

Result Manager::InBackOff(const Request& request, const PullBackoff::Hold& hold) {
  std::string message = StrCat("Back-off pulling image ", GoQuote(request.image));
  Normal(request, kBackOff, message);
  if (!hold.previous_error.empty()) StrAppend(&message, ": ", hold.previous_error);
  Result result = Failure(absl::StatusCode::kUnavailable, kImagePullBackOff, message);
  result.retry_at = loop_.Now() + hold.left;
  return result;
}

Result Manager::PullFailed(const Request& request, const absl::Status& status) {
  const std::string error = PullErrorText(status);
  Warning(request, kFailed, StrCat("Failed to pull image ", GoQuote(request.image), ": ", error));
  const PullFailure failure = ClassifyPullError(request.image, error);
  backoff_.Failed(request.pod->metadata().uid(), request.image,
                  StrCat(failure.reason, ": ", failure.message), loop_.Monotonic());
  return Failure(status.code(), failure.reason.c_str(), failure.message);
}

Task<absl::StatusOr<Manager::Pulled>> Manager::PullInTurn(criv1::ImageSpec spec,
                                                          criv1::PodSandboxConfig sandbox) {
  async::Semaphore::Permit turn;
  if (turns_) turn = co_await turns_->Acquire();
  const absl::Duration begun = loop_.Monotonic();
  // Not the runtime's error, so without a code in its text.
  if (!rate_.TryTake(begun)) co_return absl::UnknownError("pull QPS exceeded");
  criv1::AuthConfig anonymous;
  auto ref = co_await images_.PullImage(spec, std::move(anonymous), std::move(sandbox));
  if (!ref.ok()) {
    // An asker that was cancelled ends here (this suspension throws): what it gave up is no
    // failure.
    if (absl::IsCancelled(ref.status())) co_await loop_.Sleep(absl::ZeroDuration());
    co_return ref.status();
  }
  Pulled pulled;
  pulled.image_ref = *std::move(ref);
  // The size is for the event only: an image that cannot be asked about is still pulled.
  const auto status = co_await images_.ImageStatus(std::move(spec));
  if (status.ok()) pulled.bytes = status->image().size();
  pulled.took = loop_.Monotonic() - begun;
  co_return pulled;
}

}  // namespace cubelet::images
