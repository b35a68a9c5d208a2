// What a request to /containerLogs asks for (node.md 17.10). Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/time/time.h"
#include "logs/log_reader.h"
#include "server/request.h"

namespace cubelet::server {

struct LogQuery {
  bool previous = false;
  logs::LogOptions options;  // without a path
};

// Reads the parameters; what is not one of them is ignored. `now` is where sinceSeconds counts
// from, `split_streams` whether one stream alone can be had. When `refusal` gets a status other
// than 0, that is the answer.
LogQuery ParseLogQuery(const Query& query, absl::Time now, bool split_streams, Response* refusal);

}  // namespace cubelet::server
