// What can be said of a pod from its object alone: names, kinds of containers, class of service,
// resources. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/quantity.h"
#include "api/types.h"

namespace cubelet::api {

// Annotations that the kubelet itself puts on pods.
inline constexpr char kConfigSourceAnnotation[] = "kubernetes.io/config.source";
inline constexpr char kConfigHashAnnotation[] = "kubernetes.io/config.hash";
inline constexpr char kConfigSeenAnnotation[] = "kubernetes.io/config.seen";
inline constexpr char kConfigMirrorAnnotation[] = "kubernetes.io/config.mirror";

// Sources of pods, the values of kConfigSourceAnnotation.
inline constexpr char kFileSource[] = "file";
inline constexpr char kHttpSource[] = "http";
inline constexpr char kApiSource[] = "api";

// "<name>_<namespace>(<uid>)", as messages name a pod.
std::string FormatPod(const v1::Pod& pod);

// "<name>_<namespace>"; static pods of the same full name run one after another.
std::string FullName(const v1::Pod& pod);

// "<namespace>/<name>", as log lines name a pod.
std::string PodKey(const v1::Pod& pod);

// The value of an annotation, null if the pod does not carry it.
const std::string* FindAnnotation(const v1::Pod& pod, std::string_view name);

bool IsStatic(const v1::Pod& pod);        // from a file or a URL
bool IsMirror(const v1::Pod& pod);        // stands in the API for a static pod
bool IsCritical(const v1::Pod& pod);      // static, mirror, or priority >= 2000000000
bool IsNodeCritical(const v1::Pod& pod);  // critical, of the class system-node-critical
bool IsTerminal(const v1::Pod& pod);      // status.phase is Succeeded or Failed

// An init container with restartPolicy Always: started in order, runs beside the others.
bool IsSidecar(const v1::Container& container);

enum class ContainerType { kInit, kRegular, kEphemeral };

// Calls `fn` for each init container (sidecars among them), then each regular one, in the order of
// the spec.
void ForEachContainer(const v1::Pod& pod,
                      const std::function<void(const v1::Container&, ContainerType)>& fn);

// An init or regular container by name, null if there is none.
const v1::Container* FindContainer(const v1::Pod& pod, std::string_view name,
                                   ContainerType* type = nullptr);

// An ephemeral container as an ordinary one: the two have the same wire form.
v1::Container AsContainer(const v1::EphemeralContainer& container);

// "spec.containers{name}", "spec.initContainers{name}", "spec.ephemeralContainers{name}": the part
// of the pod that an event is about.
std::string ContainerFieldPath(std::string_view name, ContainerType type);

// terminationGracePeriodSeconds, 30 when absent.
int64_t TerminationGraceSeconds(const v1::Pod& pod);

// ---- Class of service

enum class QosClass { kGuaranteed, kBurstable, kBestEffort };

// status.qosClass if set, otherwise from the spec (containers.md 4.9).
QosClass GetQosClass(const v1::Pod& pod);
const char* QosClassName(QosClass qos);  // "Guaranteed", "Burstable", "BestEffort"

// ---- Resources

// Amounts by resource name ("cpu", "memory", "hugepages-2Mi", ...).
using ResourceAmounts = std::map<std::string, Quantity>;

// Effective requests and limits of the pod (containers.md 4.10): init sequence against the sum of
// the others, pod-level values in place of the sums, overhead added where `with_overhead`.
ResourceAmounts PodRequests(const v1::Pod& pod, bool with_overhead = true);
ResourceAmounts PodLimits(const v1::Pod& pod, bool with_overhead = true);

// One amount of a container; absent when the key is.
std::optional<Quantity> FindRequest(const v1::Container& container, std::string_view resource);
std::optional<Quantity> FindLimit(const v1::Container& container, std::string_view resource);

// A schema's resource map as amounts; unreadable quantities count as zero (validation has refused
// them).
template <typename Map>
ResourceAmounts ToAmounts(const Map& map) {
  ResourceAmounts amounts;
  for (const auto& [name, quantity] : map) amounts[name] = Quantity::ParseOrZero(quantity.string());
  return amounts;
}

}  // namespace cubelet::api
