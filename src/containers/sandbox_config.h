// From a pod to the request for its sandbox (CRI PodSandboxConfig), field by field what the Go
// kubelet sends (containers.md 1, 2). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "api/types.h"
#include "containers/dns.h"
#include "containers/node_context.h"
#include "containers/userns.h"
#include "cri/types.h"

namespace cubelet::containers {

struct SandboxInput {
  uint32_t attempt = 0;
  std::string cgroup_parent;                    // cgroups::Manager::PodPath
  std::string runtime_handler;                  // of the pod's RuntimeClass, "" for none
  std::optional<ResolvConf> host_dns;           // as read just now; none when resolvConf is ""
  std::vector<int64_t> volume_groups;           // gids that volumes ask for
  std::optional<UserNamespace> user_namespace;  // set when WantsUserNamespace(pod)
};

// Errors (sandbox creation fails and is tried again): host names (1.2), user namespaces (1.9), an
// unknown supplementalGroupsPolicy.
absl::StatusOr<criv1::PodSandboxConfig> MakeSandboxConfig(const v1::Pod& pod,
                                                          const NodeContext& node,
                                                          const SandboxInput& input,
                                                          std::vector<Warning>* warnings);

}  // namespace cubelet::containers
