// A program of ours that runs beside the test.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace cubelet::e2e {

class ChildProcess {
 public:
  // Starts `arguments` (a path or a name in PATH first) with our environment and `environment`
  // ("NAME=value"); its outputs are appended to `log`.
  static absl::StatusOr<std::unique_ptr<ChildProcess>> Start(std::vector<std::string> arguments,
                                                             std::vector<std::string> environment,
                                                             const std::string& log);
  ~ChildProcess();  // SIGKILL if it still runs
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }
  bool running();

  // Sends a signal and waits for the end. Gives the exit code, or 128 + the signal that ended it.
  // Error: DEADLINE_EXCEEDED when it has not ended within `limit`; it is killed then.
  absl::StatusOr<int> End(int signal, absl::Duration limit);

  // Processor time used so far, of all its threads.
  absl::StatusOr<absl::Duration> ProcessorTime() const;

  // "Rss" or "Anonymous" of its memory.
  absl::StatusOr<int64_t> MemoryBytes(const std::string& kind) const;

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}
  const pid_t pid_;
  bool ended_ = false;
  int status_ = 0;
};

// A limit on how long something may take, as it is on this machine: on a slow one (emulated, or
// with much else to do) CUBELET_E2E_PATIENCE is the factor.
absl::Duration AtMost(absl::Duration limit);

// Looks every few milliseconds until `condition` holds; false when it does not within
// AtMost(limit).
template <typename Condition>
bool Eventually(absl::Duration limit, Condition condition);

// Time since the machine's start, as /proc/uptime has it.
absl::Duration Uptime();

void Pause(absl::Duration duration);

template <typename Condition>
bool Eventually(absl::Duration limit, Condition condition) {
  const absl::Duration until = Uptime() + AtMost(limit);
  while (!condition()) {
    if (Uptime() > until) return false;
    Pause(absl::Milliseconds(50));
  }
  return true;
}

}  // namespace cubelet::e2e
