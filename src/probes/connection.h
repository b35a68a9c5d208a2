// A TCP connection, with TLS over it when asked for, as probes make one: for one exchange, with
// anybody's certificate. Errors are in Go's words, as they end in events.
//
// Nothing here has a deadline: wrap it in async::WithTimeout, whose cancellation ends everything at
// once except the lookup of a name, which the system's resolver bounds.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "async/loop.h"
#include "async/task.h"

namespace cubelet::probes {

struct Endpoint {
  std::string host;  // name or address
  uint16_t port = 0;
};

class Connection {
 public:
  virtual ~Connection() = default;

  // Sends all of `data`. Error: `write tcp 10.0.0.2:40000->10.0.0.1:80: write: broken pipe`.
  virtual async::Task<absl::Status> Write(std::string data) = 0;

  // Some bytes, or none at the end. Error: `read tcp ...->...: read: connection reset by peer`.
  virtual async::Task<absl::StatusOr<std::string>> Read() = 0;
};

// Connects. Errors: `dial tcp 10.0.0.1:80: connect: connection refused`, `dial tcp: lookup web: no
// such host`.
async::Task<absl::StatusOr<std::unique_ptr<Connection>>> Connect(async::Loop* loop,
                                                                 Endpoint endpoint);

// Connects and shakes hands; no certificate is looked at. Errors: those of Connect, `remote error:
// tls: ...`, `tls: ...`, `http: server gave HTTP response to HTTPS client`.
async::Task<absl::StatusOr<std::unique_ptr<Connection>>> ConnectTls(async::Loop* loop,
                                                                    Endpoint endpoint);

}  // namespace cubelet::probes
