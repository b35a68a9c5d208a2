#include "containers/labels.h"

#include <boost/json/array.hpp>

#include "api/codec.h"
#include "base/strings.h"
#include "containers/container_hash.h"

namespace cubelet::containers {
namespace {

void AddPodIdentity(const v1::Pod& pod, StringMap* labels) {
  (*labels)[kPodNameLabel] = pod.metadata().name();
  (*labels)[kPodNamespaceLabel] = pod.metadata().namespace_();
  (*labels)[kPodUidLabel] = pod.metadata().uid();
}

}  // namespace

StringMap SandboxLabels(const v1::Pod& pod) {
  StringMap labels(pod.metadata().labels().begin(), pod.metadata().labels().end());
  AddPodIdentity(pod, &labels);
  return labels;
}

StringMap ContainerLabels(const v1::Pod& pod, const v1::Container& container) {
  StringMap labels{{kContainerNameLabel, container.name()}};
  AddPodIdentity(pod, &labels);
  return labels;
}

StringMap ContainerAnnotations(const v1::Pod& pod, const v1::Container& container,
                               int restart_count) {
  StringMap annotations{
      {kHashAnnotation, ContainerHash(container)},
      {kRestartCountAnnotation, StrCat(restart_count)},
      {kMessagePathAnnotation, container.terminationmessagepath()},
      {kMessagePolicyAnnotation, container.terminationmessagepolicy()},
  };
  if (pod.metadata().has_deletiongraceperiodseconds())
    annotations[kDeletionGraceAnnotation] = StrCat(pod.metadata().deletiongraceperiodseconds());
  if (pod.spec().has_terminationgraceperiodseconds())
    annotations[kTerminationGraceAnnotation] = StrCat(pod.spec().terminationgraceperiodseconds());
  if (container.lifecycle().has_prestop())
    annotations[kPreStopAnnotation] =
        api::Serialize(api::ToJson(container.lifecycle().prestop()), true);
  if (!container.ports().empty()) {
    boost::json::array ports;
    for (const v1::ContainerPort& port : container.ports()) ports.push_back(api::ToJson(port));
    annotations[kPortsAnnotation] = api::Serialize(ports, true);
  }
  return annotations;
}

}  // namespace cubelet::containers
