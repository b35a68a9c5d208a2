// Everything the Node object is made of, as plain values: gathered by whoever owns the parts
// (configuration, machine, runtime, eviction), computed upon by node_object.h and node_status.h.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "api/events.h"
#include "api/quantity.h"
#include "api/types.h"
#include "node/addresses.h"
#include "node/capacity.h"

namespace cubelet::node {

using NodePtr = std::shared_ptr<const v1::Node>;

// What device plugins offer of one resource.
struct DeviceAmounts {
  int64_t capacity = 0;
  int64_t allocatable = 0;
};

struct NodeFacts {
  // ---- From the configuration
  std::string name;
  std::map<std::string, std::string> labels;  // --node-labels
  std::vector<v1::Taint> taints;              // registerWithTaints
  std::string provider_id;
  NodeIpFlag node_ip;
  bool external_cloud_provider = false;
  bool controller_attaches_volumes = true;  // enableControllerAttachDetach
  bool local_storage_isolation = true;      // localStorageCapacityIsolation
  int32_t kubelet_port = 10250;
  std::string kubelet_version;
  std::vector<std::string> declared_features;  // declared_features.h

  // ---- From the machine (os/machine.h)
  std::string architecture;
  std::string machine_id;
  std::string system_uuid;
  std::string boot_id;
  std::string kernel_version;
  std::string os_image;
  int64_t swap_bytes = 0;
  api::ResourceAmounts capacity;     // capacity.h; without devices
  api::ResourceAmounts allocatable;  // of the same resources
  // Addresses that hold now (ReadNodeIps), or why there are none.
  absl::StatusOr<std::vector<std::string>> ips = std::vector<std::string>();

  // ---- From the device manager
  std::map<std::string, DeviceAmounts> devices;
  std::set<std::string> removed_devices;  // resources whose plugin is gone for good
  // The device manager knows nothing of an earlier life of this node.
  bool devices_forgotten = false;

  // ---- From the runtime
  std::string runtime_name;     // "containerd"; "": it has said nothing of itself yet
  std::string runtime_version;  // "": it did not say
  std::vector<v1::NodeRuntimeHandler> handlers;
  std::optional<bool> supplemental_groups_policy;         // absent: it has not said
  std::optional<std::vector<v1::ContainerImage>> images;  // node_images.h; absent: not known now

  // ---- How the node is
  bool memory_pressure = false;
  bool disk_pressure = false;
  bool pid_pressure = false;
  // Why the node is not ready: of the runtime, the network, storage and shutdown, in this order.
  std::vector<std::string> problems;
  std::string warning;  // what limits it without making it unready
  // Absent until the volumes of an earlier life are known.
  std::optional<std::vector<std::string>> volumes_in_use;
  absl::Time now;
};

// An event about the Node.
struct NodeEvent {
  api::EventType type = api::EventType::kNormal;
  std::string reason;
  std::string message;
  auto operator<=>(const NodeEvent&) const = default;
};

// What has to be remembered from one computation to the next, so that nothing is told twice.
struct NodeMemory {
  bool unschedulable = false;
  bool reboot_told = false;
};

}  // namespace cubelet::node
