#include "probes/connection.h"

#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "base/strings.h"
#include "probes/url.h"

namespace cubelet::probes {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using async::Task;
using boost::system::error_code;

constexpr size_t kReadBytes = 4096;
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

// Cancellation is not an outcome of the operation: it goes on up to who cancelled.
void ThrowIfCancelled(const error_code& error) {
  if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
}

std::string LowerFirst(std::string text) {
  if (!text.empty()) text[0] = absl::ascii_tolower(static_cast<unsigned char>(text[0]));
  return text;
}

// Go's text of a failed system call: strerror's, but not capitalised.
std::string SystemText(const error_code& error) { return LowerFirst(error.message()); }

// "sslv3 alert handshake failure" is what the other side said: "remote error: tls: handshake
// failure".
std::string TlsText(const error_code& error) {
  const char* reason = ::ERR_reason_error_string(static_cast<unsigned long>(error.value()));
  const std::string_view text = reason == nullptr ? "handshake failure" : reason;
  constexpr std::string_view kAlert = " alert ";
  const size_t alert = text.find(kAlert);
  if (alert == std::string_view::npos) return StrCat("tls: ", text);
  return StrCat("remote error: tls: ", text.substr(alert + kAlert.size()));
}

bool IsEnd(const error_code& error) {
  return error == asio::error::eof || error == asio::ssl::error::stream_truncated;
}

std::string AddressText(const tcp::endpoint& endpoint) {
  return JoinHostPort(endpoint.address().to_string(), StrCat(endpoint.port()));
}

// "127.0.0.1:40000->127.0.0.1:80". To be asked while connected: a socket that was reset does not
// know any more.
std::string PeersOf(const tcp::socket& socket) {
  error_code unknown;
  const tcp::endpoint local = socket.local_endpoint(unknown);
  const tcp::endpoint remote = socket.remote_endpoint(unknown);
  return StrCat(AddressText(local), "->", AddressText(remote));
}

// `read tcp 127.0.0.1:40000->127.0.0.1:80: read: connection reset by peer`
absl::Status StreamError(const char* operation, const std::string& peers, const error_code& error) {
  if (IsEnd(error)) return absl::UnavailableError("EOF");
  if (error.category() == asio::error::get_ssl_category())
    return absl::UnavailableError(TlsText(error));
  return absl::UnavailableError(
      StrCat(operation, " tcp ", peers, ": ", operation, ": ", SystemText(error)));
}

struct Lookup {
  std::vector<tcp::endpoint> endpoints;
  std::string error;
};

// Blocks for as long as the system's resolver takes.
Lookup LookUp(const std::string& host, uint16_t port) {
  Lookup lookup;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (error != 0) {
    const bool unknown = error == EAI_NONAME || error == EAI_NODATA;
    lookup.error = unknown ? "no such host" : LowerFirst(::gai_strerror(error));
    return lookup;
  }
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    tcp::endpoint endpoint;
    if (entry->ai_addrlen > endpoint.capacity()) continue;
    std::memcpy(endpoint.data(), entry->ai_addr, entry->ai_addrlen);
    endpoint.port(port);
    lookup.endpoints.push_back(endpoint);
  }
  ::freeaddrinfo(list);
  return lookup;
}

Task<absl::StatusOr<std::vector<tcp::endpoint>>> Resolve(async::Loop* loop, Endpoint endpoint) {
  error_code not_an_address;
  const asio::ip::address address = asio::ip::make_address(endpoint.host, not_an_address);
  if (!not_an_address) co_return std::vector{tcp::endpoint(address, endpoint.port)};
  // An empty name would mean this machine.
  if (endpoint.host.empty()) co_return absl::UnavailableError("dial tcp: missing address");
  Lookup lookup = co_await loop->Blocking(
      [host = endpoint.host, port = endpoint.port] { return LookUp(host, port); });
  if (lookup.endpoints.empty())
    co_return absl::UnavailableError(StrCat("dial tcp: lookup ", endpoint.host, ": ",
                                            lookup.error.empty() ? "no such host" : lookup.error));
  co_return std::move(lookup.endpoints);
}

// Go's prober sets SO_LINGER to a second so that sockets of probes do not pile up, which lets
// close() block; here the kernel forgets a half-closed socket after a second instead.
void LimitLinger(tcp::socket& socket) {
  const int seconds = 1;
  ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_LINGER2, &seconds, sizeof(seconds));
}

// Tries the addresses in turn; the first one's failure is told.
Task<absl::StatusOr<tcp::socket>> Dial(async::Loop* loop, Endpoint endpoint) {
  absl::StatusOr<std::vector<tcp::endpoint>> endpoints = co_await Resolve(loop, endpoint);
  if (!endpoints.ok()) co_return endpoints.status();
  absl::Status first;
  for (const tcp::endpoint& address : *endpoints) {
    tcp::socket socket(loop->io());
    error_code error;
    socket.open(address.protocol(), error);
    if (!error) {
      LimitLinger(socket);
      auto [connected] = co_await socket.async_connect(address, kTuple);
      ThrowIfCancelled(connected);
      error = connected;
    }
    if (!error) co_return std::move(socket);
    if (first.ok())
      first = absl::UnavailableError(
          StrCat("dial tcp ", AddressText(address), ": connect: ", SystemText(error)));
  }
  co_return first;
}

template <typename Stream>
class StreamConnection final : public Connection {
 public:
  StreamConnection(Stream stream, std::string peers)
      : stream_(std::move(stream)), peers_(std::move(peers)) {}

  Task<absl::Status> Write(std::string data) override {
    auto [error, written] = co_await asio::async_write(stream_, asio::buffer(data), kTuple);
    ThrowIfCancelled(error);
    co_return error ? StreamError("write", peers_, error) : absl::OkStatus();
  }

  Task<absl::StatusOr<std::string>> Read() override {
    std::array<char, kReadBytes> buffer;
    auto [error, got] = co_await stream_.async_read_some(asio::buffer(buffer), kTuple);
    ThrowIfCancelled(error);
    if (error && !IsEnd(error)) co_return StreamError("read", peers_, error);
    co_return std::string(buffer.data(), got);
  }

  Stream& stream() { return stream_; }

 private:
  Stream stream_;
  const std::string peers_;
};

using TlsStream = asio::ssl::stream<tcp::socket>;

// Takes what Go's unverified client takes: TLS 1.2 and later, keys of any size. Made when first
// needed and not changed after; one for all, as making it costs more than a handshake.
asio::ssl::context& TlsContext() {
  static asio::ssl::context context = [] {
    asio::ssl::context made(asio::ssl::context::tls_client);
    SSL_CTX* native = made.native_handle();
    SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
    SSL_CTX_set_security_level(native, 0);
    SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(native, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_LEGACY_SERVER_CONNECT);
    SSL_CTX_set_verify(native, SSL_VERIFY_NONE, nullptr);
    return made;
  }();
  return context;
}

// Sets `arg`, a bool, when a received record begins as an HTTP response does.
void NoticeHttp(int sent, int, int type, const void* data, size_t size, SSL*, void* arg) {
  constexpr std::string_view kHttp = "HTTP/";
  if (sent == 0 && type == SSL3_RT_HEADER && size >= kHttp.size() &&
      std::memcmp(data, kHttp.data(), kHttp.size()) == 0)
    *static_cast<bool*>(arg) = true;
}

}  // namespace

Task<absl::StatusOr<std::unique_ptr<Connection>>> Connect(async::Loop* loop, Endpoint endpoint) {
  absl::StatusOr<tcp::socket> socket = co_await Dial(loop, std::move(endpoint));
  if (!socket.ok()) co_return socket.status();
  std::string peers = PeersOf(*socket);
  co_return std::make_unique<StreamConnection<tcp::socket>>(*std::move(socket), std::move(peers));
}

Task<absl::StatusOr<std::unique_ptr<Connection>>> ConnectTls(async::Loop* loop, Endpoint endpoint) {
  absl::StatusOr<tcp::socket> socket = co_await Dial(loop, endpoint);
  if (!socket.ok()) co_return socket.status();
  const std::string peers = PeersOf(*socket);
  auto connection = std::make_unique<StreamConnection<TlsStream>>(
      TlsStream(*std::move(socket), TlsContext()), peers);
  TlsStream& stream = connection->stream();
  bool http = false;
  SSL_set_msg_callback(stream.native_handle(), &NoticeHttp);
  SSL_set_msg_callback_arg(stream.native_handle(), &http);
  error_code not_an_address;
  asio::ip::make_address(endpoint.host, not_an_address);
  if (not_an_address) SSL_set_tlsext_host_name(stream.native_handle(), endpoint.host.c_str());
  auto [error] = co_await stream.async_handshake(TlsStream::client, kTuple);
  SSL_set_msg_callback(stream.native_handle(), nullptr);
  ThrowIfCancelled(error);
  if (http) co_return absl::UnavailableError("http: server gave HTTP response to HTTPS client");
  if (error) co_return StreamError("read", peers, error);
  co_return std::move(connection);
}

}  // namespace cubelet::probes
