// kubeReserved, systemReserved and reservedSystemCPUs as amounts. Pure. Config::Load has checked
// that they can be read.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "api/quantity.h"
#include "config/config.h"

namespace cubelet::config {

// By resource: cpu, memory, ephemeral-storage, pid.
using Reserved = std::map<std::string, api::Quantity>;

struct Reservations {
  Reserved kube;
  Reserved system;
};

// What is kept from pods. reservedSystemCPUs, if given, stands for all cpu of both: kube loses its
// own, system has their number. Error: names the setting, the resource and the value.
absl::StatusOr<Reservations> ReservationsOf(const KubeletConfiguration& config);

// "0-3,8" as the numbers {0,1,2,3,8}; "" is none. Error: names the part that cannot be read.
absl::StatusOr<std::set<int>> ParseCpuSet(std::string_view text);

}  // namespace cubelet::config
