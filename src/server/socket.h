// Listening sockets: made close-on-exec and non-blocking, TCP or unix.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "base/fd.h"

namespace cubelet::server {

struct ListeningSocket {
  UniqueFd fd;
  int family = 0;     // AF_INET, AF_INET6, AF_UNIX
  uint16_t port = 0;  // the one the kernel chose for port 0
};

// Listens on an IP address ("0.0.0.0", "::" takes IPv4, too). Errors: "listen on 0.0.0.0:10250:
// Address already in use"; the address is none.
absl::StatusOr<ListeningSocket> ListenTcp(const std::string& address, uint16_t port);

// Listens at a path with mode 0600, so that only the user of this process and root may connect;
// makes the directory (0755). The file appears when it can be connected to, in one step, over what
// a dead process has left. Error: another process serves it, the path is too long or cannot be
// made.
absl::StatusOr<ListeningSocket> ListenUnix(const std::string& path);

// Connects to a unix socket, with the error of connect(2).
absl::StatusOr<UniqueFd> ConnectUnix(const std::string& path);

}  // namespace cubelet::server
