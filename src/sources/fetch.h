// One bounded HTTP/1.1 GET over the loop, plain or TLS. The server may be anybody: its certificate
// is verified, and headers, body, redirects and time are bounded.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "async/loop.h"
#include "async/task.h"

namespace cubelet::sources {

struct FetchRequest {
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  absl::Duration timeout = absl::Seconds(10);  // for everything, redirects included
  size_t max_body_bytes = 10 << 20;
  std::string ca_file;  // "" uses the system's authorities
};

struct FetchResponse {
  int status = 0;
  std::string reason;  // as the server says it
  std::string body;
};

// Follows at most ten redirects; https never leads to http. Errors: `Get "<url>": <what>`, also for
// a body over the limit, a bad certificate, an answer that is no HTTP, a timeout.
async::Task<absl::StatusOr<FetchResponse>> Fetch(async::Loop* loop, FetchRequest request);

}  // namespace cubelet::sources
