// Content volumes: files on an emptyDir, switched all at once, read-only for containers.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "volumes/atomic_writer.h"
#include "volumes/mounter.h"
#include "volumes/plugin.h"

namespace cubelet::volumes {

// Directories that must stand in the volume because containers mount something at a path below one
// where they mount this volume; relative to the volume, outermost only. Pure.
std::vector<std::string> NestedMountPoints(const v1::Pod& pod, const std::string& volume);

// Brings the volume up and makes it hold `payload` (clean paths), given to the pod's
// group. Called again it changes only what differs. When the first set-up fails the volume is taken
// down; a volume that containers may use already stays as it is. Blocks.
absl::Status SetUpContent(const VolumeRequest& request, const Payload& payload, Mounter& mounter);

}  // namespace cubelet::volumes
