// The hash that tells whether a container is still the one its spec describes: over name and image
// only (constants.md 7.2). Equal to the Go kubelet's, so either takes over the other's containers.
#pragma once

#include <string>

#include "api/types.h"

namespace cubelet::containers {

// Lower-case hex without padding, as kHashAnnotation holds it.
std::string ContainerHash(const v1::Container& container);

}  // namespace cubelet::containers
