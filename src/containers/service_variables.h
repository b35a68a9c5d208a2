// Variables that tell a container where the cluster's services are (containers.md 3.4.2). Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "api/types.h"

namespace cubelet::containers {

using Variables = std::vector<std::pair<std::string, std::string>>;

// Whether pods are told of it: it has an address of its own.
bool HasClusterIp(const v1::Service& service);

// Adds the variables of one service that has a cluster IP.
void AppendServiceVariables(const v1::Service& service, Variables* out);

}  // namespace cubelet::containers
