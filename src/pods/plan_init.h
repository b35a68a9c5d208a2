// The part of a pod's plan that is about init containers and sidecars. Internal to plan.
#pragma once

#include <vector>

#include "pods/plan.h"

namespace cubelet::pods {

struct InitPlan {
  // Regular containers may start.
  bool initialized = false;
  // A step of the initialisation has failed for good.
  bool kill_pod = false;
  std::vector<int> start;  // in the order of the spec
  std::vector<ContainerKill> kill;
};

// pod-lifecycle.md 7.2.5, with the sandbox kept.
InitPlan PlanInit(const PlanInput& input);

}  // namespace cubelet::pods
