// Numbers that cgroups are given, from what pods ask for (constants.md 4.4, containers.md 4.8).
#include <algorithm>
#include <limits>

#include "api/quantity.h"
#include "base/strings.h"
#include "cgroups/manager.h"

namespace cubelet::cgroups {
namespace {

constexpr uint64_t kMinShares = 2;
constexpr uint64_t kMaxShares = 262144;
constexpr int64_t kMinQuotaUs = 1000;

constexpr char kCpuResource[] = "cpu";
constexpr char kMemoryResource[] = "memory";
constexpr std::string_view kHugepagesPrefix = "hugepages-";

const api::Quantity& AmountOf(const api::ResourceAmounts& amounts, const std::string& resource) {
  static const api::Quantity kNone;
  const auto it = amounts.find(resource);
  return it == amounts.end() ? kNone : it->second;
}

// A sum of limits bounds the pod only if nothing in it is unlimited, or if the pod itself has a
// limit.
bool IsLimitDeclared(const v1::Pod& pod, const std::string& resource) {
  const auto& pod_limits = pod.spec().resources().limits();
  if (const auto it = pod_limits.find(resource); it != pod_limits.end())
    return !api::Quantity::ParseOrZero(it->second.string()).IsZero();
  bool declared = true;
  api::ForEachContainer(pod, [&](const v1::Container& container, api::ContainerType) {
    const std::optional<api::Quantity> limit = api::FindLimit(container, resource);
    declared = declared && limit && !limit->IsZero();
  });
  return declared;
}

// "2MB" of 2097152: sizes as the kernel's files name them.
std::string KernelSizeName(int64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KB", "MB", "GB", "TB", "PB"};
  size_t unit = 0;
  for (; bytes >= 1024 && bytes % 1024 == 0 && unit + 1 < std::size(kUnits); ++unit) bytes /= 1024;
  return StrCat(bytes, kUnits[unit]);
}

std::map<std::string, int64_t> HugepageLimits(const api::ResourceAmounts& requests,
                                              const std::vector<std::string>& node_sizes) {
  std::map<std::string, int64_t> limits;
  for (const std::string& size : node_sizes) limits[size] = 0;
  for (const auto& [resource, amount] : requests) {
    const std::string_view name = resource;
    if (!name.starts_with(kHugepagesPrefix)) continue;
    const auto page = api::Quantity::Parse(name.substr(kHugepagesPrefix.size()));
    if (page.ok() && page->Sign() > 0) limits[KernelSizeName(page->Value())] = amount.Value();
  }
  return limits;
}

}  // namespace

uint64_t SharesOf(int64_t cpu_millis) {
  if (cpu_millis <= 0) return kMinShares;
  // Above this many the product below would say the same, if it did not overflow.
  if (cpu_millis >= static_cast<int64_t>(kMaxShares) * 1000) return kMaxShares;
  return std::clamp(static_cast<uint64_t>(cpu_millis) * 1024 / 1000, kMinShares, kMaxShares);
}

uint64_t WeightOf(uint64_t cpu_shares) {
  const uint64_t shares = std::clamp(cpu_shares, kMinShares, kMaxShares);
  return 1 + (shares - 2) * 9999 / 262142;
}

int64_t QuotaOf(int64_t cpu_millis, int64_t period_us) {
  if (cpu_millis <= 0) return 0;
  const __int128 quota = static_cast<__int128>(cpu_millis) * period_us / 1000;
  if (quota > std::numeric_limits<int64_t>::max()) return std::numeric_limits<int64_t>::max();
  return std::max(static_cast<int64_t>(quota), kMinQuotaUs);
}

Resources PodResources(const v1::Pod& pod, const PodResourceOptions& options) {
  const api::ResourceAmounts requests = api::PodRequests(pod);
  const api::ResourceAmounts limits = api::PodLimits(pod);
  const api::QosClass qos = api::GetQosClass(pod);
  const bool guaranteed = qos == api::QosClass::kGuaranteed;
  const bool best_effort = qos == api::QosClass::kBestEffort;

  Resources resources;
  resources.cpu_shares =
      best_effort ? kMinShares : SharesOf(AmountOf(requests, kCpuResource).MilliValue());
  if (guaranteed || (!best_effort && IsLimitDeclared(pod, kCpuResource))) {
    resources.cpu_period_us = options.cpu_period_us;
    const int64_t quota = QuotaOf(AmountOf(limits, kCpuResource).MilliValue(),
                                  static_cast<int64_t>(options.cpu_period_us));
    resources.cpu_quota_us = options.enforce_cpu_limits && quota > 0 ? quota : -1;
  }
  if (guaranteed || (!best_effort && IsLimitDeclared(pod, kMemoryResource))) {
    const int64_t limit = AmountOf(limits, kMemoryResource).Value();
    if (limit > 0) resources.memory_limit_bytes = limit;
  }
  if (options.pids_limit > 0) resources.pids_limit = options.pids_limit;
  resources.hugepage_limits = HugepageLimits(requests, options.hugepage_sizes);
  return resources;
}

}  // namespace cubelet::cgroups
