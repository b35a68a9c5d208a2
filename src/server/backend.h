// What the server asks of the rest of the agent. The composition root fills it; the server knows no
// pods. Everything is called on the loop, and only when somebody asks.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "async/task.h"

namespace cubelet::server {

struct HealthCheck {
  std::string name;                     // "syncloop"
  std::function<absl::Status()> check;  // OK, or why not: shown at /healthz/<name>
};

struct Backend {
  // GET /pods: a v1 PodList as JSON (pod_list.h makes it): the pods of all sources.
  std::function<absl::StatusOr<std::string>()> pods;

  // GET /runningpods/: the same of what the runtime runs, listed for this request.
  std::function<async::Task<absl::StatusOr<std::string>>()> running_pods;

  // /configz: {"kubeletconfig":{...}}.
  std::function<std::string()> configz;

  // /cubelet/status: a StatusReport as JSON (status_report.h makes it).
  std::function<std::string()> status;

  // Shown at /healthz in this order, after "ping", which is the server's own.
  std::vector<HealthCheck> health_checks;
};

}  // namespace cubelet::server
