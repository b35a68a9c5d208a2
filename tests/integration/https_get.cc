#include "integration/https_get.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "base/fd.h"
#include "base/status.h"
#include "base/strings.h"

namespace cubelet::integration {
namespace {

namespace http = boost::beast::http;
using SslPtr = std::unique_ptr<SSL, certs::OpenSslDeleter<SSL_free>>;

constexpr size_t kMaxAnswer = 16 << 20;

absl::StatusOr<UniqueFd> Connect(uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return ErrnoError("make a socket");
  const timeval time{.tv_sec = 5};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
    return ErrnoError(StrCat("connect to port ", port));
  return fd;
}

absl::StatusOr<certs::SslContextPtr> MakeContext(const TlsClient& client) {
  certs::SslContextPtr context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  if (SSL_CTX_load_verify_locations(context.get(), client.ca_file.c_str(), nullptr) != 1)
    return certs::OpenSslError(StrCat("read ", client.ca_file));
  if (client.identity != nullptr &&
      (SSL_CTX_use_certificate(context.get(), client.identity->certificate.get()) != 1 ||
       SSL_CTX_use_PrivateKey(context.get(), client.identity->key.get()) != 1))
    return certs::OpenSslError("use the client's certificate");
  return context;
}

absl::StatusOr<std::string> Exchange(SSL* ssl, const std::string& request) {
  if (SSL_connect(ssl) != 1) return certs::OpenSslError("shake hands");
  if (SSL_write(ssl, request.data(), static_cast<int>(request.size())) <= 0)
    return certs::OpenSslError("send the request");
  std::string answer;
  char chunk[16384];
  while (answer.size() < kMaxAnswer) {
    const int n = SSL_read(ssl, chunk, sizeof chunk);
    if (n > 0) {
      answer.append(chunk, static_cast<size_t>(n));
      continue;
    }
    if (SSL_get_error(ssl, n) == SSL_ERROR_ZERO_RETURN || !answer.empty()) return answer;
    return certs::OpenSslError("read the answer");
  }
  return absl::ResourceExhaustedError("the answer is too long");
}

}  // namespace

absl::StatusOr<e2e::HttpAnswer> HttpsGet(const TlsClient& client, uint16_t port,
                                         const std::string& path) {
  ASSIGN_OR_RETURN(const certs::SslContextPtr context, MakeContext(client));
  ASSIGN_OR_RETURN(const UniqueFd fd, Connect(port));
  const SslPtr ssl(SSL_new(context.get()));
  SSL_set_fd(ssl.get(), fd.get());
  ASSIGN_OR_RETURN(
      const std::string text,
      Exchange(ssl.get(),
               StrCat("GET ", path, " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")));
  http::response_parser<http::string_body> parser;
  parser.body_limit(kMaxAnswer);
  parser.eager(true);
  boost::system::error_code error;
  parser.put(boost::asio::buffer(text), error);
  if (!error && !parser.is_done()) parser.put_eof(error);
  if (error || !parser.is_done())
    return absl::UnavailableError(StrCat("GET ", path, ": no complete answer: ", error.message()));
  auto response = parser.release();
  return e2e::HttpAnswer{static_cast<int>(response.result_int()), std::move(response.body())};
}

}  // namespace cubelet::integration
