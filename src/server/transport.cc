#include "server/transport.h"

#include <openssl/x509v3.h>
#include <poll.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/strings.h"

namespace cubelet::server {
namespace {

using Socket = boost::asio::generic::stream_protocol::socket;

constexpr auto kAwait = boost::asio::as_tuple(boost::asio::use_awaitable);

}  // namespace

struct Transport::Streams {
  Streams(async::Loop& loop, UniqueFd fd, int family,
          std::shared_ptr<boost::asio::ssl::context> tls_context)
      : context(std::move(tls_context)), plain(loop.io()) {
    plain.assign(boost::asio::generic::stream_protocol(family, 0), fd.release());
    if (context != nullptr)
      tls = std::make_unique<boost::asio::ssl::stream<Socket&>>(plain, *context);
  }

  const std::shared_ptr<boost::asio::ssl::context> context;
  Socket plain;
  std::unique_ptr<boost::asio::ssl::stream<Socket&>> tls;  // over `plain`
};

Transport::Transport(async::Loop& loop, UniqueFd socket, int family,
                     std::shared_ptr<boost::asio::ssl::context> tls)
    : streams_(std::make_unique<Streams>(loop, std::move(socket), family, std::move(tls))) {}

Transport::~Transport() = default;

async::Task<bool> Transport::Handshake() {
  if (streams_->tls == nullptr) co_return true;
  auto [error] =
      co_await streams_->tls->async_handshake(boost::asio::ssl::stream_base::server, kAwait);
  co_return !error;
}

async::Task<absl::Status> Transport::HandshakeAsClient(std::string host) {
  if (streams_->tls == nullptr) co_return absl::OkStatus();
  SSL* const ssl = streams_->tls->native_handle();
  X509_VERIFY_PARAM* const expected = SSL_get0_param(ssl);
  // An address is no server name, and is looked for among the certificate's addresses.
  if (X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str()) != 1) {
    SSL_set_tlsext_host_name(ssl, host.c_str());
    X509_VERIFY_PARAM_set1_host(expected, host.c_str(), host.size());
  }
  auto [error] =
      co_await streams_->tls->async_handshake(boost::asio::ssl::stream_base::client, kAwait);
  if (!error) co_return absl::OkStatus();
  const long verified = SSL_get_verify_result(ssl);
  co_return absl::UnavailableError(
      StrCat("TLS handshake with ", host, ": ",
             verified == X509_V_OK ? error.message()
                                   : std::string(X509_verify_cert_error_string(verified))));
}

async::Task<size_t> Transport::Read(char* data, size_t size) {
  const auto buffer = boost::asio::buffer(data, size);
  if (streams_->tls != nullptr) {
    auto [error, count] = co_await streams_->tls->async_read_some(buffer, kAwait);
    co_return error ? 0 : count;
  }
  auto [error, count] = co_await streams_->plain.async_read_some(buffer, kAwait);
  co_return error ? 0 : count;
}

async::Task<size_t> Transport::Write(const char* data, size_t size) {
  const auto buffer = boost::asio::buffer(data, size);
  if (streams_->tls != nullptr) {
    auto [error, count] = co_await streams_->tls->async_write_some(buffer, kAwait);
    co_return error ? 0 : count;
  }
  auto [error, count] = co_await streams_->plain.async_write_some(buffer, kAwait);
  co_return error ? 0 : count;
}

async::Task<void> Transport::Shutdown() {
  // TLS' own goodbye, without which some clients call the answer cut off.
  if (streams_->tls != nullptr) co_await streams_->tls->async_shutdown(kAwait);
  boost::system::error_code ignored;
  streams_->plain.shutdown(Socket::shutdown_send, ignored);
}

bool Transport::HalfClose() {
  if (streams_->tls != nullptr) return false;
  boost::system::error_code error;
  streams_->plain.shutdown(Socket::shutdown_send, error);
  return !error;
}

bool Transport::PeerHasClosed() const {
  if (!streams_->plain.is_open()) return true;
  pollfd entry{streams_->plain.native_handle(), POLLRDHUP, 0};
  return ::poll(&entry, 1, 0) > 0;
}

async::Task<size_t> Transport::Discard(char* data, size_t size) {
  auto [error, count] =
      co_await streams_->plain.async_read_some(boost::asio::buffer(data, size), kAwait);
  co_return error ? 0 : count;
}

void Transport::Close() {
  boost::system::error_code ignored;
  streams_->plain.close(ignored);
}

std::vector<X509*> Transport::PeerChain() {
  if (streams_->tls == nullptr) return {};
  SSL* const ssl = streams_->tls->native_handle();
  if (peer_ == nullptr) peer_.reset(SSL_get1_peer_certificate(ssl));
  if (peer_ == nullptr) return {};
  std::vector<X509*> chain = {peer_.get()};
  // On a server the chain is without the peer's own certificate.
  STACK_OF(X509)* const rest = SSL_get_peer_cert_chain(ssl);
  for (int i = 0; i < sk_X509_num(rest); ++i) chain.push_back(sk_X509_value(rest, i));
  return chain;
}

}  // namespace cubelet::server
