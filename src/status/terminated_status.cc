#include <algorithm>

#include "api/pod.h"
#include "status/container_statuses.h"
#include "status/lookup.h"
#include "status/pod_status.h"

namespace cubelet::status {
namespace {

bool HasRun(const v1::ContainerStatus& status) {
  return status.laststate().has_terminated() || !status.state().has_waiting();
}

bool LastInitDone(const v1::Pod& pod, const v1::PodStatus& status) {
  const v1::Container& last = *pod.spec().initcontainers().rbegin();
  const v1::ContainerStatus* found = FindStatus(status.initcontainerstatuses(), last.name());
  if (found == nullptr) return false;
  if (api::IsSidecar(last)) return found->started();
  return found->state().has_terminated() && found->state().terminated().exitcode() == 0;
}

// Regular containers may have run.
bool WasInitialized(const v1::Pod& pod, const v1::PodStatus& status) {
  if (pod.spec().initcontainers().empty()) return true;
  const auto& regular = status.containerstatuses();
  return std::any_of(regular.begin(), regular.end(), HasRun) || LastInitDone(pod, status);
}

void End(v1::ContainerStatus& status) {
  if (status.state().has_terminated()) return;
  *status.mutable_state() = LostState(kStatusUnknown, kLostMessage);
  // An init container that is not known to have succeeded is not ready, and nothing runs.
  status.set_ready(false);
  status.set_started(false);
}

// Those up to the last one that has run have been started; the first has in any case.
void EndInit(StatusList& statuses) {
  int last = 0;
  for (int i = 0; i < statuses.size(); ++i) {
    if (HasRun(statuses.Get(i))) last = i;
  }
  for (int i = 0; i <= last && i < statuses.size(); ++i) End(*statuses.Mutable(i));
}

}  // namespace

v1::PodStatus MakeTerminatedStatus(const v1::Pod& pod, v1::PodStatus status) {
  if (WasInitialized(pod, status)) {
    for (v1::ContainerStatus& container : *status.mutable_containerstatuses()) End(container);
  }
  EndInit(*status.mutable_initcontainerstatuses());
  if (!api::IsStatic(pod) && !IsTerminalPhase(status.phase())) status.set_phase(kFailed);
  return status;
}

}  // namespace cubelet::status
