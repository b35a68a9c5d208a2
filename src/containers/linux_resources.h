// cgroup values of containers and sandboxes as CRI carries them (containers.md 4). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "api/types.h"
#include "containers/node_context.h"
#include "cri/types.h"

namespace cubelet::containers {

// What other managers have decided for the container.
struct CpuAssignment {
  std::string cpuset_cpus;
  std::string cpuset_mems;
  bool exclusive_cpus = false;  // no quota then
};

criv1::LinuxContainerResources MakeContainerResources(const v1::Pod& pod,
                                                      const v1::Container& container,
                                                      const NodeContext& node,
                                                      const CpuAssignment& cpus);

// The sums of the pod without its overhead, and the overhead alone (1.10): for the runtime's
// information.
criv1::LinuxContainerResources MakeSandboxResources(const v1::Pod& pod, const NodeContext& node);
criv1::LinuxContainerResources MakeSandboxOverhead(const v1::Pod& pod, const NodeContext& node);

// -997 to 1000: whom the kernel kills first when memory is out (4.2). `container` is one of the
// pod's.
int64_t OomScoreAdjust(const v1::Pod& pod, const v1::Container& container,
                       int64_t memory_capacity_bytes);

// "hugepages-2Mi" as the kernel names the size: "2MB"; "" when it is no such resource.
std::string HugepageSizeName(std::string_view resource);

}  // namespace cubelet::containers
