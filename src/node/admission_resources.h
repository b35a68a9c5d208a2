// Whether a pod's requests fit beside those of the others (pod-lifecycle.md 4.7.6, 4.7.7, 4.7.10).
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/pod.h"
#include "api/types.h"

namespace cubelet::node {

// One resource that does not suffice; cpu in millicores, all else in whole units.
struct Shortage {
  std::string resource;
  int64_t requested = 0;
  int64_t used = 0;
  int64_t capacity = 0;
};

// In the order pods, cpu, memory, ephemeral-storage, then the others by name. Extended resources
// that the node does not have at all are not its business.
std::vector<Shortage> FindShortages(const v1::Pod& pod, const std::vector<PodPtr>& others,
                                    const api::ResourceAmounts& allocatable);

// "example.com/gpu": with a domain that is not Kubernetes' own.
bool IsExtendedResource(std::string_view name);

}  // namespace cubelet::node
