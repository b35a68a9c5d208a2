// What `kubelet status` shows, as values: made by the kubelet, sent as JSON, shown as a table.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "api/types.h"

namespace cubelet::server {

struct PodRow {
  std::string name_space;
  std::string name;
  std::string uid;
  std::string ip;  // "" when it has none yet
  std::string phase;
  std::string status;  // as kubectl shows it: "Running", "CrashLoopBackOff", "Init:0/2"
  bool ready = false;
  int ready_containers = 0;
  int containers = 0;
  int restarts = 0;
  absl::Time last_restart = absl::InfinitePast();  // none
  absl::Time created = absl::InfinitePast();       // not known
  std::string reason;                              // why it is not ready, one sentence
};

struct StatusReport {
  std::string node;
  std::string version;  // of this program
  std::string runtime;  // "containerd 2.1.9", or why it does not answer
  absl::Time started;
  std::vector<PodRow> pods;
  std::vector<std::string> problems;  // what is wrong beside pods: manifests, the runtime
};

// The row of a pod. `reason` is why it is not ready ("" when it is).
PodRow MakePodRow(const v1::Pod& pod, const v1::PodStatus& status, std::string reason);

// One line of JSON, and back. Unknown members are passed over; the error names what is missing.
std::string StatusJson(const StatusReport& report);
absl::StatusOr<StatusReport> ParseStatusJson(std::string_view text);

// NAMESPACE NAME READY STATUS RESTARTS AGE, and under each pod that is not ready the reason;
// problems last. Text of others is shown without control characters.
std::string StatusTable(const StatusReport& report, absl::Time now);

// An age as kubectl writes it: "45s", "2m5s", "17m", "3h5m", "2d4h", "35d".
std::string HumanDuration(absl::Duration duration);

}  // namespace cubelet::server
