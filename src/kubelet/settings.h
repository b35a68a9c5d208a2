// From configuration and machine to what each part of the agent is given. Pure.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cgroups/manager.h"
#include "config/config.h"
#include "containers/node_context.h"
#include "cri/types.h"
#include "images/manager.h"
#include "kubelet/machine.h"
#include "node/admission.h"
#include "paths/paths.h"
#include "pods/log_rotation.h"
#include "pods/pod_services.h"
#include "sources/file_source.h"
#include "sources/http_source.h"
#include "volumes/manager.h"

namespace cubelet::kubelet {

struct AgentSettings {
  std::string node_name;
  std::shared_ptr<const paths::Paths> paths;
  containers::NodeContext node;
  pods::PodSettings pods;
  pods::LogRotationOptions logs;
  images::Options images;
  volumes::Options volumes;
  cgroups::Resources kubepods;  // limits of all pods together
  absl::Duration crash_backoff_initial = absl::Seconds(10);
  absl::Duration crash_backoff_max = absl::Seconds(300);
  std::optional<sources::FileSource::Options> file_source;
  std::optional<sources::HttpSource::Options> http_source;
  node::NodeView view;
  api::ResourceAmounts capacity;
  std::shared_ptr<const node::SysctlAllowlist> sysctls;
  bool pod_level_resources = true;
};

// Errors name the field and the value.
absl::StatusOr<AgentSettings> MakeSettings(const config::Config& config, const Machine& machine);

// What the runtime has said of itself, taken into the settings.
struct RuntimeFacts {
  std::string name;  // "containerd"
  std::map<std::string, containers::HandlerFeatures> handlers;
  bool supplemental_groups_policy = false;
};
RuntimeFacts FactsOf(const criv1::VersionResponse& version, const criv1::StatusResponse& status);

// What the configuration asks for and this version does not have. OK, or UNIMPLEMENTED naming each
// field or flag: an agent that silently did less than it was told would be worse than none.
absl::Status CheckSupported(const config::Config& config);

// Settings that have no effect yet although their defaults are on: to be told in the log.
std::vector<std::string> NotInForce(const config::Config& config);

}  // namespace cubelet::kubelet
