// configMap (volumes.md 3.3): files with the values of a ConfigMap.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "volumes/key_files.h"
#include "volumes/plugin.h"

namespace cubelet::volumes {

// The files of a ConfigMap of the pod's namespace; none when it does not exist and is optional.
// Errors: `configmap "x" not found`, `references non-existent config key: k`.
async::Task<absl::StatusOr<Payload>> ConfigMapFiles(ContentRequest request, std::string name,
                                                    KeyFileOptions options);

async::Task<absl::StatusOr<Payload>> CollectConfigMap(ContentRequest request);

}  // namespace cubelet::volumes
