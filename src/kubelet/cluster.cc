#include "kubelet/cluster.h"

#include <optional>
#include <utility>

#include "base/log.h"
#include "base/status.h"
#include "certs/signing_request.h"
#include "kubelet/serving_subject.h"

namespace cubelet::kubelet {

namespace {

using async::Task;
using config::ToDuration;

IdentityOptions IdentityOptionsOf(const config::Config& config) {
  IdentityOptions options;
  options.kubeconfig = config.flags.kubeconfig;
  options.bootstrap_kubeconfig = config.flags.bootstrap_kubeconfig;
  options.cert_dir = config.flags.cert_dir;
  options.rotate = config.kubelet.rotatecertificates();
  return options;
}

}  // namespace

Cluster::Cluster(async::Loop& loop, const config::Config& config)
    : loop_(loop), config_(config), identity_options_(IdentityOptionsOf(config)) {}

absl::StatusOr<std::unique_ptr<Cluster>> Cluster::Create(async::Loop& loop,
                                                         const config::Config& config,
                                                         const std::string& node_name,
                                                         Metrics& metrics) {
  std::unique_ptr<Cluster> cluster(new Cluster(loop, config));
  ASSIGN_OR_RETURN(ClientIdentity identity,
                   FindClientIdentity(cluster->identity_options_, loop.Now()));
  RETURN_IF_ERROR(cluster->MakeClients(std::move(identity), node_name, metrics));
  server::ReviewTimes times;
  const auto& authentication = config.kubelet.authentication().webhook();
  const auto& authorization = config.kubelet.authorization().webhook();
  times.token = ToDuration(authentication.cachettl());
  times.authorized = ToDuration(authorization.cacheauthorizedttl());
  times.unauthorized = ToDuration(authorization.cacheunauthorizedttl());
  cluster->reviews_ =
      std::make_unique<server::Reviews>(loop, cluster->client_.get(), node_name, times);
  LOG_INFO("API server", {{"server", cluster->server_}});
  return cluster;
}

absl::Status Cluster::MakeClients(ClientIdentity identity, const std::string& node_name,
                                  Metrics& metrics) {
  kube::ApiClientOptions options;
  options.metrics = &metrics;
  options.access = std::move(identity.access);
  server_ = options.access.server;
  if (identity.managed) {
    kube::ApiClientOptions asking = options;
    asking.access = identity.requester;
    ASSIGN_OR_RETURN(requester_, kube::ApiClient::Make(loop_, std::move(asking)));
    IssuedCertificateOptions client;
    client.directory = identity_options_.cert_dir;
    client.rotate = identity_options_.rotate;
    client.bootstrap = !identity_options_.bootstrap_kubeconfig.empty();
    certificate_ = std::make_unique<IssuedCertificate>(loop_, std::move(client), metrics);
    certificate_->SetWanted(certs::NodeSubject(node_name));
    RETURN_IF_ERROR(certificate_->Read());
    options.before_connect = [certificate = certificate_.get()] { return certificate->Ready(); };
  }
  options.qps = config_.kubelet.kubeapiqps();
  options.burst = config_.kubelet.kubeapiburst();
  kube::ApiClientOptions heartbeats = options;
  heartbeats.qps = -1;
  kube::ApiClientOptions events = options;
  events.qps = config_.kubelet.eventrecordqps();
  events.burst = config_.kubelet.eventburst();
  ASSIGN_OR_RETURN(client_, kube::ApiClient::Make(loop_, std::move(options)));
  ASSIGN_OR_RETURN(heartbeats_, kube::ApiClient::Make(loop_, std::move(heartbeats)));
  ASSIGN_OR_RETURN(event_client_, kube::ApiClient::Make(loop_, std::move(events)));
  recorder_ = std::make_unique<kube::EventRecorder>(loop_, event_client_.get(), node_name,
                                                    log_events_, metrics);
  if (config_.kubelet.servertlsbootstrap()) {
    IssuedCertificateOptions serving;
    serving.kind = &kServingCertificate;
    serving.directory = identity_options_.cert_dir;
    serving_ = std::make_unique<IssuedCertificate>(loop_, std::move(serving), metrics);
    RETURN_IF_ERROR(serving_->Read());
  }
  if (!identity.bootstrap) return absl::OkStatus();
  // While it is rotated, the kubeconfig leads to whatever certificate there will be.
  if (identity_options_.rotate) return WriteKubeconfig(identity_options_, identity.requester);
  bootstrap_access_ = std::move(identity.requester);
  write_kubeconfig_ = true;
  return absl::OkStatus();
}

void Cluster::KeepCertificates(async::TaskScope& scope,
                               std::function<void(absl::Status)> hopeless) {
  if (serving_ != nullptr) serving_->Start(scope, {client_.get(), client_.get(), [] {}, nullptr});
  if (certificate_ == nullptr) return;
  IssuedCertificate::Hooks hooks;
  hooks.own = client_.get();
  hooks.requester = requester_.get();
  hooks.changed = [this] { CertificateChanged(); };
  hooks.hopeless = std::move(hopeless);
  certificate_->Start(scope, std::move(hooks));
}

void Cluster::CertificateChanged() {
  for (kube::ApiClient* client :
       {client_.get(), heartbeats_.get(), event_client_.get(), requester_.get()})
    client->CloseConnections();
  if (!std::exchange(write_kubeconfig_, false)) return;
  const absl::Status written = WriteKubeconfig(identity_options_, bootstrap_access_);
  if (!written.ok()) LOG_ERROR(written, "The next start will need the bootstrap kubeconfig");
}

Cluster::~Cluster() = default;

void Cluster::Join(async::TaskScope& scope, Agent& agent, cri::Images& images,
                   node::NodeFacts fixed, const criv1::VersionResponse& version) {
  const config::KubeletConfiguration& kubelet = config_.kubelet;
  node::RegistrarOptions options;
  options.node_name = fixed.name;
  options.register_node = kubelet.registernode();
  options.update_frequency = ToDuration(kubelet.nodestatusupdatefrequency());
  options.report_frequency = ToDuration(kubelet.nodestatusreportfrequency());
  options.lease_duration_seconds = kubelet.nodeleasedurationseconds();
  facts_ = std::make_unique<NodeFactsGatherer>(loop_, images, agent.health(), std::move(fixed),
                                               kubelet.nodestatusmaximages());
  facts_->SetRuntime(version);
  registrar_ =
      std::make_unique<node::Registrar>(loop_, heartbeats_.get(), *recorder_, std::move(options),
                                        [this] { return facts_->Gather(); });
  agent.SetOnNode([this](node::NodePtr node) { ServerHas(std::move(node)); });
  agent.SetOnRuntime([this](const criv1::StatusResponse& status) {
    facts_->SetRuntime(status);
    registrar_->Wake();
  });
  registrar_->Start(scope);
}

void Cluster::ServerHas(node::NodePtr node) {
  if (serving_ != nullptr && node != nullptr) {
    std::optional<certs::Subject> subject = ServingSubject(*node);
    if (subject) serving_->SetWanted(*std::move(subject));
  }
  registrar_->ServerHas(std::move(node));
}

Task<void> Cluster::Close() {
  if (requester_) co_await requester_->Close();
  co_await client_->Close();
  co_await heartbeats_->Close();
  co_await event_client_->Close();
}

}  // namespace cubelet::kubelet
