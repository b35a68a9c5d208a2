#include "os/systemd.h"

#include <systemd/sd-daemon.h>

#include <cstdint>

#include "base/clock.h"
#include "base/status.h"
#include "base/strings.h"

namespace cubelet::os {

void NotifyReady() { sd_notify(0, "READY=1"); }

void NotifyStopping() { sd_notify(0, "STOPPING=1"); }

void NotifyWatchdog() { sd_notify(0, "WATCHDOG=1"); }

void NotifyStatus(std::string_view text) {
  // One line: what follows a line break would be another assignment.
  sd_notify(0, StrCat("STATUS=", text.substr(0, text.find('\n'))).c_str());
}

absl::StatusOr<absl::Duration> WatchdogInterval() {
  uint64_t timeout_us = 0;
  const int enabled = sd_watchdog_enabled(0, &timeout_us);
  if (enabled < 0)
    return ErrnoError("configure watchdog: read WATCHDOG_USEC and WATCHDOG_PID", -enabled);
  if (enabled == 0) return absl::InfiniteDuration();
  const absl::Duration timeout = absl::Microseconds(timeout_us);
  // Whoever has to answer so often would be ended for the least delay.
  if (timeout <= absl::Seconds(1))
    return absl::InvalidArgumentError(
        StrCat("configure watchdog timeout too small: ", FormatGoDuration(timeout)));
  return timeout / 2;
}

}  // namespace cubelet::os
