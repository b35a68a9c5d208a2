// The environment of a container: device plugins' variables, envFrom, env, and those that name the
// cluster's services (containers.md 3.4). Pure but for the sources' callbacks.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "api/types.h"
#include "base/strings.h"
#include "containers/mounts.h"
#include "containers/node_context.h"
#include "containers/service_variables.h"

namespace cubelet::containers {

// Variables in the order they are given to the runtime. Names are unique, but for those of device
// plugins: these come first, and give way to the container's own in expansion.
class Environment {
 public:
  Environment() = default;
  explicit Environment(Variables device_variables);

  // Sets a variable: replaces the value where it stands, or adds it at the end.
  void Set(std::string_view name, std::string value);

  // Whether it was Set.
  bool Has(std::string_view name) const { return index_.contains(ToAbsl(name)); }

  // The value that $(NAME) stands for.
  std::optional<std::string> Find(std::string_view name) const;

  const Variables& variables() const { return variables_; }

 private:
  Variables variables_;
  size_t device_variables_ = 0;                     // how many of them, at the front
  absl::flat_hash_map<std::string, size_t> index_;  // of those that were Set
};

// Where values come from that the pod itself does not hold. What is not set is not there: without
// an API server there are no ConfigMaps and Secrets (an error that says so) and no services.
struct EnvSources {
  // By namespace and name. NOT_FOUND with the API's message (`configmap "x" not found`) when there
  // is none; with optional references the variable is then left out.
  std::function<absl::StatusOr<std::shared_ptr<const v1::ConfigMap>>(std::string_view name_space,
                                                                     std::string_view name)>
      config_map;
  std::function<absl::StatusOr<std::shared_ptr<const v1::Secret>>(std::string_view name_space,
                                                                  std::string_view name)>
      secret;
  // All services of a namespace.
  std::function<std::vector<std::shared_ptr<const v1::Service>>(std::string_view name_space)>
      services;
  // Whether `services` has its first full list; static pods do not wait for it.
  bool services_synced = true;

  // Reads a file below a volume's host path, links resolved inside it (fileKeyRef). Blocking.
  std::function<absl::StatusOr<std::string>(const std::string& host_path, std::string_view path)>
      read_file;
};

struct EnvironmentInput {
  EnvSources sources;
  std::vector<std::string> pod_ips;  // primary first; host IPs stand in for hostNetwork pods
  MountedVolumes volumes;            // for fileKeyRef
  Variables device_variables;
};

// Errors become the container's CreateContainerConfigError message.
absl::StatusOr<Environment> MakeEnvironment(const v1::Pod& pod, const v1::Container& container,
                                            const NodeContext& node, const EnvironmentInput& input);

}  // namespace cubelet::containers
