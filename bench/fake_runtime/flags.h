// The command line of fake_runtime.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "fakes/sim_runtime.h"

namespace cubelet::fake_runtime {

struct Flags {
  std::string socket;
  fakes::SimOptions sim;
  absl::Duration pull_takes;
  int exec_exit_code = 0;
  std::vector<std::string> images;                         // on the node from the start
  std::vector<std::pair<std::string, double>> fail;        // method, probability
  std::vector<std::pair<std::string, double>> fail_after;  // method, probability
};

// Fills `flags`. Negative: go on; otherwise the process is to exit with that code (help was
// printed, or what is wrong).
int ParseFlags(int argc, char** argv, Flags& flags);

}  // namespace cubelet::fake_runtime
