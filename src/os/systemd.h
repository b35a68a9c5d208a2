// The service manager's side channel (sd_notify(3)). Without one (no NOTIFY_SOCKET) nothing
// happens.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace cubelet::os {

// The agent serves: dependent units may start (Type=notify).
void NotifyReady();

// The agent has begun to end.
void NotifyStopping();

// The agent is alive; to be sent at least every WatchdogInterval().
void NotifyWatchdog();

// A line for `systemctl status`.
void NotifyStatus(std::string_view text);

// Half of what the unit's WatchdogSec allows between two NotifyWatchdog calls;
// absl::InfiniteDuration() when no watchdog looks. Error: a WatchdogSec of a second or less
// (node.md 18.6), or an environment that makes no sense.
absl::StatusOr<absl::Duration> WatchdogInterval();

}  // namespace cubelet::os
