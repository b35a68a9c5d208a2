// How the server is set up: the parts of KubeletConfiguration and of the flags that concern it, as
// plain values, named as there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "certs/self_signed.h"

namespace cubelet::server {

// Bounds that hold for each listening socket by itself. A client that sends or takes nothing for
// the time given is cut off; no more than `max_connections` x (`header_bytes` + `body_bytes`) is
// ever held for clients that are still sending.
struct Limits {
  size_t max_connections = 128;
  size_t header_bytes = 128 << 10;  // the longest argument list of an exec is a header line, too
  size_t body_bytes = 64 << 10;
  absl::Duration request_timeout = absl::Seconds(30);  // handshake; and the rest of a request begun
  absl::Duration idle_timeout = absl::Seconds(90);     // between two requests
  absl::Duration write_stall = absl::Seconds(30);
  absl::Duration stream_stall = absl::Hours(4);  // of a stream: somebody has paused `kubectl logs`
};

struct Options {
  std::string node_name;

  // nullopt: not opened. Port 0 lets the kernel choose (tests).
  std::string address = "0.0.0.0";
  std::optional<uint16_t> port;
  std::optional<uint16_t> read_only_port;
  std::string healthz_bind_address = "127.0.0.1";
  std::optional<uint16_t> healthz_port;
  std::string status_socket;  // status_socket.h; "": none

  // authentication.* and authorization.mode
  bool anonymous_enabled = false;
  bool webhook_authentication_enabled = true;
  std::string authorization_mode = "Webhook";
  std::string client_ca_file;

  // tls*, serverTLSBootstrap, --cert-dir
  std::string tls_cert_file;
  std::string tls_private_key_file;
  std::string tls_min_version;
  std::vector<std::string> tls_cipher_suites;
  std::vector<int32_t> tls_curve_preferences;
  bool server_tls_bootstrap = false;
  std::string cert_dir;
  certs::ServingNames serving_names;

  // enable*Handler(s)
  bool enable_debugging_handlers = true;
  bool enable_system_log_handler = true;
  bool enable_profiling_handler = true;
  bool enable_debug_flags_handler = true;

  // A stream into a container is cut off after this long without a byte; zero: never.
  absl::Duration streaming_connection_idle_timeout = absl::Hours(4);

  std::string system_log_directory = "/var/log";  // what /logs/ shows
  bool pod_logs_query_split_streams = false;      // the feature gate of that name

  Limits limits;
};

// That authorization.mode is one of the two there are. Pure.
absl::Status CheckMode(const Options& options);

// What of `options` cannot work without an API server: the error names the field and says what a
// standalone configuration has to say instead. OK when the main port is not opened. Pure.
absl::Status CheckStandalone(const Options& options);

}  // namespace cubelet::server
