// The signals that ask the process to end, as something to wait for. (Their names cannot be used
// where CRI's types are: its enumerators are called the same.)
#pragma once

#include <memory>

#include "async/loop.h"
#include "async/task.h"

namespace cubelet::async {

// Takes SIGTERM and SIGINT from the process as long as it lives; real loops only.
class TerminationSignals {
 public:
  explicit TerminationSignals(Loop& loop);
  ~TerminationSignals();

  // The name of the next one that arrives: "SIGTERM".
  Task<std::string> Wait();

 private:
  struct Set;
  std::unique_ptr<Set> set_;
};

}  // namespace cubelet::async
