#include "pods/grace.h"

#include <algorithm>

namespace cubelet::pods {
namespace {

std::optional<int64_t> ProbeGraceSeconds(const v1::Container* container, KillReason reason) {
  if (container == nullptr) return std::nullopt;
  if (reason == KillReason::kStartupProbe &&
      container->startupprobe().has_terminationgraceperiodseconds())
    return container->startupprobe().terminationgraceperiodseconds();
  if (reason == KillReason::kLivenessProbe &&
      container->livenessprobe().has_terminationgraceperiodseconds())
    return container->livenessprobe().terminationgraceperiodseconds();
  return std::nullopt;
}

}  // namespace

int64_t ContainerGraceSeconds(const v1::Pod& pod, const v1::Container* container, KillReason reason,
                              std::optional<int64_t> override_seconds) {
  if (override_seconds) return *override_seconds;
  if (pod.metadata().has_deletiongraceperiodseconds())
    return pod.metadata().deletiongraceperiodseconds();
  if (pod.spec().has_terminationgraceperiodseconds())
    return ProbeGraceSeconds(container, reason)
        .value_or(pod.spec().terminationgraceperiodseconds());
  return kMinimumContainerGraceSeconds;
}

int64_t PodGraceSeconds(const v1::Pod& pod, int64_t current,
                        std::optional<int64_t> override_seconds) {
  int64_t grace = current;
  bool given = false;
  auto shrink_to = [&](int64_t seconds) {
    if (grace == 0 || seconds < grace) grace = seconds;
    given = true;
  };
  if (pod.metadata().has_deletiongraceperiodseconds())
    shrink_to(pod.metadata().deletiongraceperiodseconds());
  if (override_seconds) shrink_to(*override_seconds);
  if (!given && grace == 0) grace = pod.spec().terminationgraceperiodseconds();
  return std::max<int64_t>(grace, 1);
}

}  // namespace cubelet::pods
