// Keeps the node's Lease renewed (node.md 2.4). Owned by the Registrar.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "async/loop.h"
#include "async/signal.h"
#include "async/task.h"
#include "kube/client.h"
#include "kube/typed.h"
#include "node/lease.h"
#include "node/node_facts.h"

namespace cubelet::node {

struct LeaseOptions {
  std::string node_name;
  int32_t duration_seconds = 40;               // nodeLeaseDurationSeconds
  absl::Duration timeout = absl::Seconds(10);  // of one request
};

class LeaseKeeper {
 public:
  // `client` outlives the keeper. `node` gives the server's copy of the Node, null while there is
  // none: without it a lease is renewed but not created.
  LeaseKeeper(async::Loop& loop, kube::Client* client, LeaseOptions options,
              std::function<NodePtr()> node)
      : loop_(loop),
        client_(client),
        options_(std::move(options)),
        node_(std::move(node)),
        wakeup_(loop) {}

  // Until it is cancelled. Begins when woken, or after one interval: a node that cannot register
  // may have a lease nevertheless.
  async::Task<void> Run();

  // The Node is known now.
  void Wake() { wakeup_.Ring(); }

 private:
  async::Task<absl::Status> Renew();
  async::Task<absl::Status> Find();
  async::Task<absl::Status> Create();
  async::Task<absl::Status> Update();
  kube::ObjectName Name() const { return {kLeaseNamespace, options_.node_name, ""}; }
  kube::CallOptions Call() const { return {.timeout = options_.timeout, .tell_timeout = true}; }
  coordinationv1::Lease Wanted() const;

  async::Loop& loop_;
  kube::Client* const client_;
  const LeaseOptions options_;
  const std::function<NodePtr()> node_;
  async::Wakeup wakeup_;
  std::shared_ptr<const coordinationv1::Lease> latest_;  // the server's copy; null: to be asked for
};

}  // namespace cubelet::node
