#include "containers/linux_resources.h"

#include <algorithm>
#include <map>
#include <optional>

#include "api/pod.h"
#include "api/quantity.h"
#include "base/strings.h"
#include "cgroups/manager.h"

namespace cubelet::containers {
namespace {

using api::Quantity;

constexpr int64_t kGuaranteedScore = -997;
constexpr int64_t kBestEffortScore = 1000;
constexpr std::string_view kHugepagesPrefix = "hugepages-";

// What a cgroup is computed from. Limits of 0 mean none; without a request its limit stands in.
struct Amounts {
  std::optional<int64_t> cpu_request_millis;
  int64_t cpu_limit_millis = 0;
  int64_t memory_limit_bytes = 0;
};

criv1::LinuxContainerResources Compute(const Amounts& amounts, const NodeContext& node,
                                       bool exclusive_cpus) {
  criv1::LinuxContainerResources out;
  out.set_cpu_shares(static_cast<int64_t>(
      cgroups::SharesOf(amounts.cpu_request_millis.value_or(amounts.cpu_limit_millis))));
  out.set_memory_limit_in_bytes(amounts.memory_limit_bytes);
  if (node.cpu_cfs_quota) {
    const int64_t period = node.cpu_cfs_quota_period_us;
    out.set_cpu_period(period);
    out.set_cpu_quota(exclusive_cpus ? -1 : cgroups::QuotaOf(amounts.cpu_limit_millis, period));
  }
  if (node.cgroup_v2 && !node.single_process_oom_kill)
    (*out.mutable_unified())["memory.oom.group"] = "1";
  return out;
}

template <typename Map>
std::optional<Quantity> Find(const Map& amounts, std::string_view resource) {
  const auto entry = amounts.find(std::string(resource));
  if (entry == amounts.end()) return std::nullopt;
  return Quantity::ParseOrZero(entry->second.string());
}

// The container's limit, or the whole pod's when it has none.
Quantity EffectiveLimit(const v1::Pod& pod, const v1::Container& container,
                        std::string_view resource) {
  const Quantity own = Find(container.resources().limits(), resource).value_or(Quantity());
  if (!own.IsZero()) return own;
  return Find(pod.spec().resources().limits(), resource).value_or(Quantity());
}

int64_t MemoryRequest(const v1::Container& container) {
  return Find(container.resources().requests(), "memory").value_or(Quantity()).Value();
}

Amounts AmountsOf(const api::ResourceAmounts& requests, const api::ResourceAmounts& limits) {
  Amounts amounts;
  if (const auto cpu = requests.find("cpu"); cpu != requests.end())
    amounts.cpu_request_millis = cpu->second.MilliValue();
  if (const auto cpu = limits.find("cpu"); cpu != limits.end())
    amounts.cpu_limit_millis = cpu->second.MilliValue();
  if (const auto memory = limits.find("memory"); memory != limits.end())
    amounts.memory_limit_bytes = memory->second.Value();
  return amounts;
}

// ---- Huge pages

template <typename Limits>
void CollectHugepages(const Limits& limits, std::map<std::string, uint64_t>* by_size) {
  for (const auto& [resource, amount] : limits) {
    const std::string size = HugepageSizeName(resource);
    const int64_t bytes = Quantity::ParseOrZero(amount.string()).Value();
    if (!size.empty() && bytes > 0) (*by_size)[size] = static_cast<uint64_t>(bytes);
  }
}

void SetHugepages(const v1::Pod& pod, const v1::Container& container, const NodeContext& node,
                  criv1::LinuxContainerResources* out) {
  std::map<std::string, uint64_t> limits;
  CollectHugepages(pod.spec().resources().limits(), &limits);
  CollectHugepages(container.resources().limits(), &limits);
  for (const std::string& size : node.hugepage_sizes) {
    criv1::HugepageLimit* limit = out->add_hugepage_limits();
    limit->set_page_size(size);
    if (const auto wanted = limits.find(size); wanted != limits.end())
      limit->set_limit(wanted->second);
  }
}

// ---- Swap

// The part of the node's swap that goes with the container's part of its memory (4.5).
int64_t SwapShare(const v1::Pod& pod, const v1::Container& container, const NodeContext& node) {
  if (node.swap_behavior != SwapBehavior::kLimitedSwap || api::IsCritical(pod) ||
      api::GetQosClass(pod) != api::QosClass::kBurstable)
    return 0;
  const int64_t request = MemoryRequest(container);
  const int64_t limit = Find(container.resources().limits(), "memory").value_or(Quantity()).Value();
  if (request <= 0 || request == limit || node.memory_capacity_bytes <= 0 ||
      request > node.memory_capacity_bytes)
    return 0;
  return static_cast<int64_t>(static_cast<double>(request) /
                              static_cast<double>(node.memory_capacity_bytes) *
                              static_cast<double>(node.swap_capacity_bytes));
}

void SetSwap(const v1::Pod& pod, const v1::Container& container, const NodeContext& node,
             criv1::LinuxContainerResources* out) {
  if (!node.swap_controller_available) return;
  if (node.cgroup_v2)
    (*out->mutable_unified())["memory.swap.max"] = StrCat(SwapShare(pod, container, node));
  else
    out->set_memory_swap_limit_in_bytes(out->memory_limit_in_bytes());
}

// ---- Out-of-memory score

// What the pod asks for beyond its containers, per container.
int64_t SpareMemoryPerContainer(const v1::Pod& pod) {
  const auto pod_request = Find(pod.spec().resources().requests(), "memory");
  if (!pod_request || pod_request->IsZero()) return 0;
  Quantity regular, sidecars, peak;
  int64_t containers = 0;
  api::ForEachContainer(pod, [&](const v1::Container& container, api::ContainerType type) {
    ++containers;
    const Quantity own = Find(container.resources().requests(), "memory").value_or(Quantity());
    if (type == api::ContainerType::kRegular) {
      regular += own;
    } else if (api::IsSidecar(container)) {
      sidecars += own;
      peak = std::max(peak, sidecars);
    } else {
      peak = std::max(peak, sidecars + own);
    }
  });
  const Quantity sum = std::max(regular + sidecars, peak);
  return containers == 0 ? 0 : (*pod_request - sum).Value() / containers;
}

int64_t BurstableScore(int64_t memory_bytes, int64_t capacity_bytes) {
  const __int128 part = __int128{1000} * memory_bytes / capacity_bytes;
  return static_cast<int64_t>(std::clamp<__int128>(1000 - part, 1000 + kGuaranteedScore, 1000));
}

}  // namespace

criv1::LinuxContainerResources MakeContainerResources(const v1::Pod& pod,
                                                      const v1::Container& container,
                                                      const NodeContext& node,
                                                      const CpuAssignment& cpus) {
  Amounts amounts;
  if (const auto request = Find(container.resources().requests(), "cpu"))
    amounts.cpu_request_millis = request->MilliValue();
  amounts.cpu_limit_millis = EffectiveLimit(pod, container, "cpu").MilliValue();
  amounts.memory_limit_bytes = EffectiveLimit(pod, container, "memory").Value();
  criv1::LinuxContainerResources out = Compute(amounts, node, cpus.exclusive_cpus);
  out.set_oom_score_adj(OomScoreAdjust(pod, container, node.memory_capacity_bytes));
  out.set_cpuset_cpus(cpus.cpuset_cpus);
  out.set_cpuset_mems(cpus.cpuset_mems);
  SetHugepages(pod, container, node, &out);
  SetSwap(pod, container, node, &out);
  return out;
}

criv1::LinuxContainerResources MakeSandboxResources(const v1::Pod& pod, const NodeContext& node) {
  return Compute(AmountsOf(api::PodRequests(pod, false), api::PodLimits(pod, false)), node, false);
}

criv1::LinuxContainerResources MakeSandboxOverhead(const v1::Pod& pod, const NodeContext& node) {
  if (pod.spec().overhead().empty()) return {};
  const api::ResourceAmounts overhead = api::ToAmounts(pod.spec().overhead());
  return Compute(AmountsOf(overhead, overhead), node, false);
}

int64_t OomScoreAdjust(const v1::Pod& pod, const v1::Container& container,
                       int64_t memory_capacity_bytes) {
  if (api::IsNodeCritical(pod)) return kGuaranteedScore;
  const api::QosClass qos = api::GetQosClass(pod);
  if (qos == api::QosClass::kGuaranteed) return kGuaranteedScore;
  if (qos == api::QosClass::kBestEffort) return kBestEffortScore;
  // Unknown memory: as for a container that asks for none.
  if (memory_capacity_bytes <= 0) return kBestEffortScore - 1;
  const int64_t spare = SpareMemoryPerContainer(pod);
  int64_t score = BurstableScore(MemoryRequest(container) + spare, memory_capacity_bytes);
  api::ContainerType type = api::ContainerType::kEphemeral;
  api::FindContainer(pod, container.name(), &type);
  if (type == api::ContainerType::kInit && api::IsSidecar(container)) {
    // A sidecar goes no earlier than the regular container that asks for least.
    std::optional<int64_t> least;
    for (const v1::Container& regular : pod.spec().containers())
      least = std::min(least.value_or(MemoryRequest(regular)), MemoryRequest(regular));
    score = std::min(score, BurstableScore(least.value_or(0) + spare, memory_capacity_bytes));
  }
  return score == kBestEffortScore ? score - 1 : score;
}

std::string HugepageSizeName(std::string_view resource) {
  if (!resource.starts_with(kHugepagesPrefix)) return "";
  const auto size = Quantity::Parse(resource.substr(kHugepagesPrefix.size()));
  if (!size.ok() || size->Sign() <= 0) return "";
  constexpr const char* kUnits[] = {"B", "KB", "MB", "GB", "TB", "PB"};
  int64_t value = size->Value();
  size_t unit = 0;
  while (value % 1024 == 0 && unit + 1 < std::size(kUnits)) {
    value /= 1024;
    ++unit;
  }
  return StrCat(value, kUnits[unit]);
}

}  // namespace cubelet::containers
