// projected (volumes.md 3.6): files of several sources in one volume, later ones over earlier ones.
#pragma once

#include "absl/status/statusor.h"
#include "volumes/plugin.h"

namespace cubelet::volumes {

// Takes downwardAPI sources. Every other source comes from an API server: `cannot setup projected
// volume %v because kube client is not configured`.
async::Task<absl::StatusOr<Payload>> CollectProjected(ContentRequest request);

}  // namespace cubelet::volumes
