// The mounts of a container (containers.md 3.5): its volumes, /etc/hosts and the termination log.
// Pure: directories, files and sub-path binds have been made before.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "api/types.h"
#include "containers/node_context.h"
#include "cri/types.h"

namespace cubelet::containers {

class Environment;

// A volume that has been set up for the pod.
struct MountedVolume {
  std::string host_path;   // "" for image volumes
  bool read_only = false;  // whatever the mount asks for
  bool relabel = false;    // ours, and to be relabelled where SELinux is on
  bool is_image = false;
  std::string image_ref;  // image volumes: what the runtime calls the image
};

// By the volume's name in the pod.
using MountedVolumes = absl::flat_hash_map<std::string, MountedVolume>;

// A volumeMount whose host path is to be prepared first (volumes::Manager::PrepareSubPath).
struct SubPathMount {
  size_t mount_index = 0;  // in container.volumeMounts
  std::string volume;
  std::string sub_path;  // expanded, relative, without ".."
};

// What has to be prepared before MakeMounts, in order. Errors: a volume that is not mounted, a
// subPathExpr with missing variables, a path that leaves the volume.
absl::StatusOr<std::vector<SubPathMount>> SubPathsToPrepare(const v1::Container& container,
                                                            const Environment& environment,
                                                            const MountedVolumes& volumes);

// The container's error when a sub-path could not be prepared: `failed to prepare subPath for
// volumeMount %q of container %q`.
std::string SubPathFailure(std::string_view volume, std::string_view container);

struct MountInput {
  const MountedVolumes* volumes = nullptr;  // required, as the next one
  // Prepared host paths by the index of the volumeMount: one for each of SubPathsToPrepare.
  const std::map<size_t, std::string>* sub_paths = nullptr;
  bool pod_has_ips = false;
  std::string runtime_handler;
  std::string termination_log;  // host path of the file, "" when there is none
};

// All mounts in their order. Errors as in SubPathsToPrepare, and of mountPropagation and
// recursiveReadOnly.
absl::StatusOr<std::vector<criv1::Mount>> MakeMounts(const v1::Pod& pod,
                                                     const v1::Container& container,
                                                     const NodeContext& node,
                                                     const Environment& environment,
                                                     const MountInput& input);

// Whether the container gets the /etc/hosts that the agent writes (HostsFile): not when it mounts
// something there itself, and not before addresses are known.
bool WantsHostsFile(const v1::Pod& pod, const v1::Container& container, bool pod_has_ips);

// A raw block volume of the pod.
struct BlockVolume {
  std::string host_path;  // the link to its device, "" when there is none (the device is left out)
  bool read_only = false;
};
using BlockVolumes = absl::flat_hash_map<std::string, BlockVolume>;

// The devices of container.volumeDevices (3.5.12).
absl::StatusOr<std::vector<criv1::Device>> MakeBlockDevices(const v1::Container& container,
                                                            const BlockVolumes& volumes);

}  // namespace cubelet::containers
