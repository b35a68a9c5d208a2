#include "status/explain.h"

#include <string>

#include "api/pod.h"
#include "base/strings.h"
#include "status/conditions.h"
#include "status/lookup.h"

namespace cubelet::status {
namespace {

// ": <text>" of what is not empty.
std::string Detail(std::string_view reason, std::string_view message) {
  std::string detail;
  if (!reason.empty()) StrAppend(&detail, ": ", reason);
  while (!message.empty() && (message.back() == '\n' || message.back() == ' '))
    message.remove_suffix(1);
  if (!message.empty()) StrAppend(&detail, ": ", message);
  return detail;
}

std::string Ended(const v1::ContainerStateTerminated& ended) {
  return StrCat(" has ended with exit code ", ended.exitcode(),
                Detail(ended.reason() == "Completed" ? "" : ended.reason(), ended.message()));
}

std::string Waiting(const v1::ContainerStatus& status) {
  const v1::ContainerStateWaiting& waiting = status.state().waiting();
  std::string text = StrCat(" is waiting", Detail(waiting.reason(), waiting.message()));
  if (waiting.reason() == "CrashLoopBackOff" && status.laststate().has_terminated()) {
    const v1::ContainerStateTerminated& last = status.laststate().terminated();
    StrAppend(&text, " (last ended with exit code ", last.exitcode(),
              Detail(last.reason(), last.message()), ")");
  }
  return text;
}

std::string StateOf(std::string_view subject, const v1::ContainerStatus* status) {
  if (status == nullptr) return StrCat(subject, " has no status yet");
  if (status->state().has_waiting()) return StrCat(subject, Waiting(*status));
  if (status->state().has_terminated()) return StrCat(subject, Ended(status->state().terminated()));
  return StrCat(subject, status->state().has_running() ? " is running" : " has no state yet");
}

// What keeps a running container from being ready.
std::string Unready(std::string_view what, const v1::Container& container,
                    const v1::ContainerStatus& status, const Circumstances& circumstances) {
  const bool startup = !status.started();
  const auto failure = circumstances.probe_failures.find(container.name());
  return StrCat(startup ? "startup" : "readiness", " probe of ", what, " ",
                GoQuote(container.name()), " has not succeeded",
                failure == circumstances.probe_failures.end() ? "" : Detail("", failure->second));
}

std::string WhyInit(const v1::Pod& pod, const v1::PodStatus& status,
                    const Circumstances& circumstances) {
  for (const v1::Container& container : pod.spec().initcontainers()) {
    const v1::ContainerStatus* found = FindStatus(status.initcontainerstatuses(), container.name());
    const bool sidecar = api::IsSidecar(container);
    if (found != nullptr && (sidecar ? found->started() : found->ready())) continue;
    if (sidecar && found != nullptr && found->state().has_running())
      return Unready("sidecar container", container, *found, circumstances);
    const char* what = sidecar ? "sidecar container " : "init container ";
    return StateOf(StrCat(what, GoQuote(container.name())), found);
  }
  return "";
}

std::string WhyContainer(std::string_view what, const v1::Container& container,
                         const v1::ContainerStatus* status, const Circumstances& circumstances) {
  if (status != nullptr && status->ready()) return "";
  if (status != nullptr && status->state().has_running())
    return Unready(what, container, *status, circumstances);
  return StateOf(StrCat(what, " ", GoQuote(container.name())), status);
}

std::string WhyContainers(const v1::Pod& pod, const v1::PodStatus& status,
                          const Circumstances& circumstances) {
  for (const v1::Container& container : pod.spec().containers()) {
    std::string why =
        WhyContainer("container", container,
                     FindStatus(status.containerstatuses(), container.name()), circumstances);
    if (!why.empty()) return why;
  }
  for (const v1::Container& container : pod.spec().initcontainers()) {
    if (!api::IsSidecar(container)) continue;
    std::string why =
        WhyContainer("sidecar container", container,
                     FindStatus(status.initcontainerstatuses(), container.name()), circumstances);
    if (!why.empty()) return why;
  }
  return "";
}

std::string WhyFailed(const v1::Pod& pod, const v1::PodStatus& status) {
  if (!status.reason().empty() || !status.message().empty())
    return StrCat("the pod has failed", Detail(status.reason(), status.message()));
  std::string first;
  api::ForEachContainer(pod, [&](const v1::Container& container, api::ContainerType type) {
    const bool init = type == api::ContainerType::kInit;
    const v1::ContainerStatus* found = FindStatus(
        init ? status.initcontainerstatuses() : status.containerstatuses(), container.name());
    if (!first.empty() || found == nullptr || !found->state().has_terminated()) return;
    if (found->state().terminated().exitcode() == 0) return;
    first = StrCat(": ", init ? "init " : "", "container ", GoQuote(container.name()),
                   Ended(found->state().terminated()));
  });
  return StrCat("the pod has failed", first);
}

// Containers that only wait because something before them failed do not tell why.
bool OnlyCreating(const v1::PodStatus& status) {
  for (const auto* list : {&status.initcontainerstatuses(), &status.containerstatuses()}) {
    for (const v1::ContainerStatus& container : *list) {
      const std::string& reason = container.state().waiting().reason();
      if (container.state().has_terminated() || container.state().has_running() ||
          (reason != "ContainerCreating" && reason != "PodInitializing"))
        return false;
    }
  }
  return true;
}

}  // namespace

std::string WhyNotReady(const v1::Pod& pod, const v1::PodStatus& status,
                        const Circumstances& circumstances) {
  if (status.phase() == kSucceeded) return "the pod has completed";
  if (status.phase() == kFailed) return WhyFailed(pod, status);
  const v1::PodCondition* ready = FindCondition(status, "Ready");
  if (ready != nullptr && ready->status() == kTrue) return "";
  if (pod.metadata().has_deletiontimestamp()) return "the pod is being deleted";
  const std::string& sync_error = circumstances.sync_error;
  if (!sync_error.empty() && (circumstances.before_containers || OnlyCreating(status)))
    return sync_error;
  std::string why = AnyRegularHasRun(status) ? "" : WhyInit(pod, status, circumstances);
  if (why.empty()) why = WhyContainers(pod, status, circumstances);
  if (why.empty()) why = sync_error;
  if (why.empty() && ready != nullptr) why = ready->message();
  return why.empty() ? "the pod has not been looked at yet" : why;
}

}  // namespace cubelet::status
