// Names of images as the distribution reference grammar has them, and the default tag. Pure.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace cubelet::images {

// The parts of a name. "busybox" is {docker.io, library/busybox, "", ""},
// "[::1]:5000/a/b:v1@sha256:<hex>" is {[::1]:5000, a/b, v1, sha256:<hex>}.
struct ImageName {
  std::string domain;  // registry host with port; docker.io when the name has none
  std::string path;    // repository in the registry; library/... for one-word names of docker.io
  std::string tag;     // "" when absent
  std::string digest;  // "<algorithm>:<hex>", "" when absent
};

// Error (INVALID_ARGUMENT): `couldn't parse image name "<image>": <what is wrong>`, in the words
// that stand in the events of other kubelets.
absl::StatusOr<ImageName> ParseImageName(std::string_view image);

// `image` with ":latest" behind it when it has neither tag nor digest, otherwise as it is: the
// registry and "library/" are not written into the name, that is the runtime's affair. Errors as
// ParseImageName.
absl::StatusOr<std::string> WithDefaultTag(std::string_view image);

}  // namespace cubelet::images
