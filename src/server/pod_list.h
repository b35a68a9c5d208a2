// Bodies of /pods and /runningpods/.
#pragma once

#include <string>
#include <vector>

#include "api/types.h"

namespace cubelet::server {

// A v1 PodList as the API machinery writes it, with a newline at the end; `items` is null without
// pods.
std::string PodListJson(const std::vector<PodPtr>& pods);

}  // namespace cubelet::server
