// What the process in a simulated container does: how long it runs, how it ends, what it says.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cri/types.h"

namespace cubelet::fakes {

struct Process {
  // Ends by itself after `runs_for` with `exit_code`.
  absl::Duration runs_for = absl::InfiniteDuration();
  int exit_code = 0;

  // A process that handles the stop signal ends `stop_delay` after it with `stop_exit_code`; one
  // that does not runs on until it is killed.
  bool handles_stop = false;
  absl::Duration stop_delay;
  int stop_exit_code = 143;

  // Does not even die of SIGKILL (a process in the kernel's hands) until SimRuntime::KillContainer
  // ends it.
  bool unkillable = false;

  // Not OK: the container cannot be started; it exits with 128, reason StartError.
  absl::Status start_error;

  // What it writes, and when after its start.
  struct Line {
    absl::Duration after;
    std::string text;
    bool to_stderr = false;
  };
  std::vector<Line> lines;

  // Left in the termination message file when the process ends.
  std::string termination_message;
};

// Reads the container's command and args:
//   sleep 5 | sleep infinity | true | false
//   sh -c "echo hi; sleep 2; echo why > /dev/termination-log; exit 3"
//   sh -c "trap 'exit 0' TERM; while :; do sleep 1; done"
//   sim after=5s exit=3 stop=0 stop-delay=1s say=hello message=why unkillable start-error=text
// Of a shell's script only what is shown here is understood; other commands in it take no time and
// do nothing. Anything else, and an empty command, runs for ever and ignores the stop signal.
Process ProcessOf(const criv1::ContainerConfig& config);

}  // namespace cubelet::fakes
