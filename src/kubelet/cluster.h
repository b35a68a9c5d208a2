// The cluster that the node belongs to: how it is reached, and what the node tells it of itself.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "async/loop.h"
#include "async/scope.h"
#include "async/task.h"
#include "base/metrics.h"
#include "config/config.h"
#include "cri/client.h"
#include "kube/api_client.h"
#include "kubelet/agent.h"
#include "kubelet/node_report.h"
#include "node/registrar.h"
#include "server/reviews.h"

namespace cubelet::kubelet {

class Cluster {
 public:
  // Reads --kubeconfig; connects when first asked something. Blocking. Errors name the file.
  static absl::StatusOr<std::unique_ptr<Cluster>> Create(async::Loop& loop,
                                                         const config::Config& config,
                                                         const std::string& node_name,
                                                         Metrics& metrics);
  ~Cluster();

  kube::Client* client() { return client_.get(); }
  server::Reviews& reviews() { return *reviews_; }
  const std::string& server() const { return server_; }

  // Registers the node, and goes on to tell how it is, until the scope is closed. All that is given
  // outlives that.
  void Join(async::TaskScope& scope, Agent& agent, cri::Images& images, api::EventRecorder& events,
            node::NodeFacts fixed, const criv1::VersionResponse& version);

  // Ends all requests. After the scope of Join was closed.
  async::Task<void> Close();

 private:
  Cluster(async::Loop& loop, const config::Config& config) : loop_(loop), config_(config) {}

  async::Loop& loop_;
  const config::Config& config_;
  std::string server_;
  std::unique_ptr<kube::ApiClient> client_;
  // Heartbeats wait neither for their turn behind other requests nor for a connection that is
  // stuck.
  std::unique_ptr<kube::ApiClient> heartbeats_;
  std::unique_ptr<server::Reviews> reviews_;
  std::unique_ptr<NodeFactsGatherer> facts_;
  std::unique_ptr<node::Registrar> registrar_;
};

}  // namespace cubelet::kubelet
