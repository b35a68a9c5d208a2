// The images that the Node object names (node.md 2.2.4). Pure.
#pragma once

#include <vector>

#include "api/types.h"
#include "cri/types.h"

namespace cubelet::node {

// The largest images first, `max` of them (nodeStatusMaxImages; below 0: all); of each up to five
// names, digests before tags.
std::vector<v1::ContainerImage> StatusImages(const criv1::ListImagesResponse& images, int max);

}  // namespace cubelet::node
