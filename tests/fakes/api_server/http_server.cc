#include "fakes/api_server/http_server.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/strings.h"
#include "fakes/api_server/http2_connection.h"

namespace cubelet::fakes {
namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr absl::Duration kPauseAfterError = absl::Milliseconds(50);

// h2 where the client has it: only those that want to upgrade leave it out.
int SelectProtocol(SSL*, const unsigned char** out, unsigned char* out_size,
                   const unsigned char* in, unsigned int in_size, void*) {
  static constexpr std::string_view kProtocols = "\x02h2\x08http/1.1";
  unsigned char* selected = nullptr;
  if (SSL_select_next_proto(&selected, out_size,
                            reinterpret_cast<const unsigned char*>(kProtocols.data()),
                            kProtocols.size(), in, in_size) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = selected;
  return SSL_TLSEXT_ERR_OK;
}

asio::ssl::context MakeTls(const Authority& authority) {
  asio::ssl::context tls(asio::ssl::context::tls_server);
  const KeyPair pair = authority.ForServer(
      "DNS:localhost,DNS:kubernetes,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:10.96.0.1");
  const std::string root = authority.CertificatePem();
  tls.use_certificate_chain(asio::buffer(pair.certificate));
  tls.use_private_key(asio::buffer(pair.key), asio::ssl::context::pem);
  tls.add_certificate_authority(asio::buffer(root));
  tls.set_verify_mode(asio::ssl::verify_peer);
  // Judged per request: the result stays to be asked for.
  tls.set_verify_callback([](bool, asio::ssl::verify_context&) { return true; });
  SSL_CTX* const native = tls.native_handle();
  SSL_CTX_set_alpn_select_cb(native, SelectProtocol, nullptr);
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(native, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(native, 0);
  return tls;
}

}  // namespace

HttpServer::HttpServer(async::Loop& loop, FakeApi& api)
    : loop_(loop),
      api_(api),
      tls_(MakeTls(api.authority())),
      acceptor_(loop.io()),
      partition_over_(loop),
      scope_(loop, "api server"),
      proxy_(loop, api, scope_) {}

HttpServer::~HttpServer() = default;

absl::StatusOr<uint16_t> HttpServer::Start(uint16_t port) {
  const Tcp::endpoint endpoint(asio::ip::address_v4::loopback(), port);
  boost::system::error_code error;
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(Tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error)
    return absl::UnavailableError(StrCat("listen on 127.0.0.1:", port, ": ", error.message()));
  scope_.Spawn("accept", AcceptForever());
  return acceptor_.local_endpoint().port();
}

async::Task<void> HttpServer::Stop() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  CutConnections();
  SetPartitioned(false);
  co_await scope_.Close();
}

async::Task<void> HttpServer::AcceptForever() {
  while (acceptor_.is_open()) {
    auto [error, socket] = co_await acceptor_.async_accept(kAwait);
    if (error) {
      co_await loop_.Sleep(kPauseAfterError);
      continue;
    }
    boost::system::error_code ignored;
    socket.set_option(Tcp::no_delay(true), ignored);
    ++accepted_;
    auto connection = std::make_shared<Http2Connection>(
        *this, std::make_shared<TlsStream>(std::move(socket), tls_));
    connections_.push_back(connection);
    scope_.Spawn("connection", RunConnection(std::move(connection)));
  }
}

async::Task<void> HttpServer::RunConnection(std::shared_ptr<Http2Connection> connection) {
  struct Forget {
    HttpServer* server;
    std::shared_ptr<Http2Connection> connection;
    ~Forget() { server->connections_.remove(connection); }
  } forget{this, connection};
  co_await connection->Run();
}

void HttpServer::CutConnections() {
  // Closing one may take it off the list.
  const std::list<std::shared_ptr<Http2Connection>> connections = connections_;
  for (const std::shared_ptr<Http2Connection>& connection : connections) connection->Close();
}

void HttpServer::SendGoAway() {
  for (const std::shared_ptr<Http2Connection>& connection : connections_) connection->SendGoAway();
}

void HttpServer::SetPartitioned(bool on) {
  partitioned_ = on;
  if (!on) partition_over_.Notify();
}

}  // namespace cubelet::fakes
