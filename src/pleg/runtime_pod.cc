#include "pleg/runtime_pod.h"

#include <algorithm>

namespace cubelet::pleg {

const char* ContainerStateName(ContainerState state) {
  switch (state) {
    case ContainerState::kCreated:
      return "created";
    case ContainerState::kRunning:
      return "running";
    case ContainerState::kExited:
      return "exited";
    case ContainerState::kUnknown:
      return "unknown";
  }
  return "unknown";
}

const ContainerRecord* RuntimePod::FindByName(std::string_view container) const {
  auto it = std::find_if(containers.begin(), containers.end(),
                         [&](const ContainerRecord& record) { return record.name == container; });
  return it == containers.end() ? nullptr : &*it;
}

const ContainerRecord* RuntimePod::FindById(std::string_view id) const {
  auto it = std::find_if(containers.begin(), containers.end(),
                         [&](const ContainerRecord& record) { return record.id == id; });
  return it == containers.end() ? nullptr : &*it;
}

bool RuntimePod::AnyRunning() const {
  return std::any_of(containers.begin(), containers.end(),
                     [](const ContainerRecord& record) {
                       return record.state == ContainerState::kRunning;
                     }) ||
         std::any_of(sandboxes.begin(), sandboxes.end(),
                     [](const SandboxRecord& sandbox) { return sandbox.ready; });
}

}  // namespace cubelet::pleg
