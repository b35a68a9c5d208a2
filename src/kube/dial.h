// Connecting to an API server: name, TCP, proxy, TLS, and the promise of HTTP/2.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "async/loop.h"
#include "async/task.h"
#include "kube/kubeconfig.h"
#include "kube/server_address.h"

namespace cubelet::kube {

struct TlsStream;

struct DialTarget {
  ServerAddress server;
  std::string proxy_url;  // "" for none
  PemSource authority;    // empty: the system's
  bool insecure = false;
  std::string tls_server_name;
  PemSource certificate;  // to show, if not empty
  PemSource key;
};

// Go's times.
inline constexpr absl::Duration kConnectTimeout = absl::Seconds(30);
inline constexpr absl::Duration kHandshakeTimeout = absl::Seconds(10);

// Connects and shakes hands; files of certificates are read anew. Errors: "connect to 10.0.0.1 port
// 6443: Connection refused", "look up api: ...", "TLS handshake: certificate verify failed: unable
// to get local issuer certificate", a certificate that cannot be read, a server that does not speak
// HTTP/2.
async::Task<absl::StatusOr<std::unique_ptr<TlsStream>>> Dial(async::Loop* loop, DialTarget target);

}  // namespace cubelet::kube
