// From a container of a pod to the request that makes it (CRI ContainerConfig), field by field what
// the Go kubelet sends (containers.md 3, 4). Pure.
//
// The way of a container's start:
//   MakeEnvironment -> SubPathsToPrepare -> (prepare them) -> (write HostsFile, make the
//   termination log and the log directory) -> MakeContainerConfig -> CreateContainer
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "api/types.h"
#include "containers/environment.h"
#include "containers/mounts.h"
#include "containers/node_context.h"
#include "containers/security_context.h"
#include "containers/userns.h"
#include "cri/types.h"

namespace cubelet::containers {

// What device managers have given the container. Their variables belong into the environment.
struct DeviceAllocation {
  std::vector<criv1::Device> devices;
  std::vector<criv1::Mount> mounts;
  std::vector<std::string> cdi_devices;
  std::map<std::string, std::string> annotations;
};

struct ContainerInput {
  int restart_count = 0;
  std::string image_ref;  // what the runtime calls the image (images::Result)
  ImageUser image_user;   // ImageUserOf the image's status
  Environment environment;
  std::vector<std::string> pod_ips;
  MountedVolumes volumes;
  std::map<size_t, std::string> sub_paths;      // host paths by mount index (SubPathsToPrepare)
  std::string termination_log;                  // host path, "" when there is none
  std::string runtime_handler;                  // of the sandbox
  std::optional<UserNamespace> user_namespace;  // of the sandbox
  std::string target_container_id;              // of an ephemeral container's target
  std::vector<int64_t> volume_groups;           // gids that volumes ask for

  BlockVolumes block_volumes;
  DeviceAllocation devices;
  std::string cpuset_cpus;  // from the CPU manager
  std::string cpuset_mems;  // from the memory manager
  bool exclusive_cpus = false;
};

// Errors become the container's CreateContainerConfigError message.
absl::StatusOr<criv1::ContainerConfig> MakeContainerConfig(const v1::Pod& pod,
                                                           const v1::Container& container,
                                                           const NodeContext& node,
                                                           const ContainerInput& input);

}  // namespace cubelet::containers
