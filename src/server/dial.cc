#include "server/dial.h"

#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <vector>

#include "base/status.h"
#include "base/strings.h"

namespace cubelet::server {
namespace {

using Protocol = boost::asio::generic::stream_protocol;

constexpr auto kAwait = boost::asio::as_tuple(boost::asio::use_awaitable);

using Endpoints = std::vector<Protocol::endpoint>;

// Blocks on names; addresses are at hand.
absl::StatusOr<Endpoints> LookUp(const std::string& host, uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string service = StrCat(port);
  const int error = ::getaddrinfo(host.c_str(), service.c_str(), &hints, &found);
  if (error != 0)
    return absl::UnavailableError(
        StrCat("look up ", host, ": ", std::string_view(::gai_strerror(error))));
  Endpoints endpoints;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next)
    endpoints.emplace_back(entry->ai_addr, entry->ai_addrlen);
  ::freeaddrinfo(found);
  return endpoints;
}

async::Task<absl::StatusOr<UniqueFd>> ConnectTo(async::Loop* loop, Protocol::endpoint endpoint,
                                                std::string name) {
  Protocol::socket socket(loop->io());
  const auto [error] = co_await socket.async_connect(endpoint, kAwait);
  // A cancelled wait ends the task, as everything that suspends does.
  if (error == boost::asio::error::operation_aborted) throw boost::system::system_error(error);
  if (error) co_return ErrnoError(StrCat("connect to ", name), error.value());
  const int on = 1;
  ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  boost::system::error_code released;
  UniqueFd fd(socket.release(released));
  if (released) co_return ErrnoError(StrCat("connect to ", name), released.value());
  co_return fd;
}

std::shared_ptr<boost::asio::ssl::context> ClientContext() {
  auto context = std::make_shared<boost::asio::ssl::context>(boost::asio::ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  boost::system::error_code ignored;  // without authorities the handshake will say so
  context->set_default_verify_paths(ignored);
  context->set_verify_mode(boost::asio::ssl::verify_peer, ignored);
  return context;
}

}  // namespace

async::Task<absl::StatusOr<std::shared_ptr<Transport>>> Dial(async::Loop* loop, StreamUrl url) {
  auto look_up = [host = url.host, port = url.port] { return LookUp(host, port); };
  absl::StatusOr<Endpoints> endpoints = co_await loop->Blocking(std::move(look_up));
  if (!endpoints.ok()) co_return endpoints.status();
  absl::Status last = absl::UnavailableError(StrCat("look up ", url.host, ": no address"));
  for (const Protocol::endpoint& endpoint : *endpoints) {
    absl::StatusOr<UniqueFd> fd = co_await ConnectTo(loop, endpoint, url.HostPort());
    last = fd.status();
    if (!fd.ok()) continue;
    const int family = endpoint.protocol().family();
    auto transport = std::make_shared<Transport>(*loop, *std::move(fd), family,
                                                 url.tls ? ClientContext() : nullptr);
    CO_RETURN_IF_ERROR(co_await transport->HandshakeAsClient(url.host));
    co_return transport;
  }
  co_return last;
}

}  // namespace cubelet::server
