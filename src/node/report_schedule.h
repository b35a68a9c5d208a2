// When the node's status is reported (node.md 2.1.1): when it has changed, and from time to time
// when it has not. Pure.
#pragma once

#include "absl/time/time.h"
#include "api/types.h"

namespace cubelet::node {

// Whether the two differ in more than heartbeats, in what the kubelet writes.
bool HasChanged(const v1::Node& reported, const v1::Node& now);

class ReportSchedule {
 public:
  explicit ReportSchedule(absl::Duration report_frequency) : frequency_(report_frequency) {}

  // Whether even an unchanged status is to be reported. What was never reported is due.
  // `now` is monotonic time.
  bool IsDue(absl::Duration now) const { return now - last_ >= frequency_ + delay_; }

  // A report was sent. After a change the next one for time's sake comes up to half the frequency
  // earlier or later, so that nodes that changed together do not report together ever after.
  // `random` is from [0, 1).
  void Reported(absl::Duration now, bool changed, double random);

 private:
  absl::Duration frequency_;
  absl::Duration last_ = -absl::InfiniteDuration();
  absl::Duration delay_;
};

// `period`, or up to `factor` of it longer. `random` is from [0, 1).
absl::Duration Jittered(absl::Duration period, double factor, double random);

}  // namespace cubelet::node
