// What of Kubernetes' younger features this agent can do, as the Node object declares it
// (status.declaredFeatures): the API server and the scheduler keep pods away that need others.
#pragma once

#include <string>
#include <vector>

#include "config/gates.h"

namespace cubelet::node {

// Sorted by name; none when the gate NodeDeclaredFeatures is off.
std::vector<std::string> DeclaredFeatures(const config::FeatureGates& gates);

}  // namespace cubelet::node
