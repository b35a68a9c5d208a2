// Addresses of API servers and proxies. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace cubelet::kube {

struct ServerAddress {
  std::string host;  // IPv6 without brackets
  uint16_t port = 0;
  std::string path;       // before the path of every request: "" or "/clusters/a"
  std::string user_info;  // "user:password", escapes resolved

  // "10.0.0.1:6443", "[fd00::1]"; the port only where it is not 443.
  std::string Authority() const;
  // The same, always with the port.
  std::string HostPort() const;
};

// An API server: "https://host[:port][/path]", or without a scheme, which means https. Error: also
// for http, which no API server has served since Kubernetes 1.20.
absl::StatusOr<ServerAddress> ParseServerAddress(std::string_view text);

// A proxy: "http://[user:password@]host[:port]". Error: also for the kinds that are not spoken
// (https, socks5); no message repeats a password.
absl::StatusOr<ServerAddress> ParseProxyAddress(std::string_view text);

// HTTPS_PROXY and NO_PROXY (or in lower case), as Go's programs understand them.
struct ProxyEnvironment {
  std::string https_proxy;
  std::string no_proxy;  // "10.0.0.0/8,.example.com,host:8443,*"

  static ProxyEnvironment OfProcess();
};

// The proxy's address for a server; "" for none. "localhost" and loopback addresses never go
// through one.
std::string ProxyFor(const ServerAddress& server, const ProxyEnvironment& environment);

}  // namespace cubelet::kube
