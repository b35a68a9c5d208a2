// A kind of volume. Each kind is one file and one line of the table in plugins.cc; what they share
// is here.
//
// There are two sorts. Directories (emptyDir, hostPath) are set up by one blocking function.
// Content volumes (configMap, secret, downwardAPI, projected) collect their files on the loop,
// which may ask others for them, and are then written out by SetUpContent.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "api/downward.h"
#include "api/types.h"
#include "async/task.h"
#include "volumes/atomic_writer.h"
#include "volumes/manager.h"
#include "volumes/mounter.h"
#include "volumes/object_source.h"

namespace cubelet::volumes {

inline constexpr char kEmptyDirPlugin[] = "kubernetes.io/empty-dir";

// The name that an emptyDir under a content volume has in its plugin's state.
std::string WrappedName(std::string_view volume);

// What setting up one volume takes. Holds copies, to be used on the pool.
struct VolumeRequest {
  PodPtr pod;
  const v1::Volume* volume = nullptr;  // of `pod`
  std::string pod_volumes;             // <pod>/volumes
  std::string directory;               // <pod>/volumes/<plugin>/<name>
  std::string state_directory;         // of the emptyDir: <pod>/plugins/<emptyDir>/<name>
  bool in_memory = true;               // content volumes: the emptyDir is a tmpfs
  int64_t node_allocatable_memory_bytes = 0;
  absl::Time now;
};

// What collecting the files of a content volume takes.
struct ContentRequest {
  PodPtr pod;
  const v1::Volume* volume = nullptr;  // of `pod`
  api::DownwardContext context;
  std::optional<uid_t> fs_user;     // FsUserOf(*pod)
  ObjectSource* objects = nullptr;  // null: there is no API server
};

struct Plugin {
  const char* name;  // "kubernetes.io/empty-dir"
  bool (*is_kind_of)(const v1::VolumeSource& source);

  // What containers are told; the path is filled in.
  MountedVolume attributes;

  // Directories: brings it up, blocking. Null if there is nothing to do on the host.
  absl::Status (*set_up)(const VolumeRequest& request, Mounter& mounter);

  // Content volumes: collects the files, on the loop. Null for directories.
  async::Task<absl::StatusOr<Payload>> (*collect)(ContentRequest request);

  // Content volumes: written to disk, as nothing in them is secret.
  bool on_disk = false;

  // Where the volume is on the host; null: in the pod's directory of it.
  std::string (*host_path)(const v1::VolumeSource& source);
};

// The kind of a volume, null for one that this kubelet cannot set up.
const Plugin* FindPlugin(const v1::VolumeSource& source);

// Why a volume without plugin cannot be had: `volume "x": <source> volumes need ...`.
absl::Status RefuseVolume(const v1::Volume& volume);

// The owner group of the pod's volumes (securityContext.fsGroup).
std::optional<gid_t> FsGroupOf(const v1::Pod& pod);

// The user all containers run as, unset if one has none or they differ (volumes.md 2.6). Owner of
// files that nobody else may read.
std::optional<uid_t> FsUserOf(const v1::Pod& pod);

}  // namespace cubelet::volumes
