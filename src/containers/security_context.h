// Who a container runs as and what it may do (containers.md 1.7 to 1.9, 3.6). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "api/types.h"
#include "containers/node_context.h"
#include "containers/userns.h"
#include "cri/types.h"

namespace cubelet::containers {

// The user that an image names: by number, or by name, or none (then it is root).
struct ImageUser {
  std::optional<int64_t> uid;
  std::string username;
};
// `image` is what ImageStatus says of the image; an image that it does not know counts as root's.
ImageUser ImageUserOf(const criv1::Image& image);

// The container's values over the pod's (3.6.1).
struct EffectiveIdentity {
  std::optional<int64_t> run_as_user;
  std::optional<int64_t> run_as_group;
  bool run_as_non_root = false;
  const v1::SELinuxOptions* selinux = nullptr;  // points into the pod or the container
};
EffectiveIdentity IdentityOf(const v1::Pod& pod, const v1::Container& container);

// Whether runAsNonRoot holds (3.6.3).
absl::Status CheckRunAsNonRoot(const v1::Pod& pod, const v1::Container& container,
                               const ImageUser& image_user);

bool IsPrivileged(const v1::Container& container);

// Namespaces that the pod shares with the node or its containers with each other (1.8, 1.9). With
// `target_id` ("" for none) the process namespace is that container's, unless the pod has one.
criv1::NamespaceOption MakeNamespaceOptions(const v1::Pod& pod,
                                            const std::optional<UserNamespace>& user_namespace,
                                            const std::string& target_id);

absl::StatusOr<criv1::SupplementalGroupsPolicy> GroupsPolicyOf(const v1::Pod& pod);

absl::StatusOr<criv1::LinuxSandboxSecurityContext> MakeSandboxSecurityContext(
    const v1::Pod& pod, const std::optional<UserNamespace>& user_namespace,
    const std::vector<int64_t>& volume_groups);

struct SecurityInput {
  ImageUser image_user;
  std::optional<UserNamespace> user_namespace;
  std::string target_container_id;
  std::vector<int64_t> volume_groups;
};

absl::StatusOr<criv1::LinuxContainerSecurityContext> MakeContainerSecurityContext(
    const v1::Pod& pod, const v1::Container& container, const NodeContext& node,
    const SecurityInput& input);

}  // namespace cubelet::containers
