// A client's upgraded connection, passed on to the runtime's streaming server.
#pragma once

#include <string>

#include "async/task.h"
#include "server/endpoint.h"

namespace cubelet::server {

// What is answered to a request that does not ask for an upgrade: 500 "Upgrade request required".
Response UpgradeRequired();

// What is answered when the runtime has refused to prepare a stream (node.md 17.8): 404, 429 with
// Retry-After, or 500, with its error.
Response StreamError(const absl::Status& error);

// Asks the runtime for the stream, its streaming server for the upgrade that `request` wants, and
// gives the relay between the two; or the answer that says why there is none. That server's
// redirects are not followed.
async::Task<Response> OpenStream(const Services* services, Request request, StreamRequest stream);

}  // namespace cubelet::server
