// Ends containers and pods in the runtime: hooks first, then the stop signal, sidecars after the
// others, all within the grace period (pod-lifecycle.md 8.2).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "api/events.h"
#include "api/types.h"
#include "async/loop.h"
#include "async/scope.h"
#include "async/task.h"
#include "cri/runtime.h"
#include "pleg/runtime_cache.h"
#include "pods/grace.h"
#include "pods/hooks.h"
#include "pods/plan.h"

namespace cubelet::pods {

// Which containers of a pod have ended while the pod is being killed, so that sidecars wait for the
// ones that need them.
class TerminationOrder;

class Killer {
 public:
  Killer(async::Loop& loop, cri::Runtime& runtime, pleg::RuntimeCache& cache, Hooks& hooks,
         api::EventRecorder& events);

  // Kills every running container in parallel, then stops every sandbox. A pod known only from the
  // runtime comes with what PodFromRuntime makes of it. Error: all that failed, joined; calling
  // again goes on.
  async::Task<absl::Status> KillPod(PodPtr pod, std::shared_ptr<const pleg::RuntimePod> runtime,
                                    std::optional<int64_t> grace_override_seconds);

  // Kills one container. OK when it is gone already.
  async::Task<absl::Status> KillContainer(PodPtr pod, pleg::ContainerRecord record,
                                          std::string message, KillReason reason,
                                          std::optional<int64_t> grace_override_seconds);

 private:
  async::Task<absl::Status> Kill(PodPtr pod, pleg::ContainerRecord record, std::string message,
                                 KillReason reason, std::optional<int64_t> grace_override_seconds,
                                 std::shared_ptr<TerminationOrder> order);
  async::Task<void> KillInto(PodPtr pod, pleg::ContainerRecord record,
                             std::optional<int64_t> grace_override_seconds,
                             std::shared_ptr<TerminationOrder> order,
                             std::shared_ptr<absl::Status> result);
  // Runs the hook for at most `grace_seconds`; gives the whole seconds it took.
  async::Task<int64_t> RunPreStop(PodPtr pod, v1::Container container, pleg::ContainerRecord record,
                                  int64_t grace_seconds);

  async::Loop& loop_;
  cri::Runtime& runtime_;
  pleg::RuntimeCache& cache_;
  Hooks& hooks_;
  api::EventRecorder& events_;
};

// A pod that is known only from the runtime: its names and its containers' names, with a grace
// period of one second (pod-lifecycle.md 5.3.3).
PodPtr PodFromRuntime(const pleg::RuntimePod& runtime);

}  // namespace cubelet::pods
