// What the server asks of the rest of the agent. The composition root fills it; the server knows no
// pods. Everything is called on the loop, and only when somebody asks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "api/types.h"
#include "async/task.h"

namespace cubelet::server {

struct HealthCheck {
  std::string name;                     // "syncloop"
  std::function<absl::Status()> check;  // OK, or why not: shown at /healthz/<name>
};

struct PodView {
  PodPtr pod;
  std::shared_ptr<const v1::PodStatus> status;
};

// What the runtime holds of one container.
struct ContainerView {
  std::string log_path;
  bool running = false;
};

// A stream that the runtime is asked for.
struct StreamRequest {
  enum class Kind { kExec, kAttach, kPortForward };
  Kind kind = Kind::kExec;
  std::string id;  // of the container, or of the sandbox
  std::vector<std::string> command;
  bool tty = false;
  bool input = false;
  bool output = false;
  bool error = false;
  std::vector<int32_t> ports;
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

  // A pod that the sources want, or that is ending.
  std::function<std::optional<PodView>(const std::string& name_space, const std::string& name)>
      find_pod;

  // A container of the pod with that uid by its id, as last seen in the runtime.
  std::function<std::optional<ContainerView>(const std::string& uid, const std::string& id)>
      find_container;

  // The ids of the pod's running container of that name, and of its newest ready sandbox.
  std::function<std::optional<std::string>(const std::string& uid, const std::string& container)>
      running_container;
  std::function<std::optional<std::string>(const std::string& uid)> ready_sandbox;

  // The URL at which the runtime serves the stream. Errors are the runtime's own.
  std::function<async::Task<absl::StatusOr<std::string>>(StreamRequest request)> open_stream;

  // What a command in a container has written to both streams. Error also when it fails.
  std::function<async::Task<absl::StatusOr<std::string>>(std::string id,
                                                         std::vector<std::string> command)>
      run_command;

  // Shown at /healthz in this order, after "ping", which is the server's own.
  std::vector<HealthCheck> health_checks;
};

}  // namespace cubelet::server
