#include "e2e/http_get.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "base/fd.h"
#include "base/status.h"
#include "base/strings.h"
#include "e2e/child_process.h"

namespace cubelet::e2e {
namespace {

namespace http = boost::beast::http;

constexpr uint64_t kMaxBody = 64 << 20;

absl::StatusOr<UniqueFd> Connect(const std::string& address, uint16_t port, absl::Duration limit) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return ErrnoError("make a socket");
  const timeval time = absl::ToTimeval(limit);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  if (::inet_pton(AF_INET, address.c_str(), &to.sin_addr) != 1)
    return absl::InvalidArgumentError(StrCat(GoQuote(address), " is no IPv4 address"));
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
    return ErrnoError(StrCat("connect to ", address, ":", port));
  return fd;
}

}  // namespace

absl::StatusOr<HttpAnswer> HttpGet(const std::string& address, uint16_t port,
                                   const std::string& path, absl::Duration limit) {
  const absl::Duration until = Uptime() + limit;
  ASSIGN_OR_RETURN(const UniqueFd fd, Connect(address, port, limit));
  const std::string request =
      StrCat("GET ", path, " HTTP/1.1\r\nHost: ", address, "\r\nConnection: close\r\n\r\n");
  if (::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size()))
    return ErrnoError("send a request");
  http::response_parser<http::string_body> parser;
  parser.body_limit(kMaxBody);
  parser.eager(true);
  std::string buffer;
  char chunk[16384];
  while (!parser.is_done()) {
    const ssize_t n = ::recv(fd.get(), chunk, sizeof chunk, 0);
    if (n < 0) return ErrnoError(StrCat("read the answer to GET ", path));
    if (Uptime() > until) return absl::DeadlineExceededError(StrCat("GET ", path, " is too slow"));
    boost::system::error_code error;
    if (n == 0) {
      parser.put_eof(error);
      if (error || !parser.is_done())
        return absl::UnavailableError(StrCat("GET ", path, ": the answer ended early"));
      break;
    }
    buffer.append(chunk, static_cast<size_t>(n));
    buffer.erase(0, parser.put(boost::asio::buffer(buffer), error));
    if (error && error != http::error::need_more)
      return absl::InternalError(StrCat("GET ", path, ": ", error.message()));
  }
  auto response = parser.release();
  return HttpAnswer{static_cast<int>(response.result_int()), std::move(response.body())};
}

}  // namespace cubelet::e2e
