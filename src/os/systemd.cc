#include "os/systemd.h"

#include <systemd/sd-daemon.h>

#include <cstdint>

#include "base/strings.h"

namespace cubelet::os {

void NotifyReady() { sd_notify(0, "READY=1"); }

void NotifyStopping() { sd_notify(0, "STOPPING=1"); }

void NotifyWatchdog() { sd_notify(0, "WATCHDOG=1"); }

void NotifyStatus(std::string_view text) {
  // One line: what follows a line break would be another assignment.
  sd_notify(0, StrCat("STATUS=", text.substr(0, text.find('\n'))).c_str());
}

absl::Duration WatchdogInterval() {
  uint64_t interval_us = 0;
  if (sd_watchdog_enabled(0, &interval_us) <= 0) return absl::InfiniteDuration();
  return absl::Microseconds(interval_us) / 2;
}

}  // namespace cubelet::os
