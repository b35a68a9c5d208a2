// The agent without its process: everything between the seams (runtime, mounts, cgroups, time) and
// the questions that others ask of it. The real kubelet, the integration tests and the simulator
// all run this.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/events.h"
#include "async/loop.h"
#include "async/scope.h"
#include "async/task.h"
#include "base/metrics.h"
#include "cgroups/manager.h"
#include "cri/runtime.h"
#include "kube/client.h"
#include "kubelet/settings.h"
#include "node/node_facts.h"
#include "node/runtime_health.h"
#include "pods/manager.h"
#include "sources/source.h"
#include "volumes/mounter.h"

namespace cubelet::kubelet {

struct Seams {
  cri::Runtime& runtime;
  cri::Images& images;
  volumes::Mounter& mounter;
  cgroups::Manager& cgroups;
  api::EventRecorder& events;
  Metrics& metrics;
  kube::Client* kube = nullptr;  // null: there is no API server
};

class Agent {
 public:
  // `started_at` is when this process began to run (wall time). All of `seams` outlive the agent.
  Agent(async::Loop& loop, Seams seams, AgentSettings settings, absl::Time started_at);
  ~Agent();

  // What the runtime says of itself; before Start, and again whenever it has said it anew.
  void SetRuntimeFacts(const RuntimeFacts& facts);

  // Makes the directories and the cgroups that all pods share. Error: cannot run pods here.
  async::Task<absl::Status> Prepare();

  // Begins to run pods.
  void Start();

  // Ends all of the agent's tasks. Containers run on.
  async::Task<void> Stop();

  pods::Manager& pods();
  node::RuntimeHealth& health();

  // Told of the server's copy of the node, null when it has none, and of what the runtime says of
  // its own state. To be set before Start.
  void SetOnNode(std::function<void(node::NodePtr)> on_node);
  void SetOnRuntime(std::function<void(const criv1::StatusResponse&)> on_runtime);

  // What the API server cannot be told or asked now, in one sentence; OK when all is well, or when
  // there is none.
  absl::Status api_server() const;

  // Manifests that hold no usable pod: file or URL -> why.
  const sources::Problems& problems() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace cubelet::kubelet
