#include "kube/event_correlator.h"

#include <openssl/sha.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/strings.h"

namespace cubelet::kube {
namespace {

constexpr char kCombined[] = "(combined from similar events): ";

std::vector<std::string> ObjectAndType(const v1::Event& event) {
  const v1::ObjectReference& object = event.involvedobject();
  return {object.kind(), object.namespace_(), object.name(),
          object.uid(),  object.apiversion(), event.type()};
}

}  // namespace

// Names and messages come from outside and may be long; a digest is not.
EventCorrelator::Digest EventCorrelator::DigestOf(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) StrAppend(&text, part.size(), ":", part);
  unsigned char hash[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash);
  Digest digest;
  std::copy_n(hash, digest.size(), digest.begin());
  return digest;
}

std::optional<v1::Event> EventCorrelator::Correlate(v1::Event event, absl::Duration now) {
  std::vector<std::string> parts = ObjectAndType(event);
  const Digest object = DigestOf(parts);
  parts.push_back(event.reason());
  const Digest kind = DigestOf(parts);
  if (HasTooManySiblings(event, kind, now)) {
    event.set_message(StrCat(kCombined, event.message()));
    // As client-go makes such events.
    event.clear_reportingcomponent();
    event.clear_reportinginstance();
    CountSame(event, kind);
  } else {
    parts.push_back(event.involvedobject().fieldpath());
    parts.push_back(event.message());
    CountSame(event, DigestOf(parts));
  }
  async::RateLimiter& limiter =
      objects_.Touch(object, async::RateLimiter(kRateOfObject, kBurstOfObject, now));
  if (!limiter.TryTake(now)) return std::nullopt;
  return event;
}

// Nine messages are remembered: those go on to be counted by themselves, others are combined.
bool EventCorrelator::HasTooManySiblings(const v1::Event& event, const Digest& kind,
                                         absl::Duration now) {
  Similar& similar = similar_.Touch(kind, Similar{now, {}});
  if (now - similar.last > kSimilarWithin) similar.messages.clear();
  similar.last = now;
  const Digest message = DigestOf({event.message()});
  std::vector<Digest>& known = similar.messages;
  if (std::find(known.begin(), known.end(), message) != known.end()) return false;
  if (known.size() + 1 >= kMaxDifferentMessages) return true;
  known.push_back(message);
  return false;
}

void EventCorrelator::CountSame(v1::Event& event, const Digest& key) {
  Seen& seen = seen_.Touch(key, Seen{});
  if (seen.count++ == 0) {
    seen.name = event.metadata().name();
    seen.first_seconds = event.firsttimestamp().seconds();
    return;
  }
  event.mutable_metadata()->set_name(seen.name);
  event.mutable_firsttimestamp()->set_seconds(seen.first_seconds);
  event.set_count(seen.count);
}

}  // namespace cubelet::kube
