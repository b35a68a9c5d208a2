// Running a helper program and waiting for it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace cubelet::os {

struct ProcessRequest {
  std::vector<std::string> arguments;    // the program first: a path, or a name looked up in PATH
  std::vector<std::string> environment;  // "NAME=value", in place of ours unless that is inherited
  bool inherit_environment = true;
  std::string input;                  // for its standard input
  size_t max_output_bytes = 1 << 20;  // of each of the two outputs; what is above is dropped
  absl::Duration timeout = absl::InfiniteDuration();
};

struct ProcessResult {
  int exit_code = 0;  // -1 when a signal ended it
  int signal = 0;     // that ended it, or 0
  std::string output;
  std::string error_output;
  bool truncated = false;  // an output was longer than kept

  bool ok() const { return exit_code == 0 && signal == 0; }

  // "exit status 3" or "signal 9", as messages have it.
  std::string Describe() const;
};

// Runs the program in a process group of its own, without any of our descriptors, and waits until
// it has ended. Blocks: for async::Loop::Blocking. Errors: the program cannot be started;
// DEADLINE_EXCEEDED after `timeout`, when the whole group has been killed. That a program fails is
// a result, not an error.
absl::StatusOr<ProcessResult> RunProcess(const ProcessRequest& request);

}  // namespace cubelet::os
