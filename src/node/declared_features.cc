#include "node/declared_features.h"

#include <algorithm>

namespace cubelet::node {
namespace {

// Gates that are declared under their own name. A feature stands here once the agent has it.
constexpr const char* kFeatures[] = {"RestartAllContainersOnContainerExits"};

}  // namespace

std::vector<std::string> DeclaredFeatures(const config::FeatureGates& gates) {
  std::vector<std::string> features;
  if (!gates.Enabled("NodeDeclaredFeatures")) return features;
  for (const char* feature : kFeatures) {
    if (gates.Enabled(feature)) features.emplace_back(feature);
  }
  std::sort(features.begin(), features.end());
  return features;
}

}  // namespace cubelet::node
