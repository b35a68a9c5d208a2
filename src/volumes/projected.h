// projected (volumes.md 3.6): files of several sources in one volume, later ones over earlier ones.
#pragma once

#include "absl/status/statusor.h"
#include "volumes/plugin.h"

namespace cubelet::volumes {

// Takes configMap, secret, serviceAccountToken and downwardAPI sources; of these only the last
// without an API server: `cannot setup projected volume %v because kube client is not configured`.
// clusterTrustBundle and podCertificate are refused. Error: those of all sources.
async::Task<absl::StatusOr<Payload>> CollectProjected(ContentRequest request);

}  // namespace cubelet::volumes
