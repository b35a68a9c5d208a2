// How fast requests may be sent: kubeAPIQPS and kubeAPIBurst.
#pragma once

#include <algorithm>
#include <optional>

#include "absl/time/time.h"

namespace cubelet::kube {

// A token bucket whose tokens are given out in advance: each caller learns how long to wait for its
// own, in the order of the calls. Holds no timer.
class FlowControl {
 public:
  // client-go's meaning of the numbers: `qps` below 0 is no limit, 0 is 5; `burst` 0 is 10.
  FlowControl(double qps, int burst, absl::Duration now)
      : qps_(qps == 0 ? 5 : qps), burst_(burst == 0 ? 10 : burst), tokens_(burst_), filled_(now) {}

  // How long to wait before sending; nullopt, with nothing taken, when that is above `max_wait`.
  // `now` is monotonic time.
  std::optional<absl::Duration> Take(absl::Duration now, absl::Duration max_wait) {
    if (qps_ < 0) return absl::ZeroDuration();
    tokens_ = std::min(burst_, tokens_ + absl::ToDoubleSeconds(now - filled_) * qps_);
    filled_ = now;
    const absl::Duration wait = absl::Seconds(std::max(0.0, 1 - tokens_) / qps_);
    if (wait > max_wait) return std::nullopt;
    tokens_ -= 1;
    return wait;
  }

 private:
  const double qps_;
  const double burst_;
  double tokens_;
  absl::Duration filled_;
};

}  // namespace cubelet::kube
