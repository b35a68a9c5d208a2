#include "server/server.h"

#include <unistd.h>

#include <boost/asio/ssl/context.hpp>

#include "base/check.h"
#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"
#include "certs/certificate_store.h"
#include "server/socket.h"

namespace cubelet::server {
namespace {

constexpr absl::Duration kHealthzRetry = absl::Seconds(5);

// Tells of a certificate file that changed into something unusable.
certs::ReloadProblem Report(Metrics& metrics) {
  return [&metrics](const std::string& file, const absl::Status& why) {
    metrics.Count("cubelet_certificate_reload_errors_total", {file});
    LOG_ERROR(why, "A changed certificate file cannot be used, what it held before stays in use",
              {{"file", file}});
  };
}

absl::StatusOr<std::unique_ptr<certs::ServerTls>> MakeTls(const Options& options,
                                                          const Clock& clock, Metrics& metrics) {
  certs::ServerTlsOptions tls;
  tls.certificate_file = options.tls_cert_file;
  tls.key_file = options.tls_private_key_file;
  if (options.server_tls_bootstrap) {
    const certs::CertificateStore store(options.cert_dir, certs::kServingPrefix);
    tls.certificate_file = tls.key_file = store.CurrentPath();
    tls.awaited = true;
  }
  tls.self_signed_directory = options.cert_dir;
  tls.names = options.serving_names;
  tls.problem = Report(metrics);
  ASSIGN_OR_RETURN(tls.settings,
                   certs::ParseTlsSettings(options.tls_min_version, options.tls_cipher_suites,
                                           options.tls_curve_preferences));
  for (const std::string& warning : tls.settings.warnings) LOG_WARNING(warning);
  ASSIGN_OR_RETURN(std::unique_ptr<certs::ServerTls> made,
                   certs::ServerTls::Create(std::move(tls), clock));
  if (!made->made().empty()) {
    LOG_INFO("Made a self-signed serving certificate",
             {{"directory", options.cert_dir}, {"reason", made->made()}});
  }
  return made;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Create(async::Loop& loop, Options options,
                                                       Backend backend, Metrics& metrics,
                                                       Reviews* reviews) {
  CHECK(backend.pods && backend.running_pods && backend.configz && backend.status);
  CHECK(backend.find_pod && backend.find_container && backend.running_container);
  CHECK(backend.ready_sandbox && backend.open_stream && backend.run_command);
  RETURN_IF_ERROR(reviews == nullptr ? CheckStandalone(options) : CheckMode(options));
  TokenReviewer tokens;
  Authorizer authorizer;
  if (reviews != nullptr && options.webhook_authentication_enabled) tokens = reviews->tokens();
  if (reviews != nullptr && options.authorization_mode == "Webhook")
    authorizer = reviews->authorizer();
  std::unique_ptr<certs::ServerTls> tls;
  std::unique_ptr<certs::ClientCa> ca;
  if (options.port) {
    ASSIGN_OR_RETURN(tls, MakeTls(options, loop.clock(), metrics));
    if (!options.client_ca_file.empty()) {
      ASSIGN_OR_RETURN(ca, certs::ClientCa::Load(options.client_ca_file, Report(metrics)));
    }
  }
  Authenticator authenticator(std::move(ca), std::move(tokens), options.anonymous_enabled);
  return std::unique_ptr<Server>(new Server(loop, std::move(options), std::move(backend), metrics,
                                            std::move(tls), std::move(authenticator),
                                            std::move(authorizer)));
}

Server::Server(async::Loop& loop, Options options, Backend backend, Metrics& metrics,
               std::unique_ptr<certs::ServerTls> tls, Authenticator authenticator,
               Authorizer authorizer)
    : loop_(loop),
      options_(std::move(options)),
      backend_(std::move(backend)),
      metrics_(metrics),
      tls_(std::move(tls)),
      handler_({loop_, metrics_, backend_, options_}, std::move(authenticator),
               std::move(authorizer)),
      main_(loop, metrics, handler_, "main", Port::kMain, options_.limits,
            [this] { return tls_->ForHandshake(); }),
      read_only_(loop, metrics, handler_, "readonly", Port::kReadOnly, options_.limits, nullptr),
      healthz_(loop, metrics, handler_, "healthz", Port::kHealthz, options_.limits, nullptr),
      status_(loop, metrics, handler_, "status", Port::kStatus, options_.limits, nullptr),
      scope_(loop, "server") {}

Server::~Server() = default;

absl::Status Server::Start() {
  // Both are opened before anything runs, so that after an error nothing has to be stopped.
  std::optional<ListeningSocket> main, read_only;
  if (options_.port) {
    ASSIGN_OR_RETURN(main, ListenTcp(options_.address, *options_.port));
  }
  if (options_.read_only_port) {
    ASSIGN_OR_RETURN(read_only, ListenTcp(options_.address, *options_.read_only_port));
  }
  if (main) {
    main_.Start(scope_, *std::move(main));
    LOG_INFO("Started to listen", {{"address", options_.address}, {"port", main_.port()}});
    WarnOfOpenDoors();
    ShowCertificateLife();
  }
  if (read_only) {
    read_only_.Start(scope_, *std::move(read_only));
    LOG_INFO("Started to listen read-only",
             {{"address", options_.address}, {"port", read_only_.port()}});
  }
  if (options_.healthz_port) scope_.Spawn("open healthz", KeepHealthzOpen(*options_.healthz_port));
  if (!options_.status_socket.empty()) OpenStatusSocket();
  return absl::OkStatus();
}

void Server::ShowCertificateLife() {
  // Scrapes may go on after this server has ended.
  metrics_.OnScrape([loop = &loop_, metrics = &metrics_, weak = std::weak_ptr(tls_)] {
    const std::shared_ptr<certs::ServerTls> tls = weak.lock();
    if (tls == nullptr) return;
    metrics->SetGauge("cubelet_certificate_ttl_seconds", {"serving"},
                      absl::ToDoubleSeconds(tls->expires() - loop->Now()));
  });
}

async::Task<void> Server::KeepHealthzOpen(uint16_t port) {
  bool told = false;
  while (true) {
    absl::StatusOr<ListeningSocket> socket = ListenTcp(options_.healthz_bind_address, port);
    if (socket.ok()) {
      healthz_.Start(scope_, *std::move(socket));
      if (told) LOG_INFO("Started to listen for healthz");
      co_return;
    }
    if (!told) LOG_ERROR(socket.status(), "Failed to start healthz server, trying every 5s");
    told = true;
    metrics_.Count("cubelet_retries_total", {"listen_healthz"});
    co_await loop_.Sleep(kHealthzRetry);
  }
}

void Server::OpenStatusSocket() {
  absl::StatusOr<ListeningSocket> socket = ListenUnix(options_.status_socket);
  if (socket.ok()) {
    status_.Start(scope_, *std::move(socket));
  } else {
    LOG_INFO("kubelet status will not reach this kubelet", {{"reason", Message(socket.status())}});
  }
}

void Server::WarnOfOpenDoors() const {
  if (!options_.anonymous_enabled || options_.authorization_mode != "AlwaysAllow") return;
  LOG_WARNING(
      "Anybody who reaches this port may do everything: anonymous requests are on and "
      "nothing is checked",
      {{"port", main_.port()},
       {"field", "authentication.anonymous.enabled"},
       {"authorization", options_.authorization_mode}});
}

size_t Server::connections() const {
  return main_.connections() + read_only_.connections() + healthz_.connections() +
         status_.connections();
}

async::Task<void> Server::Stop() {
  for (Listener* listener : {&main_, &read_only_, &healthz_, &status_}) listener->Close();
  if (!options_.status_socket.empty() && status_.open()) ::unlink(options_.status_socket.c_str());
  co_await scope_.Close();
}

}  // namespace cubelet::server
