// The kubelet's HTTP servers: the main one (TLS, port 10250), the read-only one where configured,
// the healthz one (127.0.0.1:10248) and the unix socket of `kubelet status`.
//
//   auto server = Server::Create(loop, options, backend, metrics, nullptr);
//   RETURN_IF_ERROR((*server)->Start());
//   ...
//   co_await (*server)->Stop();
#pragma once

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "async/loop.h"
#include "async/scope.h"
#include "base/metrics.h"
#include "certs/server_tls.h"
#include "server/backend.h"
#include "server/handler.h"
#include "server/listener.h"
#include "server/options.h"
#include "server/reviews.h"

namespace cubelet::server {

class Server {
 public:
  // Checks the options and reads certificates (making the self-signed one where none is given).
  // Every function of `backend` must be set. `reviews` is null where there is no API server to ask;
  // it, `loop` and `metrics` outlive the server. Errors name the field and what to do
  // (CheckStandalone, certs).
  static absl::StatusOr<std::unique_ptr<Server>> Create(async::Loop& loop, Options options,
                                                        Backend backend, Metrics& metrics,
                                                        Reviews* reviews);
  ~Server();

  // Opens the sockets and serves. An error (the main or the read-only port cannot be had) is the
  // end of the process, as in the original; nothing runs then. The healthz port is tried again
  // every five seconds, and without the status socket the kubelet does its work as well: both are
  // only logged.
  absl::Status Start();

  // Closes everything and waits for the tasks. Due before the destructor once Start was OK.
  async::Task<void> Stop();

  // The ports in use, 0 for a server that is not open.
  uint16_t port() const { return main_.port(); }
  uint16_t read_only_port() const { return read_only_.port(); }
  uint16_t healthz_port() const { return healthz_.port(); }

  // Open connections of all ports.
  size_t connections() const;

 private:
  Server(async::Loop& loop, Options options, Backend backend, Metrics& metrics,
         std::unique_ptr<certs::ServerTls> tls, Authenticator authenticator, Authorizer authorizer);
  async::Task<void> KeepHealthzOpen(uint16_t port);
  void OpenStatusSocket();
  void WarnOfOpenDoors() const;
  void ShowCertificateLife();

  async::Loop& loop_;
  const Options options_;
  const Backend backend_;
  Metrics& metrics_;
  const std::shared_ptr<certs::ServerTls> tls_;  // null without the main port; shared with scrapes
  Handler handler_;
  Listener main_;
  Listener read_only_;
  Listener healthz_;
  Listener status_;
  async::TaskScope scope_;
};

}  // namespace cubelet::server
