// Retry delays and rate limits, as values: they take the time and hold no timer.
#pragma once

#include <algorithm>

#include "absl/time/time.h"

namespace cubelet::async {

// Exponential delays: initial, 2 x initial, ... up to `max`.
class Backoff {
 public:
  Backoff(absl::Duration initial, absl::Duration max, double factor = 2)
      : initial_(initial), max_(max), factor_(factor) {}

  // The delay before the next try.
  absl::Duration Next() {
    delay_ = delay_ == absl::ZeroDuration() ? initial_ : std::min(delay_ * factor_, max_);
    return delay_;
  }
  void Reset() { delay_ = absl::ZeroDuration(); }

 private:
  absl::Duration initial_;
  absl::Duration max_;
  double factor_;
  absl::Duration delay_;
};

// A token bucket: `burst` at once, refilled at `qps` a second. qps 0 means no limit.
class RateLimiter {
 public:
  RateLimiter(double qps, double burst, absl::Duration now)
      : qps_(qps), burst_(burst), tokens_(burst), refilled_(now) {}

  // Takes a token if there is one. `now` is monotonic time.
  bool TryTake(absl::Duration now) {
    if (qps_ <= 0) return true;
    tokens_ = std::min(burst_, tokens_ + absl::ToDoubleSeconds(now - refilled_) * qps_);
    refilled_ = now;
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

 private:
  double qps_;
  double burst_;
  double tokens_;
  absl::Duration refilled_;
};

}  // namespace cubelet::async
