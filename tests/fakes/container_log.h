// A container's log file in the format of CRI runtimes: "<time> stdout F <text>".
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/fd.h"

namespace cubelet::fakes {

class ContainerLog {
 public:
  // Creates or opens the file for appending. Its directory must exist, as runtimes want it.
  absl::Status Open(std::string path);

  // The same path anew, after whoever rotates it has moved the old file away.
  absl::Status Reopen() { return Open(std::string(path_)); }

  // One line per line of `text`. A full disk loses the line, as it would in a runtime.
  void Write(absl::Time at, std::string_view text, bool to_stderr);

 private:
  std::string path_;
  UniqueFd fd_;
};

}  // namespace cubelet::fakes
