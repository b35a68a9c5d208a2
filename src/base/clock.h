// The only source of time. Code above `base` takes a Clock (through async::Loop) and never asks the
// system: under simulation the same code runs on a virtual clock.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace cubelet {

class Clock {
 public:
  virtual ~Clock() = default;

  // Wall time: for what is written down or compared with what others wrote (finishedAt,
  // lastTransitionTime).
  virtual absl::Time Now() const = 0;

  // Time since an arbitrary start that never jumps: for deadlines and measuring.
  virtual absl::Duration Monotonic() const = 0;
};

class SystemClock final : public Clock {
 public:
  absl::Time Now() const override;
  absl::Duration Monotonic() const override;
};

// Stands still until moved. Wall and monotonic time move together; SetNow jumps wall time alone.
class VirtualClock final : public Clock {
 public:
  explicit VirtualClock(absl::Time start) : now_(start) {}

  absl::Time Now() const override { return now_; }
  absl::Duration Monotonic() const override { return monotonic_; }

  void Advance(absl::Duration duration) {
    now_ += duration;
    monotonic_ += duration;
  }
  void SetNow(absl::Time now) { now_ = now; }

 private:
  absl::Time now_;
  absl::Duration monotonic_;
};

// A duration as Go prints it, which is how Kubernetes writes durations: "0s", "1.5s", "100ms",
// "1m30s", "2h0m0s".
std::string FormatGoDuration(absl::Duration duration);

// Parses Go's form ("300ms", "-1.5h", "2h45m", "0"). Error: `invalid duration "x"`, with what is
// wrong.
absl::Status ParseGoDuration(std::string_view text, absl::Duration& duration);

// RFC3339 in UTC with whole seconds ("2026-11-24T05:37:00Z"), Kubernetes' Time.
std::string FormatTime(absl::Time time);

// RFC3339 in UTC with nine fractional digits ("2026-11-23T23:48:32.517270250Z").
std::string FormatTimeNano(absl::Time time);

}  // namespace cubelet
