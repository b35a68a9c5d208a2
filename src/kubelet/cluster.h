// The cluster that the node belongs to: how it is reached, and what the node tells it of itself.
#pragma once

#include <functional>
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
#include "kube/event_recorder.h"
#include "kubelet/agent.h"
#include "kubelet/client_identity.h"
#include "kubelet/issued_certificate.h"
#include "kubelet/log_events.h"
#include "kubelet/node_report.h"
#include "node/registrar.h"
#include "server/reviews.h"

namespace cubelet::kubelet {

class Cluster {
 public:
  // Reads --kubeconfig, or --bootstrap-kubeconfig where the first is not good; connects when first
  // asked something. Blocking. Errors name the file.
  static absl::StatusOr<std::unique_ptr<Cluster>> Create(async::Loop& loop,
                                                         const config::Config& config,
                                                         const std::string& node_name,
                                                         Metrics& metrics);
  ~Cluster();

  kube::Client* client() { return client_.get(); }
  server::Reviews& reviews() { return *reviews_; }
  api::EventRecorder& events() { return *recorder_; }
  const std::string& server() const { return server_; }

  // Sends events until the scope is closed; what is recorded before waits.
  void SendEvents(async::TaskScope& scope) { recorder_->Start(scope); }

  // Asks for the certificates that are ours to care for and renews them, until the scope is closed.
  // Until the client certificate is there, requests wait. `hopeless`: the process is to be started
  // anew.
  void KeepCertificates(async::TaskScope& scope, std::function<void(absl::Status)> hopeless);

  // Registers the node, and goes on to tell how it is, until the scope is closed. All that is given
  // outlives that.
  void Join(async::TaskScope& scope, Agent& agent, cri::Images& images, node::NodeFacts fixed,
            const criv1::VersionResponse& version);

  // Ends all requests. After the scopes of Join and SendEvents were closed.
  async::Task<void> Close();

 private:
  Cluster(async::Loop& loop, const config::Config& config);

  absl::Status MakeClients(ClientIdentity identity, const std::string& node_name, Metrics& metrics);
  void CertificateChanged();
  void ServerHas(node::NodePtr node);

  async::Loop& loop_;
  const config::Config& config_;
  const IdentityOptions identity_options_;
  std::string server_;
  std::unique_ptr<IssuedCertificate> certificate_;  // null: it is not ours to care for
  std::unique_ptr<IssuedCertificate> serving_;      // null: no serverTLSBootstrap
  kube::ClusterAccess bootstrap_access_;            // what the kubeconfig is to be written from
  bool write_kubeconfig_ = false;                   // once there is a certificate
  std::unique_ptr<kube::ApiClient> requester_;      // with certificate_
  std::unique_ptr<kube::ApiClient> client_;
  // Heartbeats wait neither for their turn behind other requests nor for a connection that is
  // stuck.
  std::unique_ptr<kube::ApiClient> heartbeats_;
  // Events wait for each other only: nothing of a pod waits behind them.
  std::unique_ptr<kube::ApiClient> event_client_;
  LogEvents log_events_;
  std::unique_ptr<kube::EventRecorder> recorder_;
  std::unique_ptr<server::Reviews> reviews_;
  std::unique_ptr<NodeFactsGatherer> facts_;
  std::unique_ptr<node::Registrar> registrar_;
};

}  // namespace cubelet::kubelet
