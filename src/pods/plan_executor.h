// Carries out a pod's plan, step by step (pod-lifecycle.md 7.3).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "async/task.h"
#include "async/timeout.h"
#include "pods/collector.h"
#include "pods/container_starter.h"
#include "pods/killer.h"
#include "pods/plan.h"
#include "pods/pod_services.h"
#include "pods/sandbox_starter.h"

namespace cubelet::pods {

// What carrying out a plan came to.
struct Execution {
  // All that failed, as `failed to "StartContainer" for "web" with CrashLoopBackOff: "..."`.
  absl::Status status;
  // Start results by container name: the failures, and (with an empty reason) those that started.
  std::map<std::string, status::StartFailure> starts;
  // Something was changed in the runtime.
  bool acted = false;
  // What failed came before any container: stopping what was to go, or the sandbox.
  bool before_containers = false;
  // The sandbox that was made.
  bool sandbox_created = false;
  // Earliest end of a back-off; InfinitePast when none is in force.
  absl::Time retry_at = absl::InfinitePast();
  std::map<std::string, std::string> image_volumes;
};

class PlanExecutor {
 public:
  PlanExecutor(PodServices& services, ContainerStarter& containers, SandboxStarter& sandboxes,
               Killer& killer, Collector& collector)
      : s_(services),
        containers_(containers),
        sandboxes_(sandboxes),
        killer_(killer),
        collector_(collector) {}

  // Once `stop` is cancelled nothing more is started and a pull under way is given up.
  async::Task<Execution> Execute(PodPtr pod, Plan plan,
                                 std::shared_ptr<const pleg::RuntimePod> runtime,
                                 std::shared_ptr<async::Canceller> stop);

 private:
  struct Work;
  async::Task<bool> Stop(Work* work);
  async::Task<bool> StopContainers(Work* work);
  async::Task<bool> RemoveContainers(Work* work);
  async::Task<void> PruneInitContainers(Work* work);
  async::Task<bool> PrepareSandbox(Work* work);
  async::Task<void> EnsureImageVolumes(Work* work);
  async::Task<void> StartContainers(Work* work);
  // False when it did not start.
  async::Task<bool> StartOne(Work* work, v1::Container container, api::ContainerType type,
                             std::string target_container_id);

  PodServices& s_;
  ContainerStarter& containers_;
  SandboxStarter& sandboxes_;
  Killer& killer_;
  Collector& collector_;
};

}  // namespace cubelet::pods
