// The URL at which the runtime serves a stream: "http://127.0.0.1:41000/exec/x3bT". Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace cubelet::server {

struct StreamUrl {
  bool tls = false;
  std::string host;  // a name or an address, without brackets
  uint16_t port = 0;
  std::string target;  // path and query

  std::string HostPort() const;  // "127.0.0.1:41000", "[::1]:41000"
};

// Error: it is no http or https URL with a host, or has what a request line cannot hold.
absl::StatusOr<StreamUrl> ParseStreamUrl(std::string_view url);

}  // namespace cubelet::server
