// One GET over plain HTTP. Blocks, bounded in time and size.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace cubelet::e2e {

struct HttpAnswer {
  int status = 0;
  std::string body;
};

// `address` is an IPv4 address, `path` begins with a slash. Errors: nobody listens there, no
// complete answer within `limit`.
absl::StatusOr<HttpAnswer> HttpGet(const std::string& address, uint16_t port,
                                   const std::string& path,
                                   absl::Duration limit = absl::Seconds(5));

}  // namespace cubelet::e2e
