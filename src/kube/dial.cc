#include "kube/dial.h"

#include <netdb.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "async/timeout.h"
#include "base/status.h"
#include "base/strings.h"
#include "kube/tls_context.h"
#include "kube/tls_stream.h"

namespace cubelet::kube {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr size_t kMaxProxyAnswer = 8 << 10;
constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);

// A cancelled operation ends the task, as everything that suspends does.
absl::Status ToStatus(const boost::system::error_code& error, std::string_view what) {
  if (!error) return absl::OkStatus();
  if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
  return absl::UnavailableError(StrCat(what, ": ", error.message()));
}

absl::StatusOr<std::vector<tcp::endpoint>> LookUp(const std::string& host, uint16_t port) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (error != 0)
    return absl::UnavailableError(
        StrCat("look up ", host, ": ", std::string_view(::gai_strerror(error))));
  std::vector<tcp::endpoint> endpoints;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    tcp::endpoint endpoint;
    if (entry->ai_addrlen > endpoint.capacity()) continue;
    std::copy_n(reinterpret_cast<const char*>(entry->ai_addr), entry->ai_addrlen,
                reinterpret_cast<char*>(endpoint.data()));
    endpoint.port(port);
    endpoints.push_back(endpoint);
  }
  ::freeaddrinfo(found);
  return endpoints;
}

async::Task<absl::StatusOr<std::vector<tcp::endpoint>>> EndpointsOf(async::Loop* loop,
                                                                    ServerAddress address) {
  boost::system::error_code not_literal;
  const auto literal = asio::ip::make_address(address.host, not_literal);
  if (!not_literal) co_return std::vector<tcp::endpoint>{tcp::endpoint(literal, address.port)};
  auto look_up = [host = address.host, port = address.port] { return LookUp(host, port); };
  co_return co_await loop->Blocking(std::move(look_up));
}

async::Task<absl::Status> ConnectTcp(async::Loop* loop, tcp::socket* socket,
                                     ServerAddress address) {
  auto endpoints = co_await EndpointsOf(loop, address);
  if (!endpoints.ok()) co_return endpoints.status();
  absl::Status last = absl::UnavailableError(StrCat("look up ", address.host, ": no address"));
  for (const tcp::endpoint& endpoint : *endpoints) {
    boost::system::error_code error;
    socket->close(error);
    std::tie(error) = co_await socket->async_connect(endpoint, kAsTuple);
    last = ToStatus(
        error, StrCat("connect to ", endpoint.address().to_string(), " port ", endpoint.port()));
    if (last.ok()) break;
  }
  boost::system::error_code ignored;
  if (last.ok()) socket->set_option(tcp::no_delay(true), ignored);
  co_return last;
}

// Asks the proxy at the other end of `socket` for a way to the server.
async::Task<absl::Status> AskProxy(tcp::socket* socket, ServerAddress proxy, ServerAddress server) {
  std::string request =
      StrCat("CONNECT ", server.HostPort(), " HTTP/1.1\r\nHost: ", server.HostPort(), "\r\n");
  if (!proxy.user_info.empty())
    StrAppend(&request, "Proxy-Authorization: Basic ", absl::Base64Escape(proxy.user_info), "\r\n");
  request += "\r\n";
  const std::string what = StrCat("proxy ", proxy.HostPort());
  const auto [write_error, sent] =
      co_await asio::async_write(*socket, asio::buffer(request), kAsTuple);
  CO_RETURN_IF_ERROR(ToStatus(write_error, what));
  // What follows the head would belong to TLS, but there a server says nothing before the client.
  std::string head;
  const auto [read_error, size] = co_await asio::async_read_until(
      *socket, asio::dynamic_buffer(head, kMaxProxyAnswer), "\r\n\r\n", kAsTuple);
  if (read_error == asio::error::not_found)
    co_return absl::UnavailableError(StrCat(what, ": its answer is no HTTP"));
  CO_RETURN_IF_ERROR(ToStatus(read_error, what));
  const std::string_view line = std::string_view(head).substr(0, head.find("\r\n"));
  const bool granted =
      line.starts_with("HTTP/1.") && line.size() >= 12 && line.substr(9, 3) == "200";
  if (!granted) co_return absl::UnavailableError(StrCat(what, ": it answers ", GoQuote(line)));
  if (size != head.size())
    co_return absl::UnavailableError(StrCat(what, ": it sent something after its answer"));
  co_return absl::OkStatus();
}

async::Task<absl::Status> Connect(async::Loop* loop, tcp::socket* socket, DialTarget target) {
  if (target.proxy_url.empty()) co_return co_await ConnectTcp(loop, socket, target.server);
  absl::StatusOr<ServerAddress> proxy = ParseProxyAddress(target.proxy_url);
  if (!proxy.ok()) co_return Annotate(proxy.status(), "proxy");
  const absl::Status connected = co_await ConnectTcp(loop, socket, *proxy);
  if (!connected.ok()) co_return Annotate(connected, "proxy");
  co_return co_await AskProxy(socket, *proxy, target.server);
}

async::Task<absl::Status> Handshake(TlsStream* tls) {
  const auto [error] =
      co_await tls->stream.async_handshake(asio::ssl::stream_base::client, kAsTuple);
  if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
  if (error) co_return HandshakeError(tls->stream.native_handle(), error);
  co_return CheckHttp2(tls->stream.native_handle());
}

}  // namespace

async::Task<absl::StatusOr<std::unique_ptr<TlsStream>>> Dial(async::Loop* loop, DialTarget target) {
  auto make_context = [target] { return MakeTlsContext(target); };
  auto context = co_await loop->Blocking(std::move(make_context));
  if (!context.ok()) co_return context.status();
  auto tls = std::make_unique<TlsStream>(*std::move(context), tcp::socket(loop->io()));
  CO_RETURN_IF_ERROR(ExpectServer(tls->stream.native_handle(), target));
  CO_RETURN_IF_ERROR(co_await async::WithTimeout(
      *loop, Connect(loop, &tls->stream.next_layer(), target), kConnectTimeout,
      StrCat("connect to ", target.server.HostPort())));
  CO_RETURN_IF_ERROR(
      co_await async::WithTimeout(*loop, Handshake(tls.get()), kHandshakeTimeout, "TLS handshake"));
  co_return tls;
}

}  // namespace cubelet::kube
