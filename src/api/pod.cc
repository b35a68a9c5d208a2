#include "api/pod.h"

#include <algorithm>

#include "base/strings.h"

namespace cubelet::api {
namespace {

constexpr int32_t kSystemCriticalPriority = 2'000'000'000;
constexpr int64_t kDefaultTerminationGraceSeconds = 30;

void Add(ResourceAmounts& total, const ResourceAmounts& amounts) {
  for (const auto& [name, amount] : amounts) total[name] += amount;
}

void RaiseTo(ResourceAmounts& total, const ResourceAmounts& amounts) {
  for (const auto& [name, amount] : amounts) {
    auto [entry, added] = total.emplace(name, amount);
    if (!added && entry->second < amount) entry->second = amount;
  }
}

enum class Side { kRequests, kLimits };

ResourceAmounts AmountsOf(const v1::ResourceRequirements& resources, Side side) {
  return side == Side::kRequests ? ToAmounts(resources.requests()) : ToAmounts(resources.limits());
}

// Sidecars run beside all that comes after them, other init containers alone with the sidecars
// before them.
ResourceAmounts ContainerAmounts(const v1::Pod& pod, Side side) {
  ResourceAmounts running;
  for (const v1::Container& container : pod.spec().containers())
    Add(running, AmountsOf(container.resources(), side));
  ResourceAmounts sidecars, init_peak;
  for (const v1::Container& container : pod.spec().initcontainers()) {
    ResourceAmounts amounts = AmountsOf(container.resources(), side);
    if (IsSidecar(container)) {
      Add(running, amounts);
      Add(sidecars, amounts);
      RaiseTo(init_peak, sidecars);
    } else {
      Add(amounts, sidecars);
      RaiseTo(init_peak, amounts);
    }
  }
  RaiseTo(running, init_peak);
  return running;
}

bool IsPodLevelResource(std::string_view name) {
  return name == "cpu" || name == "memory" || name.starts_with("hugepages-");
}

ResourceAmounts WithPodLevel(const v1::Pod& pod, Side side) {
  ResourceAmounts amounts = ContainerAmounts(pod, side);
  for (const auto& [name, amount] : AmountsOf(pod.spec().resources(), side)) {
    if (IsPodLevelResource(name)) amounts[name] = amount;
  }
  return amounts;
}

template <typename Map>
std::optional<Quantity> FindAmount(const Map& map, std::string_view resource) {
  const auto entry = map.find(std::string(resource));
  if (entry == map.end()) return std::nullopt;
  return Quantity::ParseOrZero(entry->second.string());
}

bool IsPodLevelSet(const v1::Pod& pod) {
  const auto supported = [](const auto& map) {
    return std::any_of(map.begin(), map.end(),
                       [](const auto& entry) { return IsPodLevelResource(entry.first); });
  };
  return supported(pod.spec().resources().requests()) || supported(pod.spec().resources().limits());
}

// Only amounts of cpu and memory above zero tell the class of service.
ResourceAmounts QosAmounts(const v1::ResourceRequirements& resources, Side side) {
  ResourceAmounts amounts;
  for (const auto& [name, amount] : AmountsOf(resources, side)) {
    if ((name == "cpu" || name == "memory") && amount.Sign() > 0) amounts[name] = amount;
  }
  return amounts;
}

QosClass ComputeQosClass(const v1::Pod& pod) {
  ResourceAmounts requests, limits;
  bool all_limited = true;
  const auto count = [&](const v1::ResourceRequirements& resources) {
    const ResourceAmounts own_limits = QosAmounts(resources, Side::kLimits);
    all_limited = all_limited && own_limits.size() == 2;
    Add(requests, QosAmounts(resources, Side::kRequests));
    Add(limits, own_limits);
  };
  if (IsPodLevelSet(pod)) {
    count(pod.spec().resources());
  } else {
    ForEachContainer(pod, [&count](const v1::Container& container, ContainerType) {
      count(container.resources());
    });
  }
  if (requests.empty() && limits.empty()) return QosClass::kBestEffort;
  return all_limited && requests == limits ? QosClass::kGuaranteed : QosClass::kBurstable;
}

}  // namespace

std::string FormatPod(const v1::Pod& pod) {
  return StrCat(FullName(pod), "(", pod.metadata().uid(), ")");
}

std::string FullName(const v1::Pod& pod) {
  return StrCat(pod.metadata().name(), "_", pod.metadata().namespace_());
}

std::string PodKey(const v1::Pod& pod) {
  return StrCat(pod.metadata().namespace_(), "/", pod.metadata().name());
}

const std::string* FindAnnotation(const v1::Pod& pod, std::string_view name) {
  const auto entry = pod.metadata().annotations().find(std::string(name));
  return entry == pod.metadata().annotations().end() ? nullptr : &entry->second;
}

bool IsStatic(const v1::Pod& pod) {
  const std::string* source = FindAnnotation(pod, kConfigSourceAnnotation);
  return source != nullptr && *source != kApiSource;
}

bool IsMirror(const v1::Pod& pod) {
  return FindAnnotation(pod, kConfigMirrorAnnotation) != nullptr;
}

bool IsCritical(const v1::Pod& pod) {
  return IsStatic(pod) || IsMirror(pod) || pod.spec().priority() >= kSystemCriticalPriority;
}

bool IsNodeCritical(const v1::Pod& pod) {
  return IsCritical(pod) && pod.spec().priorityclassname() == "system-node-critical";
}

bool IsTerminal(const v1::Pod& pod) {
  return pod.status().phase() == "Succeeded" || pod.status().phase() == "Failed";
}

bool IsSidecar(const v1::Container& container) { return container.restartpolicy() == "Always"; }

void ForEachContainer(const v1::Pod& pod,
                      const std::function<void(const v1::Container&, ContainerType)>& fn) {
  for (const v1::Container& container : pod.spec().initcontainers())
    fn(container, ContainerType::kInit);
  for (const v1::Container& container : pod.spec().containers())
    fn(container, ContainerType::kRegular);
}

const v1::Container* FindContainer(const v1::Pod& pod, std::string_view name, ContainerType* type) {
  const v1::Container* found = nullptr;
  ForEachContainer(pod, [&](const v1::Container& container, ContainerType its_type) {
    if (found != nullptr || container.name() != name) return;
    found = &container;
    if (type != nullptr) *type = its_type;
  });
  return found;
}

v1::Container AsContainer(const v1::EphemeralContainer& container) {
  v1::Container out;
  // The schema gives the two messages the same fields under the same numbers.
  out.ParsePartialFromString(container.ephemeralcontainercommon().SerializePartialAsString());
  return out;
}

std::string ContainerFieldPath(std::string_view name, ContainerType type) {
  switch (type) {
    case ContainerType::kInit:
      return StrCat("spec.initContainers{", name, "}");
    case ContainerType::kEphemeral:
      return StrCat("spec.ephemeralContainers{", name, "}");
    case ContainerType::kRegular:
      break;
  }
  return StrCat("spec.containers{", name, "}");
}

int64_t TerminationGraceSeconds(const v1::Pod& pod) {
  return pod.spec().has_terminationgraceperiodseconds() ? pod.spec().terminationgraceperiodseconds()
                                                        : kDefaultTerminationGraceSeconds;
}

QosClass GetQosClass(const v1::Pod& pod) {
  for (const QosClass qos : {QosClass::kGuaranteed, QosClass::kBurstable, QosClass::kBestEffort}) {
    if (pod.status().qosclass() == QosClassName(qos)) return qos;
  }
  return ComputeQosClass(pod);
}

const char* QosClassName(QosClass qos) {
  switch (qos) {
    case QosClass::kGuaranteed:
      return "Guaranteed";
    case QosClass::kBurstable:
      return "Burstable";
    case QosClass::kBestEffort:
      break;
  }
  return "BestEffort";
}

ResourceAmounts PodRequests(const v1::Pod& pod, bool with_overhead) {
  ResourceAmounts requests = WithPodLevel(pod, Side::kRequests);
  if (with_overhead) Add(requests, ToAmounts(pod.spec().overhead()));
  return requests;
}

ResourceAmounts PodLimits(const v1::Pod& pod, bool with_overhead) {
  ResourceAmounts limits = WithPodLevel(pod, Side::kLimits);
  if (!with_overhead) return limits;
  // What has no limit gets none from the overhead.
  for (const auto& [name, amount] : ToAmounts(pod.spec().overhead())) {
    const auto limit = limits.find(name);
    if (limit != limits.end() && !limit->second.IsZero()) limit->second += amount;
  }
  return limits;
}

std::optional<Quantity> FindRequest(const v1::Container& container, std::string_view resource) {
  return FindAmount(container.resources().requests(), resource);
}

std::optional<Quantity> FindLimit(const v1::Container& container, std::string_view resource) {
  return FindAmount(container.resources().limits(), resource);
}

}  // namespace cubelet::api
