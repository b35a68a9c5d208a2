// What is measured, in the order of the measuring. Every kubelet that serves /healthz and /pods can
// be measured: nothing of Cubelet's own is asked.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "e2e/isolation.h"
#include "flags.h"

namespace cubelet::density {

struct Memory {
  int64_t resident = 0;
  int64_t anonymous = 0;
};

struct Figures {
  std::vector<absl::Duration> healthz;  // process start to /healthz ok, of several starts
  Memory empty;                         // without pods
  double empty_millicores = 0;

  std::vector<absl::Duration> alone_started;  // manifest written to container started
  std::vector<absl::Duration> alone_ready;    // manifest written to Ready, looked at through /pods

  std::vector<absl::Duration> burst_started;  // of each pod, all manifests written at once
  absl::Duration burst_ready;                 // until all are Ready
  absl::Duration processor_per_pod;           // of the kubelet, over the burst

  Memory full;  // with all pods
  double full_millicores = 0;

  absl::Duration restart_healthz;
  absl::Duration restart_processor;  // in the first ten seconds after a kill and a start
  bool restart_same_containers = false;
};

absl::StatusOr<Figures> Measure(const Flags& flags, const e2e::World& world);

}  // namespace cubelet::density
