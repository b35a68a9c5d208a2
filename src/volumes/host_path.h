// hostPath (volumes.md 4.2): what the node has at a path, after a look at its type. Nothing of it
// is ever removed.
#pragma once

#include "absl/status/status.h"
#include "volumes/mounter.h"
#include "volumes/plugin.h"

namespace cubelet::volumes {

// Checks the type, and makes what a type ending in OrCreate asks for. Blocks.
absl::Status SetUpHostPath(const VolumeRequest& request, Mounter& mounter);

}  // namespace cubelet::volumes
