#include "server/status_client.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <string_view>

#include "base/fd.h"
#include "base/status.h"
#include "base/strings.h"
#include "server/socket.h"

namespace cubelet::server {
namespace {

namespace http = boost::beast::http;

constexpr std::string_view kRequest =
    "GET /cubelet/status HTTP/1.1\r\nHost: kubelet\r\nConnection: close\r\n\r\n";
constexpr uint64_t kMaxBody = 64 << 20;

absl::Status SetTimeout(int fd, absl::Duration timeout) {
  const timeval limit = absl::ToTimeval(timeout);
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0 ||
      ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0) {
    return ErrnoError("set a timeout on the status socket");
  }
  return absl::OkStatus();
}

absl::Status Send(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (n <= 0) return ErrnoError("ask the kubelet");
    text.remove_prefix(static_cast<size_t>(n));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> FetchStatus(const std::string& socket, absl::Duration timeout) {
  ASSIGN_OR_RETURN(const UniqueFd fd, ConnectUnix(socket));
  RETURN_IF_ERROR(SetTimeout(fd.get(), timeout));
  RETURN_IF_ERROR(Send(fd.get(), kRequest));
  http::response_parser<http::string_body> parser;
  parser.body_limit(kMaxBody);
  parser.eager(true);
  std::string buffer;
  char chunk[16384];
  while (!parser.is_done()) {
    const ssize_t n = ::read(fd.get(), chunk, sizeof chunk);
    if (n < 0) return ErrnoError("read the kubelet's answer");
    if (n == 0)
      return absl::UnavailableError("the kubelet closed the connection without an answer");
    buffer.append(chunk, static_cast<size_t>(n));
    boost::system::error_code error;
    buffer.erase(0, parser.put(boost::asio::buffer(buffer), error));
    if (error && error != http::error::need_more)
      return absl::InternalError(StrCat("read the kubelet's answer: ", error.message()));
  }
  auto response = parser.release();
  if (response.result_int() != 200) {
    return absl::InternalError(
        StrCat("the kubelet answered ", response.result_int(), ": ", response.body()));
  }
  return std::move(response.body());
}

}  // namespace cubelet::server
