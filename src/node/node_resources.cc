#include "node/node_resources.h"

#include <string>
#include <string_view>
#include <vector>

#include "api/pod.h"
#include "node/admission_resources.h"

namespace cubelet::node {
namespace {

using api::Quantity;
using QuantityMap =
    google::protobuf::Map<std::string, ::k8s::io::apimachinery::pkg::api::resource::Quantity>;

bool IsHugePages(std::string_view name) { return name.starts_with("hugepages-"); }

Quantity AmountOf(const QuantityMap& map, const std::string& name) {
  const auto it = map.find(name);
  return it == map.end() ? Quantity() : Quantity::ParseOrZero(it->second.string());
}

// An equal amount keeps its spelling, so that it is no change.
void SetAmount(QuantityMap& map, const std::string& name, const Quantity& amount) {
  if (map.contains(name) && AmountOf(map, name) == amount) return;
  map[name].set_string(amount.ToString());
}

void EraseIf(QuantityMap& map, bool (*gone)(const std::string&, const QuantityMap&),
             const QuantityMap& others) {
  std::vector<std::string> names;
  for (const auto& [name, amount] : map) {
    if (gone(name, others)) names.push_back(name);
  }
  for (const std::string& name : names) map.erase(name);
}

void SetCapacity(const NodeFacts& facts, QuantityMap& capacity) {
  for (const auto& [name, amount] : facts.capacity) SetAmount(capacity, name, amount);
  for (const auto& [name, device] : facts.devices)
    SetAmount(capacity, name, Quantity::FromInt(device.capacity));
  for (const std::string& name : facts.removed_devices) SetAmount(capacity, name, Quantity());
}

}  // namespace

void SetResources(const NodeFacts& facts, v1::NodeStatus& status) {
  QuantityMap& capacity = *status.mutable_capacity();
  QuantityMap& allocatable = *status.mutable_allocatable();
  SetCapacity(facts, capacity);
  EraseIf(
      allocatable,
      [](const std::string& name, const QuantityMap& known) {
        return !known.contains(name) && IsExtendedResource(name);
      },
      capacity);
  for (const auto& [name, whole] : capacity) {
    const auto own = facts.allocatable.find(name);
    const auto device = facts.devices.find(name);
    if (device != facts.devices.end()) {
      SetAmount(allocatable, name, Quantity::FromInt(device->second.allocatable));
    } else {
      SetAmount(allocatable, name,
                own == facts.allocatable.end() ? AmountOf(capacity, name) : own->second);
    }
  }
}

void ZeroExtendedResources(v1::NodeStatus& status) {
  std::vector<std::string> names;
  for (const auto& [name, amount] : status.capacity()) {
    if (IsExtendedResource(name)) names.push_back(name);
  }
  for (const std::string& name : names) {
    SetAmount(*status.mutable_capacity(), name, Quantity());
    SetAmount(*status.mutable_allocatable(), name, Quantity());
  }
}

void ReconcileHugePages(const v1::NodeStatus& wanted, v1::NodeStatus& status) {
  for (const auto& [name, amount] : wanted.capacity()) {
    if (!IsHugePages(name)) continue;
    SetAmount(*status.mutable_capacity(), name, AmountOf(wanted.capacity(), name));
    SetAmount(*status.mutable_allocatable(), name, AmountOf(wanted.allocatable(), name));
  }
  const auto unsupported = [](const std::string& name, const QuantityMap& supported) {
    return IsHugePages(name) && !supported.contains(name);
  };
  EraseIf(*status.mutable_capacity(), unsupported, wanted.capacity());
  EraseIf(*status.mutable_allocatable(), unsupported, wanted.capacity());
}

}  // namespace cubelet::node
