// Makes the sandbox of a pod: host name, DNS, user namespace, network (pod-lifecycle.md 7.3 step
// 4).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "async/task.h"
#include "containers/userns.h"
#include "pods/container_starter.h"
#include "pods/pod_services.h"

namespace cubelet::pods {

class SandboxStarter {
 public:
  explicit SandboxStarter(PodServices& services);

  // Makes a new sandbox and reads its addresses. The error's message is what the pod's event says
  // after "Failed to create pod sandbox: ".
  async::Task<absl::StatusOr<Sandbox>> Create(PodPtr pod, uint32_t attempt);

  // What a sandbox that exists was made with, for containers that start in it later.
  async::Task<absl::StatusOr<Sandbox>> Describe(PodPtr pod, pleg::SandboxRecord record);

  // Gives the pod's user ids back. The file goes with the pod's directory.
  void ReleaseUserNamespace(const std::string& uid);

 private:
  async::Task<absl::StatusOr<Sandbox>> Configure(PodPtr pod, uint32_t attempt);
  async::Task<absl::StatusOr<std::optional<containers::UserNamespace>>> UserNamespaceOf(PodPtr pod);

  PodServices& s_;
  absl::StatusOr<containers::UserNamespaceAllocator> user_namespaces_;
};

}  // namespace cubelet::pods
