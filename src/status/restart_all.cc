#include "status/restart_all.h"

#include "api/pod.h"
#include "api/restart.h"
#include "status/lookup.h"

namespace cubelet::status {
namespace {

bool RecordTriggers(const v1::Container& container, const pleg::RuntimePod* runtime) {
  if (runtime == nullptr) return false;
  const pleg::ContainerRecord* record = runtime->FindByName(container.name());
  return record != nullptr && record->state == pleg::ContainerState::kExited &&
         api::RestartsAllContainers(container, record->exit_code);
}

bool StatusTriggers(const v1::Container& container, const v1::ContainerStatus* status) {
  return status != nullptr && status->state().has_terminated() &&
         api::RestartsAllContainers(container, status->state().terminated().exitcode());
}

bool Triggered(const v1::Pod& pod, const pleg::RuntimePod* runtime, const v1::PodStatus& old) {
  const v1::PodCondition* condition = FindCondition(old, "AllContainersRestarting");
  if (condition != nullptr && condition->status() == kTrue) return true;
  bool triggered = false;
  api::ForEachContainer(pod, [&](const v1::Container& container, api::ContainerType type) {
    const v1::ContainerStatus* status =
        type == api::ContainerType::kInit
            ? FindStatus(old.initcontainerstatuses(), container.name())
            : FindStatus(old.containerstatuses(), container.name());
    triggered =
        triggered || RecordTriggers(container, runtime) || StatusTriggers(container, status);
  });
  return triggered;
}

bool AnyRecord(const v1::Pod& pod, const pleg::RuntimePod* runtime) {
  if (runtime == nullptr) return false;
  bool any = false;
  api::ForEachContainer(pod, [&](const v1::Container& container, api::ContainerType) {
    any = any || runtime->FindByName(container.name()) != nullptr;
  });
  return any;
}

}  // namespace

RestartAll RestartAllStage(const v1::Pod& pod, const pleg::RuntimePod* runtime,
                           const v1::PodStatus& old) {
  if (!api::HasRestartAllRule(pod) || !Triggered(pod, runtime, old)) return RestartAll::kNone;
  return AnyRecord(pod, runtime) ? RestartAll::kInProgress : RestartAll::kAllRemoved;
}

}  // namespace cubelet::status
