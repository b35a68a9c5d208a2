// The streams that a request to /exec or /attach wants (node.md 17.8). Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "server/backend.h"
#include "server/request.h"

namespace cubelet::server {

// Sets input, output, error and tty: a terminal has no error stream. Error: none is wanted.
absl::Status ReadStreams(const Query& query, StreamRequest* stream);

// The ports of a WebSocket's query, repeated or with commas between; other clients name theirs on
// the connection itself and give none here. Errors: none is given, or one is no port.
absl::StatusOr<std::vector<int32_t>> ReadPorts(const Request& request);

}  // namespace cubelet::server
