// Volumes of pods: set up before containers start, torn down after they have ended. Nothing is
// polled: the pod's worker awaits SetUp and TearDown, and a failure says at once what failed.
//
// The state is the disk's: a restarted agent finds what is mounted and goes on (SetUp is
// idempotent, TearDown works from the directories alone).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "api/downward.h"
#include "api/events.h"
#include "api/types.h"
#include "async/loop.h"
#include "async/task.h"
#include "paths/paths.h"
#include "volumes/mounter.h"
#include "volumes/object_source.h"
#include "volumes/pod_turns.h"

namespace cubelet::volumes {

struct Plugin;  // plugin.h
struct VolumeRequest;

struct MountedVolume {
  std::string host_path;   // "" for image volumes, which the runtime mounts
  bool read_only = false;  // containers get it read-only whatever they ask for
  bool relabel = false;    // managed by us and to be relabelled for SELinux
  bool is_image = false;
};

struct Options {
  // Bounds tmpfs volumes (constants.md 4; volumes.md 4.1.3). 0: not known.
  int64_t node_allocatable_memory_bytes = 0;
  // Where ConfigMaps, Secrets and tokens come from; null: there is no API server. Outlives the
  // manager.
  ObjectSource* objects = nullptr;
};

class Manager {
 public:
  Manager(async::Loop& loop, Mounter& mounter, const paths::Paths& paths,
          api::EventRecorder& recorder, Options options);

  // Brings every volume that a container of the pod references to what the spec asks for, contents
  // of content volumes included (so calling it again applies changed labels, objects and tokens).
  // Calls for one pod run one after another. Error: as the events and the pod's status say it
  // (volumes.md 2.4; the failed volumes' events are recorded here). Plugins that need an API server
  // fail without one with a message that says so. New contents that cannot be written to a volume
  // that is up are told by the event alone: the pod goes on with the old ones.
  async::Task<absl::Status> SetUp(PodPtr pod, api::DownwardContext context);

  // Unmounts and removes everything the pod has under volumes/ and volume-subpaths/. Never touches
  // the contents of a hostPath and never crosses a mount that it could not take down: that is an
  // error, to be tried again. OK when there is nothing.
  async::Task<absl::Status> TearDown(std::string uid);

  // A volume that SetUp has brought up; null before. Valid until the next suspension.
  const MountedVolume* Find(const std::string& uid, const std::string& volume) const;

  // The host path for a mount with subPath (`sub_path` is expanded already): made as a directory if
  // it does not exist, resolved inside the volume without following links out of it, and bound from
  // a held descriptor, so that links swapped underneath change nothing (containers.md 3.5.3).
  // Errors: ones of containers.md 3.5.1 to 3.5.3, without their "failed to ..." prefix (which of
  // the two it is: IsSubPathCreationError in sub_path.h).
  async::Task<absl::StatusOr<std::string>> PrepareSubPath(std::string uid, std::string volume,
                                                          std::string container, size_t mount_index,
                                                          std::string sub_path);

  // Takes down the sub-path binds of one container (before its next start or at its end).
  async::Task<absl::Status> CleanSubPaths(std::string uid, std::string container);

  // Whether something of the pod is still mounted or has content under volumes/ (also when that
  // cannot be told).
  async::Task<bool> HasVolumesOnDisk(std::string uid);

  // TearDown, then removes the pod's whole directory on one file system (pod-lifecycle.md 8.4).
  async::Task<absl::Status> RemovePodDirectory(std::string uid);

  // UIDs that have a directory under <root>/pods.
  async::Task<absl::StatusOr<std::vector<std::string>>> PodsOnDisk();

 private:
  struct State {
    MountedVolume volume;
    uint64_t contents = 0;  // fingerprint of what content volumes hold
  };

  async::Task<absl::Status> SetUpVolume(PodPtr pod, const v1::Volume* volume,
                                        api::DownwardContext context);
  async::Task<absl::Status> SetUpDirectory(const Plugin* plugin, VolumeRequest request);
  async::Task<absl::Status> SetUpFiles(const Plugin* plugin, VolumeRequest request,
                                       api::DownwardContext context);
  VolumeRequest RequestFor(const Plugin& plugin, const PodPtr& pod, const v1::Volume* volume) const;
  const State* FindState(const std::string& uid, const std::string& volume) const;
  void Keep(const Plugin& plugin, const VolumeRequest& request, uint64_t contents);

  async::Loop& loop_;
  Mounter& mounter_;
  const paths::Paths& paths_;
  api::EventRecorder& recorder_;
  const Options options_;
  PodTurns turns_;
  absl::flat_hash_map<std::string, absl::flat_hash_map<std::string, State>> mounted_;
};

}  // namespace cubelet::volumes
