#include "sources/fetch.h"

#include <netdb.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <memory>
#include <optional>
#include <tuple>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "async/timeout.h"
#include "base/status.h"
#include "base/strings.h"
#include "sources/url.h"

namespace cubelet::sources {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;

constexpr int kMaxRedirects = 10;
constexpr uint32_t kMaxHeaderBytes = 64 << 10;
constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);

using Headers = std::vector<std::pair<std::string, std::string>>;

// A cancelled operation ends the task, as everything that suspends does.
absl::Status ToStatus(const boost::system::error_code& error, std::string_view what) {
  if (!error) return absl::OkStatus();
  if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
  return absl::UnavailableError(StrCat(what, ": ", error.message()));
}

absl::StatusOr<std::vector<tcp::endpoint>> Resolve(const std::string& host, uint16_t port) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (error != 0)
    return absl::UnavailableError(StrCat("look up ", host, ": ", ::gai_strerror(error)));
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

async::Task<absl::StatusOr<std::vector<tcp::endpoint>>> EndpointsOf(async::Loop* loop, Url url) {
  boost::system::error_code not_literal;
  const auto address = asio::ip::make_address(url.host, not_literal);
  if (!not_literal) co_return std::vector<tcp::endpoint>{tcp::endpoint(address, url.port)};
  auto resolve = [host = url.host, port = url.port] { return Resolve(host, port); };
  co_return co_await loop->Blocking(std::move(resolve));
}

async::Task<absl::Status> Connect(async::Loop* loop, tcp::socket* socket, Url url) {
  auto endpoints = co_await EndpointsOf(loop, url);
  if (!endpoints.ok()) co_return endpoints.status();
  absl::Status last = absl::UnavailableError(StrCat("look up ", url.host, ": no address"));
  for (const tcp::endpoint& endpoint : *endpoints) {
    boost::system::error_code error;
    socket->close(error);
    std::tie(error) = co_await socket->async_connect(endpoint, kAsTuple);
    last = ToStatus(
        error, StrCat("connect to ", endpoint.address().to_string(), " port ", endpoint.port()));
    if (last.ok()) co_return last;
  }
  co_return last;
}

using Request = http::request<http::empty_body>;

Request MakeRequest(const Url& url, const Headers& headers) {
  Request request(http::verb::get, url.target, 11);
  request.set(http::field::host, HostHeader(url));
  request.set(http::field::user_agent, "kubelet");
  request.set(http::field::accept, "*/*");
  request.set(http::field::connection, "close");
  if (!url.user_info.empty())
    request.set(http::field::authorization,
                "Basic " + absl::Base64Escape(ToAbsl(PercentDecode(url.user_info))));
  std::vector<std::string> own;
  for (const auto& [name, value] : headers) {
    // The first of a name replaces ours, further ones are added.
    const std::string lower = absl::AsciiStrToLower(name);
    if (std::find(own.begin(), own.end(), lower) == own.end()) {
      request.set(name, value);
      own.push_back(lower);
    } else {
      request.insert(name, value);
    }
  }
  return request;
}

struct Answer {
  FetchResponse response;
  std::string location;
};

template <typename Stream>
async::Task<absl::StatusOr<Answer>> Exchange(Stream* stream, Request request, size_t max_body) {
  boost::system::error_code error;
  size_t bytes = 0;
  std::tie(error, bytes) = co_await http::async_write(*stream, request, kAsTuple);
  CO_RETURN_IF_ERROR(ToStatus(error, "send request"));
  http::response_parser<http::string_body> parser;
  parser.header_limit(kMaxHeaderBytes);
  parser.body_limit(max_body);
  boost::beast::flat_buffer buffer(kMaxHeaderBytes * 2);
  std::tie(error, bytes) = co_await http::async_read(*stream, buffer, parser, kAsTuple);
  if (error == http::error::body_limit)
    co_return absl::ResourceExhaustedError(
        StrCat("the answer is larger than ", max_body, " bytes"));
  CO_RETURN_IF_ERROR(ToStatus(error, "read answer"));
  Answer answer;
  answer.response.status = static_cast<int>(parser.get().result_int());
  answer.response.reason = std::string(parser.get().reason());
  answer.location = std::string(parser.get()[http::field::location]);
  answer.response.body = std::move(parser.get().body());
  co_return answer;
}

absl::StatusOr<std::unique_ptr<ssl::context>> MakeTlsContext(const std::string& ca_file) {
  auto context = std::make_unique<ssl::context>(ssl::context::tls_client);
  boost::system::error_code error;
  ::SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  context->set_verify_mode(ssl::verify_peer, error);
  if (ca_file.empty()) {
    context->set_default_verify_paths(error);
  } else {
    context->load_verify_file(ca_file, error);
  }
  if (error)
    return absl::InvalidArgumentError(StrCat("load certificate authorities ",
                                             ca_file.empty() ? "of the system" : ca_file, ": ",
                                             error.message()));
  return context;
}

// What OpenSSL says of a certificate is more than "certificate verify failed".
std::string HandshakeError(SSL* session, const boost::system::error_code& error) {
  const long verdict = ::SSL_get_verify_result(session);
  if (verdict == X509_V_OK) return error.message();
  return StrCat(error.message(), ": ", ::X509_verify_cert_error_string(verdict));
}

async::Task<absl::StatusOr<Answer>> ExchangeTls(tcp::socket socket, Url url, Request request,
                                                std::string ca_file, size_t max_body) {
  auto context = MakeTlsContext(ca_file);
  if (!context.ok()) co_return context.status();
  ssl::stream<tcp::socket> stream(std::move(socket), **context);
  boost::system::error_code error;
  const bool is_name = (asio::ip::make_address(url.host, error), error.failed());
  error = {};
  if (is_name) ::SSL_set_tlsext_host_name(stream.native_handle(), url.host.c_str());
  stream.set_verify_callback(ssl::host_name_verification(url.host), error);
  CO_RETURN_IF_ERROR(ToStatus(error, "set up TLS"));
  std::tie(error) = co_await stream.async_handshake(ssl::stream_base::client, kAsTuple);
  if (error && error != asio::error::operation_aborted)
    co_return absl::UnavailableError(
        StrCat("TLS handshake: ", HandshakeError(stream.native_handle(), error)));
  CO_RETURN_IF_ERROR(ToStatus(error, "TLS handshake"));
  co_return co_await Exchange(&stream, std::move(request), max_body);
}

async::Task<absl::StatusOr<Answer>> FetchOnce(async::Loop* loop, Url url, Headers headers,
                                              std::string ca_file, size_t max_body) {
  tcp::socket socket(loop->io());
  CO_RETURN_IF_ERROR(co_await Connect(loop, &socket, url));
  Request request = MakeRequest(url, headers);
  if (url.scheme == "https") {
    co_return co_await ExchangeTls(std::move(socket), url, std::move(request), ca_file, max_body);
  }
  co_return co_await Exchange(&socket, std::move(request), max_body);
}

bool IsRedirect(const Answer& answer) {
  const int status = answer.response.status;
  const bool moved =
      status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
  return moved && !answer.location.empty();
}

// Credentials stay with the host they were given for.
Headers HeadersFor(const Headers& headers, const Url& from, const Url& to) {
  if (from.host == to.host) return headers;
  Headers kept;
  for (const auto& header : headers) {
    const absl::string_view name = header.first;
    if (!absl::EqualsIgnoreCase(name, "Authorization") &&
        !absl::EqualsIgnoreCase(name, "WWW-Authenticate") &&
        !absl::EqualsIgnoreCase(name, "Cookie") && !absl::EqualsIgnoreCase(name, "Cookie2"))
      kept.push_back(header);
  }
  return kept;
}

async::Task<absl::StatusOr<FetchResponse>> FetchFollowing(async::Loop* loop, FetchRequest request) {
  absl::StatusOr<Url> url = ParseUrl(request.url);
  if (!url.ok()) co_return url.status();
  Headers headers = request.headers;
  for (int redirects = 0; redirects <= kMaxRedirects; ++redirects) {
    auto answer = co_await FetchOnce(loop, *url, headers, request.ca_file, request.max_body_bytes);
    if (!answer.ok()) co_return answer.status();
    if (!IsRedirect(*answer)) co_return std::move(answer->response);
    absl::StatusOr<Url> next = ResolveReference(*url, answer->location);
    if (!next.ok()) co_return next.status();
    if (url->scheme == "https" && next->scheme != "https")
      co_return absl::FailedPreconditionError("redirected from https to http");
    headers = HeadersFor(headers, *url, *next);
    url = std::move(next);
  }
  co_return absl::FailedPreconditionError(StrCat("stopped after ", kMaxRedirects, " redirects"));
}

absl::Status CheckHeaders(const Headers& headers) {
  for (const auto& [name, value] : headers) {
    const auto is_token = [](char c) {
      return absl::ascii_isalnum(c) ||
             std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
    };
    const auto breaks = [](char c) { return absl::ascii_iscntrl(c) && c != '\t'; };
    if (name.empty() || !std::all_of(name.begin(), name.end(), is_token) ||
        std::any_of(value.begin(), value.end(), breaks))
      return absl::InvalidArgumentError(
          StrCat("header ", GoQuote(name), ": not a valid name and value"));
  }
  return absl::OkStatus();
}

}  // namespace

async::Task<absl::StatusOr<FetchResponse>> Fetch(async::Loop* loop, FetchRequest request) {
  const std::string what = StrCat("Get \"", RedactUrl(request.url), "\"");
  if (absl::Status valid = CheckHeaders(request.headers); !valid.ok())
    co_return Annotate(valid, what);
  const absl::Duration timeout = request.timeout;
  absl::StatusOr<FetchResponse> response =
      co_await async::WithTimeout(*loop, FetchFollowing(loop, std::move(request)), timeout, what);
  if (!response.ok() && !absl::IsDeadlineExceeded(response.status()))
    co_return Annotate(response.status(), what);
  co_return response;
}

}  // namespace cubelet::sources
