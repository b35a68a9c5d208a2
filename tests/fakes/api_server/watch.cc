#include "fakes/api_server/watch.h"

namespace cubelet::fakes {

WatchStream::WatchStream(async::Loop& loop, WatchOptions options)
    : loop_(loop), options_(std::move(options)) {}

WatchStream::~WatchStream() { loop_.CancelTimer(timer_); }

bool WatchStream::Selects(const Message& object) const {
  const bool here =
      options_.name_space.empty() || MetaOf(object).namespace_() == options_.name_space;
  return here && options_.selection.Matches(object);
}

void WatchStream::Send(std::string_view type, const Message& object) {
  Push(EncodeEvent(options_.media, type, options_.kind->ApiVersion(), options_.kind->kind, object));
}

void WatchStream::SendChange(const Change& change) {
  if (change.kind != options_.kind) return;
  const bool before = change.previous != nullptr && Selects(*change.previous);
  const bool now = change.type != Change::Type::kDeleted && Selects(*change.object);
  if (now) {
    Send(before ? "MODIFIED" : "ADDED", *change.object);
  } else if (before) {
    // The object as it was when it was still selected, with the version of the change.
    NewObject last = CopyOf(*change.previous);
    MetaOf(*last).set_resourceversion(std::to_string(change.version));
    Send("DELETED", *last);
  }
}

void WatchStream::SendInitial(const Message& object) {
  if (Selects(object)) Send("ADDED", object);
}

void WatchStream::SendBookmark(uint64_t version, bool initial_events_end) {
  if (!options_.bookmarks && !initial_events_end) return;
  const NewObject object = NewOf(options_.kind->descriptor);
  metav1::ObjectMeta& meta = MetaOf(*object);
  meta.set_resourceversion(std::to_string(version));
  if (initial_events_end) (*meta.mutable_annotations())["k8s.io/initial-events-end"] = "true";
  Send("BOOKMARK", *object);
}

void WatchStream::SendError(const absl::Status& error) {
  Push(EncodeEvent(options_.media, "ERROR", "v1", "Status", StatusOf(error)));
  End();
}

void WatchStream::EndAfter(absl::Duration timeout) {
  timer_ = loop_.AddTimer(timeout, [this] { End(); });
}

}  // namespace cubelet::fakes
