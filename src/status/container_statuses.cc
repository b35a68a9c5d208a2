#include "status/container_statuses.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "api/pod.h"
#include "api/restart.h"
#include "status/lookup.h"
#include "status/record_status.h"

namespace cubelet::status {
namespace {

constexpr char kDeletedMessage[] =
    "The container could not be located when the pod was deleted.  The container used to be "
    "Running";
constexpr char kTreatedAsDoneMessage[] =
    "Unable to get init container status from container runtime and pod has been initialized, "
    "treat it as exited normally";

// One of the three lists of the spec, and what was reported of it.
struct ContainerList {
  std::vector<const v1::Container*> containers;
  const StatusList* old;
  bool is_init = false;
  bool has_resources = true;
};

class ListBuilder {
 public:
  ListBuilder(const StatusInput& input, const ContainerList& list, RestartAll restart_all)
      : input_(input), list_(list), restarting_all_(restart_all != RestartAll::kNone) {}

  StatusList Build() const {
    StatusList statuses;
    for (const v1::Container* container : list_.containers)
      *statuses.Add() = Make(*container, FindStatus(*list_.old, container->name()));
    if (!list_.is_init) {
      std::sort(statuses.pointer_begin(), statuses.pointer_end(),
                [](const auto* a, const auto* b) { return a->name() < b->name(); });
    }
    return statuses;
  }

 private:
  v1::ContainerStatus Make(const v1::Container& container, const v1::ContainerStatus* old) const {
    v1::ContainerStatus status = FromSpec(container, old);
    if (Newest(container) != nullptr) {
      FromRecords(container, old, status);
    } else if (old != nullptr) {
      InferFromAbsence(*old, status);
    }
    OverlayReason(container, status);
    SetMountedImages(status);
    return status;
  }

  const pleg::ContainerRecord* Newest(const v1::Container& container) const {
    return input_.runtime == nullptr ? nullptr : input_.runtime->FindByName(container.name());
  }

  std::string DefaultReason() const {
    return input_.pod->spec().initcontainers().empty() ? "ContainerCreating" : "PodInitializing";
  }

  bool IsReadOnlyRecursively(const v1::VolumeMount& mount) const {
    return mount.recursivereadonly() == "Enabled" ||
           (mount.recursivereadonly() == "IfPossible" && input_.recursive_read_only_mounts);
  }

  void AddMounts(const v1::Container& container, v1::ContainerStatus& status) const {
    for (const v1::VolumeMount& mount : container.volumemounts()) {
      v1::VolumeMountStatus* out = status.add_volumemounts();
      out->set_name(mount.name());
      out->set_mountpath(mount.mountpath());
      if (!mount.readonly()) continue;
      out->set_readonly(true);
      out->set_recursivereadonly(IsReadOnlyRecursively(mount) ? "Enabled" : "Disabled");
    }
  }

  v1::ContainerStatus FromSpec(const v1::Container& container,
                               const v1::ContainerStatus* old) const {
    if (old != nullptr && old->state().has_terminated()) return *old;
    v1::ContainerStatus status;
    status.set_name(container.name());
    status.set_image(container.image());
    status.set_imageid("");
    status.set_restartcount(old == nullptr ? 0 : old->restartcount());
    *status.mutable_state() = WaitingState(DefaultReason());
    status.mutable_laststate();
    if (old != nullptr) *status.mutable_laststate() = old->laststate();
    AddMounts(container, status);
    return status;
  }

  // The runtime has no record of what was reported before: it was removed, by us or behind our
  // back.
  void InferFromAbsence(const v1::ContainerStatus& old, v1::ContainerStatus& status) const {
    if (restarting_all_ && !old.state().has_waiting()) {
      *status.mutable_state() = WaitingState(kRestartingAllReason, kRestartingAllMessage);
      *status.mutable_laststate() = LostState(kRestartingAllReason, kRestartingAllMessage);
      status.set_restartcount(old.restartcount() + 1);
      return;
    }
    if (!old.state().has_running() || status.laststate().has_terminated()) return;
    *status.mutable_laststate() = LostState(kStatusUnknown, kDeletedMessage);
    if (!input_.pod->metadata().has_deletiontimestamp())
      status.set_restartcount(status.restartcount() + 1);
  }

  // The newest record is the status, the one before it the last state.
  void FromRecords(const v1::Container& container, const v1::ContainerStatus* old,
                   v1::ContainerStatus& status) const {
    const v1::Container* resources = list_.has_resources ? &container : nullptr;
    bool first = true;
    for (const pleg::ContainerRecord& record : input_.runtime->containers) {
      if (record.name != container.name()) continue;
      v1::ContainerStatus made = MakeRecordStatus(input_, record, resources, old, restarting_all_);
      if (!first) {
        *status.mutable_laststate() = made.state();
        return;
      }
      if (made.volumemounts().empty()) AddMounts(container, made);
      status = std::move(made);
      first = false;
    }
  }

  bool IsInitialized() const {
    const auto& containers = input_.pod->spec().containers();
    return input_.runtime != nullptr &&
           std::any_of(containers.begin(), containers.end(), [this](const v1::Container& regular) {
             const pleg::ContainerRecord* record = input_.runtime->FindByName(regular.name());
             return record != nullptr && record->state != pleg::ContainerState::kUnknown;
           });
  }

  // True when the init container has run and nothing more is to be said.
  bool OverlayDoneInit(const v1::Container& container, v1::ContainerStatus& status) const {
    const pleg::ContainerRecord* record = Newest(container);
    if (record != nullptr)
      return record->state == pleg::ContainerState::kExited && record->exit_code == 0;
    if (api::IsSidecar(container) || !status.state().has_waiting() || !IsInitialized())
      return false;
    v1::ContainerState state;
    state.mutable_terminated()->set_exitcode(0);
    state.mutable_terminated()->set_reason("Completed");
    state.mutable_terminated()->set_message(kTreatedAsDoneMessage);
    *status.mutable_state() = state;
    return true;
  }

  // A container whose start has failed is waiting, whatever its last instance came to.
  void OverlayReason(const v1::Container& container, v1::ContainerStatus& status) const {
    if (list_.is_init && OverlayDoneInit(container, status)) return;
    if (!ShouldBeRestarted(*input_.pod, container, input_.runtime.get())) return;
    const auto failure = input_.start_failures.find(container.name());
    if (failure == input_.start_failures.end()) return;
    if (status.state().has_terminated()) *status.mutable_laststate() = status.state();
    *status.mutable_state() = WaitingState(failure->second.reason, failure->second.message);
  }

  void SetMountedImages(v1::ContainerStatus& status) const {
    for (v1::VolumeMountStatus& mount : *status.mutable_volumemounts()) {
      const auto image = input_.image_volumes.find(mount.name());
      if (image == input_.image_volumes.end()) continue;
      mount.mutable_volumestatus()->mutable_image()->set_imageref(image->second);
    }
  }

  const StatusInput& input_;
  const ContainerList& list_;
  const bool restarting_all_;
};

const ContainerHealth* FindHealth(const StatusInput& input, const std::string& name) {
  const auto entry = input.health.find(name);
  return entry == input.health.end() ? nullptr : &entry->second;
}

void ApplyHealthTo(const StatusInput& input, const ContainerList& list, StatusList& statuses) {
  for (v1::ContainerStatus& status : statuses) {
    for (const v1::Container* container : list.containers) {
      if (container->name() == status.name())
        ApplyHealth(*container, list.is_init, FindHealth(input, container->name()), status);
    }
  }
}

template <typename List>
std::vector<const v1::Container*> PointersTo(const List& list) {
  std::vector<const v1::Container*> pointers;
  for (const v1::Container& container : list) pointers.push_back(&container);
  return pointers;
}

}  // namespace

bool ShouldBeRestarted(const v1::Pod& pod, const v1::Container& container,
                       const pleg::RuntimePod* runtime) {
  if (pod.metadata().has_deletiontimestamp()) return false;
  const pleg::ContainerRecord* record =
      runtime == nullptr ? nullptr : runtime->FindByName(container.name());
  if (record == nullptr) return true;
  if (record->state == pleg::ContainerState::kRunning) return false;
  if (record->state != pleg::ContainerState::kExited) return true;
  return api::RestartsAfter(pod, container, record->exit_code);
}

void ApplyHealth(const v1::Container& container, bool is_init, const ContainerHealth* health,
                 v1::ContainerStatus& status) {
  const bool running = status.state().has_running();
  const bool started = running && (health == nullptr || health->started);
  status.set_started(started);
  if (is_init && !api::IsSidecar(container)) {
    const v1::ContainerState& state = status.state();
    status.set_ready(state.has_terminated() && state.terminated().exitcode() == 0);
  } else {
    status.set_ready(started && (health == nullptr || health->ready));
  }
}

ContainerStatuses MakeContainerStatuses(const StatusInput& input, const v1::PodStatus& old,
                                        RestartAll restart_all) {
  const v1::PodSpec& spec = input.pod->spec();
  std::vector<v1::Container> debug_containers;
  for (const v1::EphemeralContainer& container : spec.ephemeralcontainers())
    debug_containers.push_back(api::AsContainer(container));
  const ContainerList init{PointersTo(spec.initcontainers()), &old.initcontainerstatuses(), true};
  const ContainerList regular{PointersTo(spec.containers()), &old.containerstatuses()};
  const ContainerList ephemeral{PointersTo(debug_containers), &old.ephemeralcontainerstatuses(),
                                false, false};

  ContainerStatuses statuses;
  statuses.init = ListBuilder(input, init, restart_all).Build();
  statuses.regular = ListBuilder(input, regular, restart_all).Build();
  statuses.ephemeral = ListBuilder(input, ephemeral, RestartAll::kNone).Build();
  ApplyHealthTo(input, init, statuses.init);
  ApplyHealthTo(input, regular, statuses.regular);
  for (v1::ContainerStatus& status : statuses.ephemeral) {
    status.clear_started();
    status.set_ready(false);
  }
  return statuses;
}

}  // namespace cubelet::status
