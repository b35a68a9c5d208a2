// The body of an answer that is made while it is sent: a log that is followed, a large file.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "async/task.h"

namespace cubelet::server {

class Body {
 public:
  virtual ~Body() = default;

  // The next piece, asked for when the one before has been taken by the client. An empty one means
  // that there is nothing for now: it is asked for again if the client is still there, so a source
  // that waits gives one now and then. nullopt is the end; an error cuts the answer off.
  virtual async::Task<absl::StatusOr<std::optional<std::string>>> Next() = 0;
};

}  // namespace cubelet::server
