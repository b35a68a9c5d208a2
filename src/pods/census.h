// How many pods are in which state: what the gauges of pods show.
#pragma once

#include <array>
#include <cstddef>

namespace cubelet::pods {

struct PodCensus {
  enum Lifecycle : size_t { kSync, kTerminating, kTerminated, kLifecycles };
  // Whether its source still wants a pod that has a worker; kRuntimeOnly: no source ever did.
  enum Config : size_t { kDesired, kOrphan, kRuntimeOnly, kConfigs };
  enum Kind : size_t { kFromApi, kStatic, kKinds };
  using PerKind = std::array<int, kKinds>;

  PerKind desired = {};  // wanted by their sources
  PerKind active = {};   // counted when another pod asks for admission
  std::array<std::array<PerKind, kConfigs>, kLifecycles> working = {};  // those with a worker
  int ephemeral_containers = 0;                                         // in the specs of pods
};

}  // namespace cubelet::pods
