// Lifecycle hooks: what runs after a container has started and before it is stopped
// (pod-lifecycle.md 7.5).
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "api/events.h"
#include "api/types.h"
#include "async/loop.h"
#include "async/task.h"
#include "base/metrics.h"
#include "cri/runtime.h"
#include "probes/http.h"

namespace cubelet::pods {

struct HookRequest {
  PodPtr pod;
  v1::Container container;
  api::ObjectReference target;  // what events are about
  std::string container_id;
  v1::LifecycleHandler handler;
  std::string pod_ip;
  // Waits at most so long for the container to end; true if it has. Null: a sleep hook does not
  // look.
  std::function<async::Task<bool>(absl::Duration)> ended_within;
};

class Hooks {
 public:
  Hooks(async::Loop& loop, cri::Runtime& runtime, api::EventRecorder& events, Metrics& metrics)
      : loop_(loop), runtime_(runtime), events_(events), metrics_(metrics) {}

  // Runs the handler to its end; has no time limit of its own. The error is the message that the
  // container's status shows.
  async::Task<absl::Status> Run(HookRequest request);

 private:
  async::Task<absl::Status> RunExec(HookRequest request);
  async::Task<absl::Status> RunHttp(HookRequest request);
  async::Task<absl::Status> RunSleep(HookRequest request);

  async::Loop& loop_;
  cri::Runtime& runtime_;
  api::EventRecorder& events_;
  Metrics& metrics_;
};

}  // namespace cubelet::pods
