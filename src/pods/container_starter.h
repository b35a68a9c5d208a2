// Starts one container: back-off, image, configuration, create, start, postStart hook
// (pod-lifecycle.md 7.3.1). The path that starts a container is here and nowhere else.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "api/pod.h"
#include "async/task.h"
#include "async/timeout.h"
#include "containers/container_config.h"
#include "pods/hooks.h"
#include "pods/killer.h"
#include "pods/pod_services.h"
#include "status/status_input.h"

namespace cubelet::pods {

// A sandbox that containers are started in.
struct Sandbox {
  std::string id;
  criv1::PodSandboxConfig config;
  std::string runtime_handler;
  std::optional<containers::UserNamespace> user_namespace;
  std::vector<std::string> ips;
};

struct StartRequest {
  PodPtr pod;
  v1::Container container;
  api::ContainerType type = api::ContainerType::kRegular;
  Sandbox sandbox;
  // What the runtime held before this start; may be null.
  std::shared_ptr<const pleg::RuntimePod> runtime;
  // Image volumes of the pod: what the runtime calls their images, and why others failed.
  std::map<std::string, std::string> image_volumes;
  std::map<std::string, status::StartFailure> image_volume_failures;
  std::string target_container_id;  // of an ephemeral container
  // Gives up a pull when it is cancelled.
  std::shared_ptr<async::Canceller> stop;
};

struct StartResult {
  // The detail, when it did not start. CANCELLED: it was given up, there is nothing to report.
  absl::Status status;
  std::string reason;  // the waiting reason (pod-lifecycle.md 7.3.3), "" when it started
  // When a back-off ends; InfinitePast when none is in force.
  absl::Time retry_at = absl::InfinitePast();
};

class ContainerStarter {
 public:
  ContainerStarter(PodServices& services, CrashBackoff& backoff, Hooks& hooks, Killer& killer)
      : s_(services), backoff_(backoff), hooks_(hooks), killer_(killer) {}

  async::Task<StartResult> Start(StartRequest request);

 private:
  async::Task<StartResult> TryStart(StartRequest request);
  std::optional<StartResult> CheckBackoff(const StartRequest& request);
  std::optional<StartResult> CheckImageVolumes(const StartRequest& request);
  async::Task<absl::StatusOr<criv1::ContainerConfig>> MakeConfig(StartRequest request,
                                                                 std::string image_ref,
                                                                 int restart_count);
  async::Task<absl::StatusOr<int>> RestartCount(StartRequest request);
  async::Task<absl::Status> RemoveUnstarted(StartRequest request);
  async::Task<StartResult> CreateAndStart(StartRequest request, criv1::ContainerConfig config,
                                          int restart_count);
  async::Task<StartResult> RunPostStart(StartRequest request, std::string container_id);
  StartResult Fail(const StartRequest& request, std::string reason, absl::Status status);

  PodServices& s_;
  CrashBackoff& backoff_;
  Hooks& hooks_;
  Killer& killer_;
};

// The number in an earlier instance's log file name plus one, or 0: what a container starts with
// when the runtime has forgotten all its instances. Pure.
int RestartCountFromLogs(const std::vector<std::string>& names);

}  // namespace cubelet::pods
