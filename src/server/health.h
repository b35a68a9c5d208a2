// Health checks that need no knowledge of pods: is the main loop turning, can the log be written.
#pragma once

#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace cubelet::server {

// The check "syncloop" (node.md 17.5): fails when the sync loop was last entered more than
// max(2 x `sync_frequency`, 5 m) before `now`, both monotonic times. Before it was entered for the
// first time (`last` -InfiniteDuration) it passes.
absl::Status CheckSyncLoop(absl::Duration now, absl::Duration last, absl::Duration sync_frequency);

// The check "log": fails when the log's descriptor could not be written at any check of the last
// two minutes: who reads it (journald) has stopped reading.
class LogCheck {
 public:
  // `fd` is where the log goes, 2 outside of tests.
  explicit LogCheck(int fd = 2) : fd_(fd) {}

  // `now` is monotonic time.
  absl::Status Check(absl::Duration now);

 private:
  const int fd_;
  std::optional<absl::Duration> blocked_since_;
};

}  // namespace cubelet::server
