// The HTTP/2 and TLS front of the fake API server, and what can go wrong with connections.
//
//   HttpServer server(loop, api);
//   ASSIGN_OR_RETURN(uint16_t port, server.Start(0));
//   ... co_await server.Stop();
//
// HTTP/1.1 is there for what kubectl upgrades (exec, attach, port-forward), which goes through to
// the kubelet. Clients may show a certificate of the server's authority: its CN is the user, its O
// the groups.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "async/loop.h"
#include "async/scope.h"
#include "async/signal.h"
#include "fakes/api_server/api.h"
#include "fakes/api_server/kubelet_proxy.h"

namespace cubelet::fakes {

class Http2Connection;

class HttpServer {
 public:
  // On real loops only; `api` outlives it.
  HttpServer(async::Loop& loop, FakeApi& api);
  ~HttpServer();

  // Listens on 127.0.0.1; 0 takes any free port. Gives the port. Error: it is in use.
  absl::StatusOr<uint16_t> Start(uint16_t port);
  async::Task<void> Stop();

  // Every connection breaks, without a word.
  void CutConnections();
  // Every connection is told to open no more requests on it; those under way are answered.
  void SendGoAway();
  // Nothing comes through in either direction, and nobody is told, until it is over.
  void SetPartitioned(bool on);

  // How many connections were ever made, and how many there are.
  size_t accepted() const { return accepted_; }
  size_t connections() const { return connections_.size(); }

 private:
  async::Task<void> AcceptForever();
  async::Task<void> RunConnection(std::shared_ptr<Http2Connection> connection);

  async::Loop& loop_;
  FakeApi& api_;
  boost::asio::ssl::context tls_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::list<std::shared_ptr<Http2Connection>> connections_;  // their tasks hold them too
  size_t accepted_ = 0;
  bool partitioned_ = false;
  async::Signal partition_over_;
  async::TaskScope scope_;
  KubeletProxy proxy_;

  friend class Http2Connection;
};

}  // namespace cubelet::fakes
