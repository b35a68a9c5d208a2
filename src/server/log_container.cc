#include "server/log_container.h"

#include "base/strings.h"

namespace cubelet::server {
namespace {

template <typename List>
bool HasName(const List& containers, std::string_view name) {
  for (const auto& container : containers) {
    if (container.name() == name) return true;
  }
  return false;
}

template <typename List>
const v1::ContainerStatus* Find(const List& statuses, std::string_view name) {
  for (const v1::ContainerStatus& status : statuses) {
    if (status.name() == name) return &status;
  }
  return nullptr;
}

std::string WhyWaiting(const v1::ContainerStateWaiting& waiting) {
  if (waiting.reason() == "ErrImagePull") return "image can't be pulled";
  if (waiting.reason() == "ImagePullBackOff") return "trying and failing to pull image";
  return waiting.reason();
}

}  // namespace

bool HasContainer(const v1::Pod& pod, std::string_view container) {
  if (HasName(pod.spec().containers(), container)) return true;
  if (HasName(pod.spec().initcontainers(), container)) return true;
  for (const auto& ephemeral : pod.spec().ephemeralcontainers()) {
    if (ephemeral.ephemeralcontainercommon().name() == container) return true;
  }
  return false;
}

absl::StatusOr<std::string> ChooseLogContainer(const v1::PodStatus& status, std::string_view pod,
                                               std::string_view container, bool previous) {
  const std::string subject = StrCat("container ", GoQuote(container), " in pod ", GoQuote(pod));
  const v1::ContainerStatus* found = Find(status.containerstatuses(), container);
  if (found == nullptr) found = Find(status.initcontainerstatuses(), container);
  if (found == nullptr) found = Find(status.ephemeralcontainerstatuses(), container);
  if (found == nullptr) return absl::FailedPreconditionError(StrCat(subject, " is not available"));
  const std::string& last = found->laststate().terminated().containerid();
  if (previous) {
    if (last.empty())
      return absl::FailedPreconditionError(StrCat("previous terminated ", subject, " not found"));
    return last;
  }
  const v1::ContainerState& state = found->state();
  if (state.has_running()) return found->containerid();
  // Of one that could not be started there is no id.
  if (state.has_terminated() && !state.terminated().containerid().empty())
    return state.terminated().containerid();
  if (!last.empty()) return last;
  if (state.has_terminated() || found->laststate().has_terminated())
    return absl::FailedPreconditionError(StrCat(subject, " is terminated"));
  if (state.has_waiting()) {
    return absl::FailedPreconditionError(
        StrCat(subject, " is waiting to start: ", WhyWaiting(state.waiting())));
  }
  return absl::FailedPreconditionError(StrCat(subject, " is waiting to start - no logs yet"));
}

}  // namespace cubelet::server
