// The node's word to the API server: registers the Node, keeps its status reported and its Lease
// renewed (node.md 1, 2).
//
//   Registrar registrar(loop, client, events, options, [&agent] { return agent.GatherFacts(); });
//   registrar.Start(scope);
//   ... registrar.ServerHas(node);  // whenever the watch of the own Node brings it
//   ... registrar.Wake();           // when the runtime, the network or a pressure has changed
//
// The status is computed every nodeStatusUpdateFrequency and whenever it is woken; it is sent when
// something in it has changed, or when the last report is older than nodeStatusReportFrequency.
// Facts are gathered anew for each computation, and nothing else asks for them.
//
// `client` should be one whose requests do not wait behind those of pods: these are heartbeats.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "api/events.h"
#include "async/loop.h"
#include "async/scope.h"
#include "async/signal.h"
#include "async/task.h"
#include "kube/client.h"
#include "kube/typed.h"
#include "node/lease_keeper.h"
#include "node/node_facts.h"
#include "node/node_object.h"
#include "node/report_schedule.h"

namespace cubelet::node {

struct RegistrarOptions {
  std::string node_name;
  bool register_node = true;                            // registerNode
  absl::Duration update_frequency = absl::Seconds(10);  // nodeStatusUpdateFrequency
  absl::Duration report_frequency = absl::Minutes(5);   // nodeStatusReportFrequency
  int32_t lease_duration_seconds = 40;                  // nodeLeaseDurationSeconds
};

class Registrar {
 public:
  using Gather = std::function<async::Task<NodeFacts>()>;

  // All that is given outlives the registrar; the scope of Start is closed before it dies.
  Registrar(async::Loop& loop, kube::Client* client, api::EventRecorder& events,
            RegistrarOptions options, Gather gather);

  // Called with the server's copy whenever it agrees with the node's state: volumes that are named
  // there as in use may be mounted, its pod CIDRs are the runtime's to know.
  void SetOnReported(std::function<void(const NodePtr&)> on_reported) {
    on_reported_ = std::move(on_reported);
  }

  void Start(async::TaskScope& scope);

  // Computes the status now, and sends it if it has changed.
  void Wake() { wakeup_.Ring(); }

  // The server's copy of the Node as the watch has it; null: it has none. A Node that somebody
  // deletes is not registered again before the agent starts anew.
  void ServerHas(NodePtr node);

  // The newest copy known; null before there is one.
  const NodePtr& node() const { return node_; }

 private:
  async::Task<void> KeepReporting();
  async::Task<void> Register();
  async::Task<absl::Status> TryRegister();
  async::Task<absl::Status> Reconcile(NodePtr wanted, bool devices_forgotten);
  async::Task<void> Report();
  async::Task<absl::Status> TryReport(bool may_use_copy);
  async::Task<absl::StatusOr<NodePtr>> Patch(NodePtr from, NodePtr to);
  void Know(NodePtr node);
  void Tell(const std::vector<NodeEvent>& events);
  void TellAddresses(const absl::Status& status);
  kube::ObjectName Name() const { return {"", options_.node_name, ""}; }
  kube::CallOptions HeartbeatCall() const;

  async::Loop& loop_;
  kube::Client* const client_;
  api::EventRecorder& events_;
  const RegistrarOptions options_;
  const Gather gather_;
  std::function<void(const NodePtr&)> on_reported_;
  async::Wakeup wakeup_;
  LeaseKeeper lease_;
  ReportSchedule schedule_;
  NodeMemory memory_;
  NodePtr node_;
  bool failing_ = false;
  absl::Status addresses_;  // what was logged of them last
};

}  // namespace cubelet::node
