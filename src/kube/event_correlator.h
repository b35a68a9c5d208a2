// What becomes of an event on its way to the API server, so that a pod that fails in a loop fills
// neither the server nor the screen (node.md 19.3 to 19.6; the numbers are client-go's):
//
//   - the same again is counted at the event that stands at the server already;
//   - from the tenth message on that differs in nothing but its words, within ten minutes each,
//   they
//     are counted at one event "(combined from similar events): ...";
//   - of one object 25 events of one type may be sent at once, then one in five minutes.
//
//   std::optional<v1::Event> event = correlator.Correlate(MakeEvent(...), loop.Monotonic());
//   if (event && event->count() > 1) ... PATCH, else POST
//
// No I/O and no clock. What is remembered is bounded, and does not grow with names and messages.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "api/types.h"
#include "async/backoff.h"
#include "kube/lru_map.h"

namespace cubelet::kube {

class EventCorrelator {
 public:
  // Of objects, of kinds of events and of events so many are remembered each.
  static constexpr size_t kMaxRemembered = 4096;
  static constexpr size_t kMaxDifferentMessages = 10;
  static constexpr absl::Duration kSimilarWithin = absl::Minutes(10);
  static constexpr double kBurstOfObject = 25;
  static constexpr double kRateOfObject = 1.0 / 300;  // a second

  explicit EventCorrelator(size_t max_remembered = kMaxRemembered)
      : similar_(max_remembered), seen_(max_remembered), objects_(max_remembered) {}

  // What to send in place of `event`, a new one of this node's kubelet: with a count above 1 it has
  // the name of the event that is to be counted on. Nothing: its object has had too many, but it is
  // counted. `now` is monotonic time.
  std::optional<v1::Event> Correlate(v1::Event event, absl::Duration now);

 private:
  using Digest = std::array<char, 16>;

  struct Similar {
    absl::Duration last;
    std::vector<Digest> messages;
  };
  struct Seen {
    int32_t count = 0;
    std::string name;
    int64_t first_seconds = 0;
  };

  static Digest DigestOf(const std::vector<std::string>& parts);

  bool HasTooManySiblings(const v1::Event& event, const Digest& kind, absl::Duration now);
  void CountSame(v1::Event& event, const Digest& key);

  LruMap<Digest, Similar> similar_;             // by all but fieldPath and message
  LruMap<Digest, Seen> seen_;                   // by all, or as similar_ when combined
  LruMap<Digest, async::RateLimiter> objects_;  // by object and type
};

}  // namespace cubelet::kube
