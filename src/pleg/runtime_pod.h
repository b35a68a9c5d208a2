// What the runtime holds of one pod, as plain values: made from CRI answers (runtime_cache), read
// by every decision.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"

namespace cubelet::pleg {

enum class ContainerState { kCreated, kRunning, kExited, kUnknown };

// Go's word for the state as Kubernetes prints it: "created", "running", "exited", "unknown".
const char* ContainerStateName(ContainerState state);

// The labels, annotations and status of one container record.
struct ContainerRecord {
  std::string id;
  std::string sandbox_id;
  std::string name;       // label io.kubernetes.container.name
  std::string hash;       // annotation io.kubernetes.container.hash; "" if absent
  int restart_count = 0;  // annotation io.kubernetes.container.restartCount
  ContainerState state = ContainerState::kUnknown;
  absl::Time created_at = absl::InfinitePast();
  absl::Time started_at = absl::InfinitePast();
  absl::Time finished_at = absl::InfinitePast();
  int exit_code = 0;
  std::string
      reason;  // as the runtime gives it: Completed, Error, OOMKilled, ContainerCannotRun, ...
  std::string message;
  std::string image;      // what the runtime calls the image (ContainerStatus.image.image)
  std::string image_ref;  // ContainerStatus.image_ref, the status' imageID
  std::string image_id;   // ContainerStatus.image_id, what image collection counts as used
  std::string log_path;   // absolute
  // From annotations, so that a container can be judged and ended without its pod's spec.
  std::string termination_message_path;
  std::string termination_message_policy;
  std::string
      termination_log_host_path;  // host side of the mount at termination_message_path, "" if none
  std::string pre_stop_handler_json;
  std::optional<int64_t> termination_grace_seconds;
  struct User {
    int64_t uid = 0;
    int64_t gid = 0;
    std::vector<int64_t> supplemental_groups;
  };
  std::optional<User> user;
  struct Resources {
    std::optional<int64_t> cpu_limit_millis;
    std::optional<int64_t> cpu_request_millis;
    std::optional<int64_t> memory_limit_bytes;
  };
  std::optional<Resources> resources;
};

struct SandboxRecord {
  std::string id;
  uint32_t attempt = 0;
  absl::Time created_at = absl::InfinitePast();
  bool ready = false;
  bool host_network = false;
  bool has_network_status = false;
  std::vector<std::string> ips;  // parsed and valid ones only
  std::string runtime_handler;
};

// One pod. Sandboxes: newest first (attempt, then creation time, then id, all descending).
// Containers: newest first (by creation time). `observed_at` is the monotonic time before the
// answers were asked for: nothing older is in here.
struct RuntimePod {
  std::string uid;
  std::string name;
  std::string name_space;
  std::vector<SandboxRecord> sandboxes;
  std::vector<ContainerRecord> containers;
  absl::Duration observed_at;

  // The newest record of that name in any sandbox, null if there is none.
  const ContainerRecord* FindByName(std::string_view name) const;
  const ContainerRecord* FindById(std::string_view id) const;
  bool AnyRunning() const;  // a container runs or a sandbox is ready
};

}  // namespace cubelet::pleg
