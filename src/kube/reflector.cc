#include "kube/reflector.h"

#include <algorithm>

#include "async/timeout.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"
#include "kube/errors.h"

namespace cubelet::kube {
namespace {

constexpr absl::Duration kFirstDelay = absl::Milliseconds(800);
constexpr absl::Duration kMaxDelay = absl::Seconds(30);
constexpr absl::Duration kForgetFailures = absl::Minutes(2);
// A watch that ends sooner than this with nothing said is a failure.
constexpr absl::Duration kShortWatch = absl::Seconds(1);
// How long after its time the server may take to end a watch.
constexpr absl::Duration kWatchGrace = absl::Seconds(30);

// The server does not know how to stream a list.
bool RefusesStreaming(const absl::Status& error) { return IsInvalid(error) || IsBadRequest(error); }

}  // namespace

ReflectorBase::ReflectorBase(async::Loop& loop, Client* client, Resource resource,
                             ReflectorOptions options)
    : loop_(loop),
      client_(client),
      resource_(resource),
      options_(std::move(options)),
      streaming_(options_.streaming_list),
      backoff_(kFirstDelay, kMaxDelay),
      last_failure_(loop.Monotonic()) {}

async::Task<void> ReflectorBase::Run() {
  while (true) {
    const absl::Status ended = co_await RunOnce();
    if (Continues(ended)) continue;
    const absl::Duration delay = Delay(ended);
    co_await loop_.Sleep(delay);
  }
}

// Whether to go on at once; otherwise notes what has failed.
bool ReflectorBase::Continues(const absl::Status& ended) {
  if (ended.ok()) return true;
  if (streaming_ && resource_version_.empty() && RefusesStreaming(ended)) {
    streaming_ = false;
    return true;
  }
  if (IsGone(ended) || IsTooLargeResourceVersion(ended) || IsInvalid(ended) ||
      IsBadRequest(ended)) {
    resource_version_.clear();
    newest_ = true;
  }
  last_error_ = ended;
  if (failures_++ == 0)
    LOG_WARNING("Watch failed, it will be tried again", {{"resource", resource_.name},
                                                         {"namespace", options_.name_space},
                                                         {"fieldSelector", options_.field_selector},
                                                         {"err", Message(ended)}});
  return false;
}

void ReflectorBase::Recovered() {
  last_error_ = absl::OkStatus();
  if (std::exchange(failures_, 0) > 0)
    LOG_INFO("Watch works again", {{"resource", resource_.name},
                                   {"namespace", options_.name_space},
                                   {"fieldSelector", options_.field_selector}});
}

absl::Duration ReflectorBase::Delay(const absl::Status& error) {
  const absl::Duration now = loop_.Monotonic();
  if (now - last_failure_ > kForgetFailures) backoff_.Reset();
  const absl::Duration delay = backoff_.Next() * (1 + loop_.Random());
  last_failure_ = now + delay;
  return std::max(delay, std::min(RetryAfter(error), kMaxDelay));
}

async::Task<absl::Status> ReflectorBase::RunOnce() {
  if (resource_version_.empty() && !streaming_) CO_RETURN_IF_ERROR(co_await ListAll());
  co_return co_await WatchOnce();
}

async::Task<absl::Status> ReflectorBase::ListAll() {
  ListOptions options;
  options.name_space = options_.name_space;
  options.field_selector = options_.field_selector;
  options.resource_version = newest_ ? "" : "0";
  absl::StatusOr<Encoded> list = co_await Call(client_, ListCall(resource_, std::move(options)));
  const std::string what = StrCat("list ", resource_.name);
  if (!list.ok()) co_return Annotate(list.status(), what);
  absl::StatusOr<std::string> version = EmitList(*list);
  if (!version.ok()) co_return Annotate(version.status(), what);
  resource_version_ = *std::move(version);
  if (resource_version_.empty())
    co_return absl::InvalidArgumentError(StrCat(what, ": the list has no resource version"));
  synced_ = true;
  newest_ = false;
  co_return absl::OkStatus();
}

Request ReflectorBase::WatchRequest(bool initial, absl::Duration timeout) const {
  Request request;
  request.path = PathOf(resource_, options_.name_space, "");
  request.query = {{"watch", "true"},
                   {"allowWatchBookmarks", "true"},
                   {"timeoutSeconds", StrCat(absl::ToInt64Seconds(timeout))}};
  if (options_.tell_timeout) request.query.emplace_back("timeout", FormatGoDuration(timeout));
  if (!options_.field_selector.empty())
    request.query.emplace_back("fieldSelector", options_.field_selector);
  if (initial) {
    request.query.emplace_back("sendInitialEvents", "true");
    request.query.emplace_back("resourceVersionMatch", "NotOlderThan");
  } else {
    request.query.emplace_back("resourceVersion", resource_version_);
  }
  return request;
}

// OK when the watch has ended as it should and is to be taken up at once.
async::Task<absl::Status> ReflectorBase::WatchOnce() {
  const std::string what = StrCat("watch ", resource_.name);
  const absl::Duration timeout =
      absl::Floor(options_.min_watch_timeout * (1 + loop_.Random()), absl::Seconds(1));
  const absl::Duration started = loop_.Monotonic();
  bool initial = resource_version_.empty();
  auto stream = co_await client_->Watch(WatchRequest(initial, timeout));
  if (!stream.ok()) co_return Annotate(stream.status(), what);
  DropCollected();
  bool heard = false;
  while (true) {
    const absl::Duration left = started + timeout + kWatchGrace - loop_.Monotonic();
    absl::StatusOr<WatchEvent> event =
        co_await async::WithTimeout(loop_, (*stream)->Next(), left, "the server does not end it");
    if (!event.ok()) {
      // Replaced by us, for a new certificate: nothing has failed.
      if (absl::IsAborted(event.status())) co_return absl::OkStatus();
      const bool in_order = absl::IsOutOfRange(event.status()) && !initial;
      if (in_order && (heard || loop_.Monotonic() - started >= kShortWatch)) {
        Recovered();
        co_return absl::OkStatus();
      }
      // The words for the end in good order are no server's refusal, whatever their code.
      co_return absl::UnavailableError(StrCat(what, ": ", Message(event.status())));
    }
    heard = true;
    if (absl::Status handled = Handle(*event, &initial); !handled.ok())
      co_return Annotate(handled, what);
  }
}

absl::Status ReflectorBase::Handle(const WatchEvent& event, bool* initial) {
  if (event.type == "ERROR") {
    metav1::Status status;
    RETURN_IF_ERROR(DecodeObject(event.object, status, "v1", "Status"));
    return ToStatus(status);
  }
  absl::StatusOr<ItemFacts> facts = Decode(event.object);
  if (!facts.ok() || facts->resource_version.empty()) {
    // Taken up again the watch would bring the same.
    resource_version_.clear();
    return facts.ok() ? absl::InvalidArgumentError("an event without a resource version")
                      : facts.status();
  }
  if (event.type == "BOOKMARK") {
    if (*initial && !facts->initial_events_end) return absl::OkStatus();
    resource_version_ = std::move(facts->resource_version);
    Recovered();
    if (!*initial) return absl::OkStatus();
    *initial = false;
    synced_ = true;
    newest_ = false;
    EmitCollected();
    return absl::OkStatus();
  }
  if (*initial && event.type == "ADDED") {
    Collect();
    return absl::OkStatus();
  }
  if (*initial) return absl::InvalidArgumentError(StrCat(event.type, " within the list"));
  Recovered();
  resource_version_ = std::move(facts->resource_version);
  if (event.type == "ADDED") {
    Emit(Change::kAdded);
  } else if (event.type == "MODIFIED") {
    Emit(Change::kModified);
  } else if (event.type == "DELETED") {
    Emit(Change::kDeleted);
  } else {
    return absl::InvalidArgumentError(StrCat("unknown kind of event ", GoQuote(event.type)));
  }
  return absl::OkStatus();
}

}  // namespace cubelet::kube
