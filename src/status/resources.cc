#include "status/resources.h"

#include <string>

#include "api/pod.h"

namespace cubelet::status {
namespace {

using api::Quantity;
using QuantityMap =
    google::protobuf::Map<std::string, k8s::io::apimachinery::pkg::api::resource::Quantity>;

// Below these the kernel has no finer steps, so what is in force says nothing about what was asked.
constexpr int64_t kMinCpuLimitMillis = 10;
constexpr int64_t kMinCpuRequestMillis = 2;

void Set(QuantityMap& map, const std::string& name, const Quantity& quantity) {
  map[name].set_string(quantity.ToString());
}

Quantity Bytes(int64_t bytes) { return Quantity::FromInt(bytes, Quantity::Format::kBinarySi); }

int64_t MillisOf(const QuantityMap& map, const std::string& name) {
  const auto entry = map.find(name);
  return entry == map.end() ? 0 : Quantity::ParseOrZero(entry->second.string()).MilliValue();
}

void Keep(const QuantityMap& old, const std::string& name, QuantityMap& map) {
  const auto entry = old.find(name);
  if (entry != old.end()) map[name] = entry->second;
}

void OverlayCpu(std::optional<int64_t> actual_millis, int64_t smallest, const QuantityMap* old,
                QuantityMap& map) {
  if (!actual_millis.has_value()) {
    if (old != nullptr) Keep(*old, "cpu", map);
  } else if (*actual_millis > smallest || MillisOf(map, "cpu") > smallest) {
    // Equal amounts keep the way they were written.
    if (MillisOf(map, "cpu") != *actual_millis)
      Set(map, "cpu", Quantity::FromMilli(*actual_millis));
  }
}

void OverlayMemory(std::optional<int64_t> actual_bytes, const QuantityMap* old, QuantityMap& map) {
  if (!actual_bytes.has_value()) {
    if (old != nullptr) Keep(*old, "memory", map);
    return;
  }
  const auto entry = map.find("memory");
  const Quantity actual = Bytes(*actual_bytes);
  if (entry == map.end() || Quantity::ParseOrZero(entry->second.string()) != actual)
    Set(map, "memory", actual);
}

// The instance that `old` speaks of runs and ran: what it said of resources still holds.
const v1::ResourceRequirements* SameInstance(const v1::ContainerStatus* old,
                                             const v1::ContainerStatus& status) {
  const bool same = old != nullptr && old->has_resources() && old->state().has_running() &&
                    old->containerid() == status.containerid();
  return same ? &old->resources() : nullptr;
}

void SetAmounts(const api::ResourceAmounts& amounts, QuantityMap& map) {
  for (const auto& [name, amount] : amounts) Set(map, name, amount);
}

}  // namespace

void SetContainerResources(const v1::Container& container, const pleg::ContainerRecord& record,
                           const v1::ContainerStatus* old, v1::ContainerStatus& status) {
  *status.mutable_allocatedresources() = container.resources().requests();
  v1::ResourceRequirements& resources = *status.mutable_resources();
  resources = container.resources();
  if (record.state != pleg::ContainerState::kRunning) return;
  const pleg::ContainerRecord::Resources actual =
      record.resources.value_or(pleg::ContainerRecord::Resources{});
  const v1::ResourceRequirements* last = SameInstance(old, status);
  if (!resources.limits().empty()) {
    const QuantityMap* limits = last == nullptr ? nullptr : &last->limits();
    OverlayCpu(actual.cpu_limit_millis, kMinCpuLimitMillis, limits, *resources.mutable_limits());
    OverlayMemory(actual.memory_limit_bytes, limits, *resources.mutable_limits());
  }
  if (!resources.requests().empty()) {
    const QuantityMap* requests = last == nullptr ? nullptr : &last->requests();
    OverlayCpu(actual.cpu_request_millis, kMinCpuRequestMillis, requests,
               *resources.mutable_requests());
  }
}

void SetPodResources(const v1::Pod& pod, bool running, const PodCgroupValues* cgroup,
                     v1::PodStatus& status) {
  const api::ResourceAmounts requests = api::PodRequests(pod);
  SetAmounts(requests, *status.mutable_allocatedresources());
  v1::ResourceRequirements& resources = *status.mutable_resources();
  if (!running || cgroup == nullptr) {
    SetAmounts(requests, *resources.mutable_requests());
    SetAmounts(api::PodLimits(pod), *resources.mutable_limits());
    return;
  }
  resources = pod.spec().resources();
  resources.clear_claims();
  const auto memory = requests.find("memory");
  if (memory != requests.end()) Set(*resources.mutable_requests(), "memory", memory->second);
  if (cgroup->cpu_request_millis.has_value())
    OverlayCpu(cgroup->cpu_request_millis, kMinCpuRequestMillis, nullptr,
               *resources.mutable_requests());
  if (cgroup->cpu_limit_millis.has_value())
    OverlayCpu(cgroup->cpu_limit_millis, kMinCpuLimitMillis, nullptr, *resources.mutable_limits());
  if (cgroup->memory_limit_bytes.has_value())
    OverlayMemory(cgroup->memory_limit_bytes, nullptr, *resources.mutable_limits());
}

}  // namespace cubelet::status
