// One request and its answer on an HTTP/2 connection, as it stands. Filled by Http2Session, read by
// Exchange; both run on the loop.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "async/signal.h"

namespace cubelet::kube {

// Names in lower case.
using Headers = std::vector<std::pair<std::string, std::string>>;

// The first header of that name; "" without one.
inline std::string HeaderOf(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return "";
}

struct Http2Request {
  std::string method;
  std::string authority;  // host, with the port unless it is 443
  std::string target;     // path and query
  Headers headers;
  std::string body;
};

struct Http2Stream {
  explicit Http2Stream(async::Loop& loop) : changed(loop) {}

  int32_t id = 0;
  std::string request_body;
  size_t request_sent = 0;

  int code = 0;  // of the answer, as it arrives
  Headers headers;
  size_t header_bytes = 0;
  bool has_head = false;
  std::string received;  // of the body, and not yet read
  bool ended = false;
  absl::Status error;        // why it ended early; OK for an answer that is whole
  bool unprocessed = false;  // the server says, or we know, that it has not looked at the request
  async::Signal changed;
};

}  // namespace cubelet::kube
