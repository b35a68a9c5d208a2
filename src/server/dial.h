// Connecting to the runtime's streaming server.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "async/loop.h"
#include "async/task.h"
#include "server/stream_url.h"
#include "server/transport.h"

namespace cubelet::server {

// Connects, and shakes hands where the URL says https: the certificate must be signed by one of the
// system's authorities and name the URL's host. Errors: "connect to 127.0.0.1:41000: Connection
// refused", "look up runtime: ...", "TLS handshake with ...: ...". Bound it with WithTimeout.
async::Task<absl::StatusOr<std::shared_ptr<Transport>>> Dial(async::Loop* loop, StreamUrl url);

}  // namespace cubelet::server
