#include "kubelet/cluster.h"

#include <utility>

#include "base/log.h"
#include "base/status.h"
#include "kube/kubeconfig.h"

namespace cubelet::kubelet {

using async::Task;
using config::ToDuration;

absl::StatusOr<std::unique_ptr<Cluster>> Cluster::Create(async::Loop& loop,
                                                         const config::Config& config,
                                                         const std::string& node_name,
                                                         Metrics& metrics) {
  std::unique_ptr<Cluster> cluster(new Cluster(loop, config));
  kube::ApiClientOptions options;
  ASSIGN_OR_RETURN(options.access, kube::LoadKubeconfig(config.flags.kubeconfig));
  cluster->server_ = options.access.server;
  options.qps = config.kubelet.kubeapiqps();
  options.burst = config.kubelet.kubeapiburst();
  options.metrics = &metrics;
  kube::ApiClientOptions heartbeats = options;
  heartbeats.qps = -1;
  ASSIGN_OR_RETURN(cluster->client_, kube::ApiClient::Make(loop, std::move(options)));
  ASSIGN_OR_RETURN(cluster->heartbeats_, kube::ApiClient::Make(loop, std::move(heartbeats)));
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

Cluster::~Cluster() = default;

void Cluster::Join(async::TaskScope& scope, Agent& agent, cri::Images& images,
                   api::EventRecorder& events, node::NodeFacts fixed,
                   const criv1::VersionResponse& version) {
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
  registrar_ = std::make_unique<node::Registrar>(
      loop_, heartbeats_.get(), events, std::move(options), [this] { return facts_->Gather(); });
  agent.SetOnNode([this](node::NodePtr node) { registrar_->ServerHas(std::move(node)); });
  agent.SetOnRuntime([this](const criv1::StatusResponse& status) {
    facts_->SetRuntime(status);
    registrar_->Wake();
  });
  registrar_->Start(scope);
}

Task<void> Cluster::Close() {
  co_await client_->Close();
  co_await heartbeats_->Close();
}

}  // namespace cubelet::kubelet
