// Which ConfigMaps and Secrets of its namespace a pod names. Pure.
#pragma once

#include <set>
#include <string>

#include "api/types.h"

namespace cubelet::pods {

// Names.
struct ObjectReferences {
  std::set<std::string> config_maps;
  std::set<std::string> secrets;
};

// Those of a container's variables.
ObjectReferences EnvironmentReferences(const v1::Container& container);

// Those of the variables of all its containers, and of its configMap, secret and projected volumes
// (volumes.md 3.1.3).
ObjectReferences PodReferences(const v1::Pod& pod);

}  // namespace cubelet::pods
