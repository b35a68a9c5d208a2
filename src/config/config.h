// What the agent runs with: KubeletConfiguration, the flags beside it and the feature gates, loaded
// once at start and constant from then on.
//
// Precedence (node.md 0.3): a flag over a drop-in of --config-dir over the file of --config over
// the default. Everything about single settings stands in three tables with one row each: the
// fields of KubeletConfiguration (field_table.cc), the flags (flag_table.cc) and the gates
// (gate_table.cc). Parsing, --help, defaults, validation, /configz and /flagz are made from them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/log.h"
#include "config/gates.h"
#include "kubelet/config/v1beta1/configuration.pb.h"

namespace cubelet::config {

using v1beta1::KubeletConfiguration;

// The flags that are no field of KubeletConfiguration. Their defaults stand in the flag table;
// Load fills them in.
struct NodeFlags {
  bool help = false;
  std::string version;  // "false", "true", "raw" or the version to report

  std::string root_dir;  // absolute, without trailing slash
  std::string config;
  std::string config_dir;
  std::string lock_file;
  bool exit_on_lock_contention = false;

  std::string hostname_override;
  std::string node_ip;  // "", an address, or two separated by a comma
  std::map<std::string, std::string> node_labels;
  std::string cloud_provider;  // "" or "external"

  std::string kubeconfig;  // "" is standalone: no API server
  std::string bootstrap_kubeconfig;
  std::string cert_dir;  // absolute, without trailing slash

  std::string runtime_cgroups;
  std::string image_credential_provider_config;
  std::string image_credential_provider_bin_dir;
  bool seccomp_default = false;  // is in KubeletConfiguration.seccompDefault already
  std::string experimental_mounter_path;

  int32_t maximum_dead_containers = 0;  // negative: no limit
  int32_t maximum_dead_containers_per_container = 0;
  absl::Duration minimum_container_ttl;
  bool experimental_allocatable_ignore_eviction = false;

  absl::Duration housekeeping_interval;
  absl::Duration max_housekeeping_interval;
  std::string boot_id_file;     // candidates, separated by commas
  std::string machine_id_file;  // likewise
};

struct Config {
  KubeletConfiguration kubelet;  // defaults applied, validated
  NodeFlags flags;
  FeatureGates gates;
  // For the log once it is set up: deprecated flags, unknown fields, gates that will go away.
  std::vector<std::string> warnings;
  // Flags of the original that mean nothing here, as given on the command line.
  std::map<std::string, std::string> ignored_flags;
};

// What of the machine decides whether a setting is valid.
struct Host {
  bool cgroup_v2 = true;
};
Host DetectHost();

// `args` without the program's name. Reads the files named there, which blocks. Errors are worded
// as the original's ("failed to parse kubelet flag: unknown flag: --x", "failed to load kubelet
// config file, path: ...", "failed to validate kubelet configuration, error: ...") and name the
// file, the field and the value.
absl::StatusOr<Config> Load(const std::vector<std::string>& args);
absl::StatusOr<Config> Load(const std::vector<std::string>& args, const Host& host);

// The text to print instead of running when `args` ask for --help or --version. Flags are parsed
// first, so a wrong one is an error all the same.
absl::StatusOr<std::optional<std::string>> InformationAsked(const std::vector<std::string>& args);

// The body of /configz: {"kubeletconfig":{...}}, every field of the running configuration; values
// of staticPodURLHeader are masked.
std::string ConfigzJson(const Config& config);

// All flags with the values in force, sorted by name: for /flagz and the FLAG lines of the log.
std::vector<std::pair<std::string, std::string>> FlagValues(const Config& config);

// logging.* as InitLog takes it.
LogOptions LogOptionsOf(const KubeletConfiguration& kubelet);

// A field of a duration type; zero when it is unset.
template <typename WireDuration>
absl::Duration ToDuration(const WireDuration& duration) {
  return absl::Nanoseconds(duration.duration());
}

}  // namespace cubelet::config
