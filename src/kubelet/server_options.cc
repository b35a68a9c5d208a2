#include "kubelet/server_options.h"

#include "server/status_socket.h"

namespace cubelet::kubelet {

server::Options MakeServerOptions(const config::Config& config, const Machine& machine) {
  const config::KubeletConfiguration& kubelet = config.kubelet;
  server::Options options;
  options.node_name = machine.node_name;
  if (!kubelet.address().empty()) options.address = kubelet.address();
  if (kubelet.enableserver()) {
    options.port = static_cast<uint16_t>(kubelet.port());
    if (kubelet.readonlyport() > 0)
      options.read_only_port = static_cast<uint16_t>(kubelet.readonlyport());
  }
  if (!kubelet.healthzbindaddress().empty())
    options.healthz_bind_address = kubelet.healthzbindaddress();
  if (kubelet.healthzport() > 0)
    options.healthz_port = static_cast<uint16_t>(kubelet.healthzport());
  options.status_socket = server::StatusSocketPath("");

  options.anonymous_enabled = kubelet.authentication().anonymous().enabled();
  options.webhook_authentication_enabled = kubelet.authentication().webhook().enabled();
  options.authorization_mode = kubelet.authorization().mode();
  options.client_ca_file = kubelet.authentication().x509().clientcafile();

  options.tls_cert_file = kubelet.tlscertfile();
  options.tls_private_key_file = kubelet.tlsprivatekeyfile();
  options.tls_min_version = kubelet.tlsminversion();
  options.tls_cipher_suites = {kubelet.tlsciphersuites().begin(), kubelet.tlsciphersuites().end()};
  options.tls_curve_preferences = {kubelet.tlscurvepreferences().begin(),
                                   kubelet.tlscurvepreferences().end()};
  options.server_tls_bootstrap = kubelet.servertlsbootstrap();
  options.cert_dir = config.flags.cert_dir;
  options.serving_names.host = machine.node_name;
  options.serving_names.ips = machine.node_ips;

  options.streaming_connection_idle_timeout =
      config::ToDuration(kubelet.streamingconnectionidletimeout());
  options.pod_logs_query_split_streams = config.gates.Enabled("PodLogsQuerySplitStreams");

  options.enable_debugging_handlers = kubelet.enabledebugginghandlers();
  options.enable_system_log_handler = kubelet.enablesystemloghandler();
  options.enable_profiling_handler = kubelet.enableprofilinghandler();
  options.enable_debug_flags_handler = kubelet.enabledebugflagshandler();
  return options;
}

}  // namespace cubelet::kubelet
