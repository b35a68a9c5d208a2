#include "node/capacity.h"

#include <algorithm>
#include <limits>

#include "absl/strings/numbers.h"
#include "base/status.h"
#include "base/strings.h"

namespace cubelet::node {
namespace {

using api::Quantity;

constexpr char kHugePagePrefix[] = "hugepages-";

Quantity Bytes(uint64_t bytes) {
  const uint64_t largest = std::numeric_limits<int64_t>::max();
  return Quantity::FromInt(static_cast<int64_t>(std::min(bytes, largest)),
                           Quantity::Format::kBinarySi);
}

int64_t PodCapacity(const MachineFacts& machine, const CapacityConfig& config) {
  if (config.pods_per_core <= 0) return config.max_pods;
  return std::min(config.max_pods, machine.cpu_count * config.pods_per_core);
}

const char* ResourceOf(const std::string& signal) {
  if (signal == "memory.available") return "memory";
  if (signal == "nodefs.available") return "ephemeral-storage";
  return nullptr;
}

absl::Status BadThreshold(const std::string& signal, const std::string& value) {
  return absl::InvalidArgumentError(
      StrCat("evictionHard[", signal, "]: ", GoQuote(value), " is no quantity or percentage"));
}

// What a threshold keeps free. Shares are single precision, so that other kubelets on the same
// machine come to the same bytes. 0% and 100% switch a threshold off.
absl::StatusOr<Quantity> KeptFree(const std::string& signal, const std::string& value,
                                  const Quantity& capacity) {
  if (!value.ends_with('%')) {
    absl::StatusOr<Quantity> quantity = Quantity::Parse(value);
    return quantity.ok() ? quantity : BadThreshold(signal, value);
  }
  float percent = 0;
  if (!absl::SimpleAtof(value.substr(0, value.size() - 1), &percent) ||
      !(percent >= 0 && percent <= 100))
    return BadThreshold(signal, value);
  if (percent == 0 || percent == 100) return Quantity();
  const double share = percent / 100;
  return Bytes(static_cast<uint64_t>(static_cast<double>(capacity.Value()) * share));
}

absl::StatusOr<api::ResourceAmounts> Withheld(const api::ResourceAmounts& capacity,
                                              const CapacityConfig& config) {
  api::ResourceAmounts withheld;
  for (const api::ResourceAmounts* reserved : {&config.kube_reserved, &config.system_reserved}) {
    for (const auto& [name, amount] : *reserved) withheld[name] += amount;
  }
  if (config.ignore_eviction) return withheld;
  for (const auto& [signal, value] : config.eviction_hard) {
    const char* name = ResourceOf(signal);
    const auto whole = name == nullptr ? capacity.end() : capacity.find(name);
    if (whole == capacity.end()) continue;
    ASSIGN_OR_RETURN(const Quantity kept, KeptFree(signal, value, whole->second));
    withheld[name] += kept;
  }
  return withheld;
}

void Subtract(const Quantity& amount, Quantity& from) {
  from -= amount;
  if (from.Sign() < 0) from -= from;
}

}  // namespace

std::string HugePageResource(uint64_t page_bytes) {
  return StrCat(kHugePagePrefix, Bytes(page_bytes).ToString());
}

api::ResourceAmounts Capacity(const MachineFacts& machine, const CapacityConfig& config) {
  api::ResourceAmounts capacity;
  capacity["cpu"] = Quantity::FromInt(machine.cpu_count);
  capacity["memory"] = Bytes(machine.memory_bytes);
  capacity["pods"] = Quantity::FromInt(PodCapacity(machine, config));
  for (const auto& [page_bytes, bytes] : machine.hugepages)
    capacity[HugePageResource(page_bytes)] = Bytes(bytes);
  if (machine.nodefs_capacity_bytes.has_value())
    capacity["ephemeral-storage"] = Bytes(*machine.nodefs_capacity_bytes);
  return capacity;
}

absl::StatusOr<api::ResourceAmounts> Allocatable(const api::ResourceAmounts& capacity,
                                                 const CapacityConfig& config) {
  ASSIGN_OR_RETURN(const api::ResourceAmounts withheld, Withheld(capacity, config));
  api::ResourceAmounts allocatable = capacity;
  for (const auto& [name, amount] : withheld) {
    const auto entry = allocatable.find(name);
    if (entry != allocatable.end()) Subtract(amount, entry->second);
  }
  for (const auto& [name, amount] : capacity) {
    if (name.starts_with(kHugePagePrefix)) Subtract(amount, allocatable["memory"]);
  }
  return allocatable;
}

}  // namespace cubelet::node
