// The command line of density.
#pragma once

#include <string>

#include "absl/time/time.h"

namespace cubelet::density {

struct Flags {
  int pods = 110;
  bool fake_runtime = false;
  std::string kubelet;  // the program to measure
  absl::Duration idle = absl::Seconds(30);
  int alone = 10;     // pods started one after the other
  bool keep = false;  // logs and configuration stay
};

// Fills `flags`. Negative: go on; otherwise the process is to exit with that code (help was
// printed, or what is wrong).
int ParseFlags(int argc, char** argv, Flags& flags);

}  // namespace cubelet::density
