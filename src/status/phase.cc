#include "status/phase.h"

#include <algorithm>

#include "api/pod.h"
#include "api/restart.h"
#include "status/lookup.h"
#include "status/restart_all.h"

namespace cubelet::status {
namespace {

struct Counts {
  int pending_init = 0;
  int init_failed_for_good = 0;
  int pending_sidecars = 0;
  int unknown = 0;
  int waiting = 0;
  int running = 0;
  int stopped = 0;
  int stopped_for_good = 0;
  int succeeded = 0;
};

bool MayRestart(const v1::Pod& pod, const v1::Container& container,
                const v1::ContainerStateTerminated& ended) {
  return ended.reason() == kRestartingAllReason ||
         api::RestartsAfter(pod, container, ended.exitcode());
}

void CountInit(const v1::Pod& pod, const v1::Container& container,
               const v1::ContainerStatus* status, Counts& counts) {
  const v1::ContainerStateTerminated* ended = nullptr;
  if (status != nullptr && status->state().has_terminated()) {
    ended = &status->state().terminated();
  } else if (status != nullptr && status->state().has_waiting() &&
             status->laststate().has_terminated()) {
    ended = &status->laststate().terminated();
  }
  if (ended == nullptr) {
    ++counts.pending_init;
  } else if (ended->exitcode() != 0 && !MayRestart(pod, container, *ended)) {
    ++counts.init_failed_for_good;
  }
}

void CountSidecar(const v1::ContainerStatus* status, Counts& counts) {
  if (status == nullptr) {
    ++counts.unknown;
  } else if (status->state().has_running()) {
    ++counts.running;
    if (!status->started()) ++counts.pending_sidecars;
  } else if (status->state().has_waiting()) {
    if (status->laststate().has_terminated()) return;
    ++counts.pending_sidecars;
    ++counts.waiting;
  } else if (!status->state().has_terminated()) {
    ++counts.pending_sidecars;
    ++counts.unknown;
  }
}

void CountStopped(const v1::Pod& pod, const v1::Container& container,
                  const v1::ContainerStateTerminated& ended, Counts& counts) {
  ++counts.stopped;
  if (!MayRestart(pod, container, ended)) ++counts.stopped_for_good;
}

void CountRegular(const v1::Pod& pod, const v1::Container& container,
                  const v1::ContainerStatus* status, Counts& counts) {
  if (status != nullptr && status->state().has_running()) {
    ++counts.running;
  } else if (status != nullptr && status->state().has_terminated()) {
    CountStopped(pod, container, status->state().terminated(), counts);
    if (status->state().terminated().exitcode() == 0) ++counts.succeeded;
  } else if (status != nullptr && status->state().has_waiting()) {
    if (status->laststate().has_terminated()) {
      CountStopped(pod, container, status->laststate().terminated(), counts);
    } else {
      ++counts.waiting;
    }
  } else {
    ++counts.unknown;
  }
}

Counts Count(const v1::Pod& pod, const ContainerStatuses& statuses) {
  Counts counts;
  for (const v1::Container& container : pod.spec().initcontainers()) {
    const v1::ContainerStatus* status = FindStatus(statuses.init, container.name());
    if (api::IsSidecar(container)) {
      CountSidecar(status, counts);
    } else {
      CountInit(pod, container, status, counts);
    }
  }
  for (const v1::Container& container : pod.spec().containers())
    CountRegular(pod, container, FindStatus(statuses.regular, container.name()), counts);
  return counts;
}

bool RegularRecordInCurrentSandbox(const v1::Pod& pod, const pleg::RuntimePod* runtime) {
  if (runtime == nullptr || runtime->sandboxes.empty()) return false;
  const std::string& sandbox_id = runtime->sandboxes.front().id;
  return std::any_of(runtime->containers.begin(), runtime->containers.end(),
                     [&](const pleg::ContainerRecord& record) {
                       const auto& regular = pod.spec().containers();
                       return record.sandbox_id == sandbox_id &&
                              std::any_of(regular.begin(), regular.end(),
                                          [&](const v1::Container& container) {
                                            return container.name() == record.name;
                                          });
                     });
}

std::string EndedPhase(const v1::Pod& pod, const Counts& counts, bool terminal) {
  const char* verdict = counts.succeeded == counts.stopped ? kSucceeded : kFailed;
  if (terminal && !api::IsStatic(pod)) return verdict;
  return counts.stopped_for_good < counts.stopped ? kRunning : verdict;
}

}  // namespace

std::string ComputePhase(const v1::Pod& pod, const ContainerStatuses& statuses,
                         const pleg::RuntimePod* runtime, bool terminal) {
  const Counts counts = Count(pod, statuses);
  if (counts.init_failed_for_good > 0) return kFailed;
  if (counts.pending_init > 0) return kPending;
  if (counts.pending_sidecars > 0 && !RegularRecordInCurrentSandbox(pod, runtime)) return kPending;
  if (counts.waiting > 0) return kPending;
  if (counts.unknown > 0) return kPending;
  if (counts.running > 0) return kRunning;
  return counts.stopped > 0 ? EndedPhase(pod, counts, terminal) : kPending;
}

}  // namespace cubelet::status
