// Taking a pod's volumes down, and finding what pods have left, from the directories alone: it
// works the same after a restart and on what another kubelet has set up. Everything blocks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "paths/paths.h"
#include "volumes/mounter.h"

namespace cubelet::volumes {

// Unmounts the sub-paths and volumes of a pod and removes them. A volume of a kind that this
// kubelet does not know goes only if nothing is mounted and only empty directories are left of it.
// Goes on after an error and returns the first.
absl::Status TearDownPod(const paths::Paths& paths, const std::string& uid, Mounter& mounter);

// Takes down the sub-path binds of one container, of all when `container` is "".
absl::Status TearDownSubPaths(const paths::Paths& paths, const std::string& uid,
                              std::string_view container, Mounter& mounter);

// Whether anything is mounted or lies in the pod's volumes; true also when it cannot be told.
bool HasVolumes(const paths::Paths& paths, const std::string& uid, const Mounter& mounter);

// TearDownPod, then everything else of the pod's directory, on one filesystem.
absl::Status RemovePod(const paths::Paths& paths, const std::string& uid, Mounter& mounter);

// The directories under <root>/pods; none without it.
absl::StatusOr<std::vector<std::string>> ListPods(const paths::Paths& paths);

}  // namespace cubelet::volumes
