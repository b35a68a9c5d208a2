#include "server/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "base/status.h"
#include "base/strings.h"
#include "os/files.h"

namespace cubelet::server {
namespace {

constexpr int kBacklog = 128;

struct TcpAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

absl::StatusOr<TcpAddress> ParseTcp(const std::string& address, uint16_t port) {
  TcpAddress parsed;
  auto* const v4 = reinterpret_cast<sockaddr_in*>(&parsed.storage);
  auto* const v6 = reinterpret_cast<sockaddr_in6*>(&parsed.storage);
  if (inet_pton(AF_INET, address.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    parsed.size = sizeof *v4;
  } else if (inet_pton(AF_INET6, address.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    parsed.size = sizeof *v6;
  } else {
    return absl::InvalidArgumentError(StrCat(GoQuote(address), " is not an IP address"));
  }
  return parsed;
}

uint16_t PortOf(int fd) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return 0;
  return bound.ss_family == AF_INET6 ? ntohs(reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port)
                                     : ntohs(reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
}

absl::StatusOr<sockaddr_un> UnixAddress(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return absl::InvalidArgumentError(StrCat("socket path ", path, " is longer than ",
                                             sizeof address.sun_path - 1, " characters"));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

}  // namespace

absl::StatusOr<ListeningSocket> ListenTcp(const std::string& address, uint16_t port) {
  const std::string where =
      StrCat("listen on ", address.find(':') == std::string::npos ? address : "[" + address + "]",
             ":", port);
  absl::StatusOr<TcpAddress> parsed = ParseTcp(address, port);
  if (!parsed.ok()) return Annotate(parsed.status(), where);
  const int family = parsed->storage.ss_family;
  UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1, off = 0;
  if (!fd.valid() || ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      (family == AF_INET6 &&
       ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) != 0) ||
      ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&parsed->storage), parsed->size) != 0 ||
      ::listen(fd.get(), kBacklog) != 0) {
    return ErrnoError(where);
  }
  const uint16_t bound = PortOf(fd.get());
  return ListeningSocket{std::move(fd), family, bound};
}

absl::StatusOr<ListeningSocket> ListenUnix(const std::string& path) {
  if (ConnectUnix(path).ok()) {
    return absl::AlreadyExistsError(
        StrCat("listen on ", path, ": another process is listening there"));
  }
  RETURN_IF_ERROR(os::MakeDirectories(os::DirectoryOf(path), 0755));
  // Under another name until its mode is right, then renamed over whatever a dead process has left.
  const std::string temporary = StrCat(path, ".", ::getpid());
  ASSIGN_OR_RETURN(const sockaddr_un address, UnixAddress(temporary));
  RETURN_IF_ERROR(os::RemoveFile(temporary));
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid() ||
      ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::chmod(temporary.c_str(), 0600) != 0 || ::listen(fd.get(), kBacklog) != 0 ||
      ::rename(temporary.c_str(), path.c_str()) != 0) {
    absl::Status status = ErrnoError(StrCat("listen on ", path));
    ::unlink(temporary.c_str());
    return status;
  }
  return ListeningSocket{std::move(fd), AF_UNIX, 0};
}

absl::StatusOr<UniqueFd> ConnectUnix(const std::string& path) {
  ASSIGN_OR_RETURN(const sockaddr_un address, UnixAddress(path));
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid() ||
      ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return ErrnoError(StrCat("connect to ", path));
  }
  return fd;
}

}  // namespace cubelet::server
