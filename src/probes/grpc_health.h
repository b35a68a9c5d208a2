// One call of grpc.health.v1.Health/Check, over a channel that is made for it (probes.md 5.6).
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "async/loop.h"
#include "async/task.h"

namespace cubelet::probes {

struct GrpcHealthRequest {
  std::string host;  // an address, IPv6 without brackets
  uint16_t port = 0;
  std::string service;     // "": the server as a whole
  absl::Duration timeout;  // for connecting and the call together
  std::string user_agent;
};

// "" when the answer is SERVING, otherwise the message of the probe's failure: `service unhealthy
// (responded with "NOT_SERVING")`, `timeout: failed to connect service "10.0.0.1:50051" within 1s:
// context deadline exceeded`, ... gRPC keeps the deadline by its own clock.
async::Task<std::string> CheckGrpcHealth(async::Loop* loop, GrpcHealthRequest request);

}  // namespace cubelet::probes
