// secret (volumes.md 3.4): files with the values of a Secret.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "volumes/key_files.h"
#include "volumes/plugin.h"

namespace cubelet::volumes {

// The files of a Secret of the pod's namespace; none when it does not exist and is optional.
// Errors: `secret "x" not found`, `references non-existent secret key: k`.
async::Task<absl::StatusOr<Payload>> SecretFiles(ContentRequest request, std::string name,
                                                 KeyFileOptions options);

async::Task<absl::StatusOr<Payload>> CollectSecret(ContentRequest request);

}  // namespace cubelet::volumes
