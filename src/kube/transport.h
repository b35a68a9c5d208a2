// The connections to one API server. One is enough until it carries as many streams as the server
// allows (kube-apiserver: 100); then another is made, and closed when it has become idle.
//
// Connecting is done once for all who wait, and only when somebody asks for it. After a failure the
// next request tries again: callers have the back-off.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "async/loop.h"
#include "async/scope.h"
#include "async/signal.h"
#include "async/task.h"
#include "kube/connection.h"

namespace cubelet::kube {

class Transport {
 public:
  using DialFn = std::function<async::Task<absl::StatusOr<std::unique_ptr<TlsStream>>>()>;

  Transport(async::Loop& loop, DialFn dial, ConnectionTimes times = {});

  // Sends a request, over a new connection if need be. Errors: those of connecting. Cancelling the
  // caller does not stop a connecting that others may wait for.
  async::Task<absl::StatusOr<std::unique_ptr<Exchange>>> Send(Http2Request request);

  // Closes all connections at once; what waits on them fails. For a new client certificate.
  void CloseConnections();

  // Connections that carry streams take no new ones, all others are closed: whatever comes next
  // goes over a new connection. For doubts about the old one.
  void RetireConnections();

  // Ends everything; the transport is of no use afterwards. To be awaited before it dies.
  async::Task<void> Close();

  size_t connections() const { return connections_.size(); }

 private:
  std::shared_ptr<Connection> Usable();
  void Prune();
  async::Task<absl::Status> Connect();
  async::Task<void> MakeConnection();

  async::Loop& loop_;
  DialFn dial_;
  const ConnectionTimes times_;
  std::vector<std::shared_ptr<Connection>> connections_;
  std::vector<std::shared_ptr<Connection>> retired_;
  uint64_t closings_ = 0;  // calls of CloseConnections and RetireConnections
  bool connecting_ = false;
  uint64_t attempts_ = 0;      // connectings that have ended
  absl::Status last_attempt_;  // how the last of them ended
  async::Signal attempt_ended_;
  async::TaskScope scope_;
};

}  // namespace cubelet::kube
