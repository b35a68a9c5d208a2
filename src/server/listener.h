// Accepts connections on one listening socket and serves each in a task of its own.
//
// There are never more than Limits::max_connections: for a new one beyond that the connection that
// has waited longest without a request is given up, and if all are busy the new one is closed. So
// clients that connect and say nothing cannot shut others out. When the process has no descriptor
// left (EMFILE) accepting pauses, longer each time.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>

#include "async/loop.h"
#include "async/scope.h"
#include "base/metrics.h"
#include "server/connection.h"
#include "server/socket.h"

namespace boost::asio::ssl {
class context;
}

namespace cubelet::server {

class Listener {
 public:
  // Asked for each connection; an empty function makes the listener a plain one.
  using TlsSource = std::function<std::shared_ptr<boost::asio::ssl::context>()>;

  // `name` is the metrics' label "server" ("main") and the task's name. Everything outlives it.
  Listener(async::Loop& loop, Metrics& metrics, Handler& handler, std::string name, Port port,
           Limits limits, TlsSource tls);
  ~Listener();

  // Serves `socket` until Close; the tasks live in `scope`.
  void Start(async::TaskScope& scope, ListeningSocket socket);

  // Accepts nothing any more and closes all connections; their tasks end soon after.
  void Close();

  // Whether it was started.
  bool open() const { return acceptor_ != nullptr; }
  uint16_t port() const { return port_number_; }
  size_t connections() const { return connections_.size(); }

 private:
  struct Acceptor;
  using ConnectionPtr = std::shared_ptr<Connection>;

  async::Task<void> AcceptForever(async::TaskScope* scope);
  // Accepts what is there. An error is one that a pause may help.
  absl::Status AcceptAll(async::TaskScope& scope);
  bool MakeRoom();
  void Serve(async::TaskScope& scope, UniqueFd fd);
  async::Task<void> RunConnection(ConnectionPtr connection, async::TaskScope* scope);

  async::Loop& loop_;
  Metrics& metrics_;
  Handler& handler_;
  const std::string name_;
  const Port port_;
  const Limits limits_;
  const TlsSource tls_;
  std::unique_ptr<Acceptor> acceptor_;
  int family_ = 0;
  uint16_t port_number_ = 0;
  // Owned by their tasks, too, which may still run when they are given up here.
  std::list<ConnectionPtr> connections_;
};

}  // namespace cubelet::server
