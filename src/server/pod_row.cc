// How a pod is doing in a few words: the rules by which kubectl fills its table.
#include <algorithm>

#include "api/pod.h"
#include "base/strings.h"
#include "server/status_report.h"

namespace cubelet::server {
namespace {

absl::Time ToTime(const metav1::Time& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

bool IsTrue(const v1::PodStatus& status, std::string_view type) {
  return std::any_of(status.conditions().begin(), status.conditions().end(),
                     [&](const auto& c) { return c.type() == type && c.status() == "True"; });
}

// "OOMKilled", or what is known when the runtime gave no reason: "Signal:9", "ExitCode:1".
std::string EndOf(const v1::ContainerStateTerminated& end) {
  if (!end.reason().empty()) return end.reason();
  if (end.signal() != 0) return StrCat("Signal:", end.signal());
  return StrCat("ExitCode:", end.exitcode());
}

void NoteRestarts(const v1::ContainerStatus& container, PodRow& row) {
  row.restarts += container.restartcount();
  if (container.laststate().has_terminated()) {
    row.last_restart =
        std::max(row.last_restart, ToTime(container.laststate().terminated().finishedat()));
  }
}

const v1::Container* FindInit(const v1::Pod& pod, const std::string& name) {
  for (const v1::Container& container : pod.spec().initcontainers()) {
    if (container.name() == name) return &container;
  }
  return nullptr;
}

// What the init containers say; "" when they stand in nobody's way. Sidecars are counted in `row`
// like regular containers.
std::string InitStatus(const v1::Pod& pod, const v1::PodStatus& status, PodRow& row) {
  for (int i = 0; i < status.initcontainerstatuses_size(); ++i) {
    const v1::ContainerStatus& container = status.initcontainerstatuses(i);
    const v1::ContainerState& state = container.state();
    const v1::Container* const spec = FindInit(pod, container.name());
    const bool sidecar = spec != nullptr && api::IsSidecar(*spec);
    if (sidecar) NoteRestarts(container, row);
    if (state.has_terminated() && state.terminated().exitcode() == 0) continue;
    if (sidecar && container.started()) {
      row.ready_containers += container.ready() ? 1 : 0;
      continue;
    }
    if (state.has_terminated()) return StrCat("Init:", EndOf(state.terminated()));
    if (!state.waiting().reason().empty() && state.waiting().reason() != "PodInitializing")
      return StrCat("Init:", state.waiting().reason());
    return StrCat("Init:", i, "/", pod.spec().initcontainers_size());
  }
  return "";
}

// What the regular containers say, the first of the spec having the last word.
std::string ContainersStatus(const v1::PodStatus& status, std::string text, PodRow& row) {
  bool running = false;
  for (int i = status.containerstatuses_size() - 1; i >= 0; --i) {
    const v1::ContainerStatus& container = status.containerstatuses(i);
    const v1::ContainerState& state = container.state();
    NoteRestarts(container, row);
    if (!state.waiting().reason().empty()) {
      text = state.waiting().reason();
    } else if (state.has_terminated()) {
      text = EndOf(state.terminated());
    } else if (container.ready() && state.has_running()) {
      running = true;
      ++row.ready_containers;
    }
  }
  if (text == "Completed" && running) return row.ready ? "Running" : "NotReady";
  return text;
}

absl::Time CreationOf(const v1::Pod& pod, const v1::PodStatus& status) {
  if (pod.metadata().has_creationtimestamp()) return ToTime(pod.metadata().creationtimestamp());
  if (status.has_starttime()) return ToTime(status.starttime());
  return absl::InfinitePast();
}

}  // namespace

PodRow MakePodRow(const v1::Pod& pod, const v1::PodStatus& status, std::string reason) {
  PodRow row;
  row.name_space = pod.metadata().namespace_();
  row.name = pod.metadata().name();
  row.uid = pod.metadata().uid();
  row.ip = status.podip();
  row.phase = status.phase();
  row.ready = IsTrue(status, "Ready");
  row.created = CreationOf(pod, status);
  row.reason = std::move(reason);
  row.containers = pod.spec().containers_size();
  for (const v1::Container& container : pod.spec().initcontainers())
    row.containers += api::IsSidecar(container) ? 1 : 0;

  const std::string init = InitStatus(pod, status, row);
  row.status = status.reason().empty() ? status.phase() : status.reason();
  if (!init.empty()) row.status = init;
  if (init.empty() || IsTrue(status, "Initialized"))
    row.status = ContainersStatus(status, row.status, row);
  const bool ended = status.phase() == "Succeeded" || status.phase() == "Failed";
  if (pod.metadata().has_deletiontimestamp() && !ended) row.status = "Terminating";
  return row;
}

}  // namespace cubelet::server
