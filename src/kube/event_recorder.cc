#include "kube/event_recorder.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/log.h"
#include "base/strings.h"
#include "kube/errors.h"
#include "kube/event_object.h"
#include "kube/typed.h"

namespace cubelet::kube {
namespace {

using async::Task;

// The reasons of cubelet_events_dropped_total.
constexpr char kQueueFull[] = "queue_full";
constexpr char kTooMany[] = "too_many_of_object";
constexpr char kRefused[] = "refused";
constexpr char kNoAnswer[] = "no_answer";

std::string PathOf(const v1::Event& event) {
  return StrCat(event.metadata().namespace_(), "/", event.metadata().name());
}

// Whether another try could not end otherwise: the server has said no, or it was not even asked.
bool IsFinal(const absl::Status& error) {
  return ServerStatus(error).has_value() || absl::IsInvalidArgument(error);
}

}  // namespace

EventRecorder::EventRecorder(async::Loop& loop, Client* client, std::string node_name,
                             api::EventRecorder& log, Metrics& metrics)
    : loop_(loop),
      client_(client),
      node_name_(std::move(node_name)),
      log_(log),
      metrics_(metrics),
      wakeup_(loop) {
  for (const char* reason : {kQueueFull, kTooMany, kRefused, kNoAnswer})
    metrics_.Count("cubelet_events_dropped_total", {reason}, 0);
}

void EventRecorder::Start(async::TaskScope& scope) { scope.Spawn("events", Send()); }

void EventRecorder::Record(const api::ObjectReference& object, api::EventType type,
                           std::string reason, std::string message) {
  if (queue_.size() < kMaxQueued) {
    queue_.push_back(MakeEvent(node_name_, object, type, reason, message, NewTime()));
    wakeup_.Ring();
  } else {
    Dropped(kQueueFull);
    if (!std::exchange(overflowing_, true))
      LOG_WARNING("Too many events wait to be sent, new ones are dropped",
                  {{"waiting", queue_.size()}});
  }
  log_.Record(object, type, std::move(reason), std::move(message));
}

// The time now, yet no time twice: events are named by it.
absl::Time EventRecorder::NewTime() {
  last_time_ = std::max(loop_.Now(), last_time_ + absl::Nanoseconds(1));
  return last_time_;
}

// Correlated when it is their turn, as client-go does: what was dropped before is not counted.
Task<void> EventRecorder::Send() {
  while (true) {
    while (queue_.empty()) co_await wakeup_.Wait();
    v1::Event recorded = std::move(queue_.front());
    queue_.pop_front();
    if (queue_.empty()) overflowing_ = false;
    std::optional<v1::Event> event = correlator_.Correlate(std::move(recorded), loop_.Monotonic());
    if (event.has_value()) {
      co_await Deliver(*std::move(event));
    } else {
      Dropped(kTooMany);
    }
  }
}

Task<void> EventRecorder::Deliver(v1::Event event) {
  for (int tries = 1;; ++tries) {
    const absl::Status status = co_await Write(event);
    if (status.ok()) co_return;
    if (IsFinal(status)) {
      Refused(event, status);
      co_return;
    }
    if (tries == kTries) {
      LOG_ERROR(status, "Event not sent, giving up", {{"event", PathOf(event)}, {"tries", tries}});
      Dropped(kNoAnswer);
      co_return;
    }
    if (tries == 1)
      LOG_ERROR(status, "Unable to send an event, will try again", {{"event", PathOf(event)}});
    metrics_.Count("cubelet_retries_total", {"event"});
    // The first wait is random, so that the nodes do not all come at once to a server that is back.
    co_await loop_.Sleep(tries == 1 ? kRetryDelay * loop_.Random() : kRetryDelay);
  }
}

// An event that is to be counted on may have outlived its hour at the server: then it is made anew.
Task<absl::Status> EventRecorder::Write(v1::Event event) {
  const Resource& events = ResourceOf<v1::Event>::kValue;
  const std::string& name_space = event.metadata().namespace_();
  if (event.count() > 1) {
    ObjectName existing{name_space, event.metadata().name(), ""};
    RawCall patch =
        PatchCall(events, std::move(existing), PatchType::kStrategicMerge, EventPatch(event), {});
    const absl::StatusOr<Encoded> patched = co_await Call(client_, std::move(patch));
    if (!kube::IsNotFound(patched.status())) co_return patched.status();
  }
  ObjectName collection{name_space, "", ""};
  RawCall create = WriteCall("POST", events, std::move(collection), event, events, {});
  const absl::StatusOr<Encoded> created = co_await Call(client_, std::move(create));
  co_return created.status();
}

// A lost answer and a namespace that is going away are nothing to speak of.
void EventRecorder::Refused(const v1::Event& event, const absl::Status& error) {
  if (kube::IsAlreadyExists(error)) return;
  Dropped(kRefused);
  if (IsNamespaceTerminating(error)) {
    VLOG(5, "Event of a namespace that is being deleted", {{"event", PathOf(event)}});
  } else {
    LOG_ERROR(error, "The server refuses an event", {{"event", PathOf(event)}});
  }
}

void EventRecorder::Dropped(const char* reason) {
  metrics_.Count("cubelet_events_dropped_total", {reason});
}

}  // namespace cubelet::kube
