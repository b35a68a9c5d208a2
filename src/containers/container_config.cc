#include "containers/container_config.h"

#include <algorithm>

#include "base/status.h"
#include "base/strings.h"
#include "containers/expander.h"
#include "containers/labels.h"
#include "containers/linux_resources.h"

namespace cubelet::containers {
namespace {

void AppendDevices(const DeviceAllocation& devices, criv1::ContainerConfig* config) {
  for (const criv1::Device& device : devices.devices) *config->add_devices() = device;
  for (const criv1::Mount& mount : devices.mounts) *config->add_mounts() = mount;
  for (const std::string& name : devices.cdi_devices) config->add_cdi_devices()->set_name(name);
}

absl::Status AppendMounts(const v1::Pod& pod, const v1::Container& container,
                          const NodeContext& node, const ContainerInput& input,
                          criv1::ContainerConfig* config) {
  const MountInput mount_input{.volumes = &input.volumes,
                               .sub_paths = &input.sub_paths,
                               .pod_has_ips = !input.pod_ips.empty(),
                               .runtime_handler = input.runtime_handler,
                               .termination_log = input.termination_log};
  ASSIGN_OR_RETURN(std::vector<criv1::Mount> mounts,
                   MakeMounts(pod, container, node, input.environment, mount_input));
  for (criv1::Mount& mount : mounts) *config->add_mounts() = std::move(mount);
  return absl::OkStatus();
}

absl::Status SetCommand(const v1::Container& container, const Environment& environment,
                        criv1::ContainerConfig* config) {
  Expander expander([&](std::string_view name) { return environment.Find(name); });
  for (const std::string& word : container.command()) {
    ASSIGN_OR_RETURN(*config->add_command(), expander.Expand(word));
  }
  for (const std::string& word : container.args()) {
    ASSIGN_OR_RETURN(*config->add_args(), expander.Expand(word));
  }
  return absl::OkStatus();
}

void SetEnvironment(const Environment& environment, criv1::ContainerConfig* config) {
  for (const auto& [name, value] : environment.variables()) {
    criv1::KeyValue* variable = config->add_envs();
    variable->set_key(name);
    variable->set_value(value);
  }
}

void SetLabels(const v1::Pod& pod, const v1::Container& container, const ContainerInput& input,
               criv1::ContainerConfig* config) {
  const StringMap labels = ContainerLabels(pod, container);
  config->mutable_labels()->insert(labels.begin(), labels.end());
  StringMap annotations = ContainerAnnotations(pod, container, input.restart_count);
  // Those of devices do not take the place of ours, from which we know the container again.
  annotations.insert(input.devices.annotations.begin(), input.devices.annotations.end());
  config->mutable_annotations()->insert(annotations.begin(), annotations.end());
}

// "SIGRTMIN+3" is SIGRTMINPLUS3 in CRI.
absl::Status SetStopSignal(const v1::Container& container, criv1::ContainerConfig* config) {
  if (!container.lifecycle().has_stopsignal()) return absl::OkStatus();
  const std::string& wanted = container.lifecycle().stopsignal();
  std::string name;
  for (const char c : wanted) {
    if (c == '+')
      name += "PLUS";
    else if (c == '-')
      name += "MINUS";
    else
      name += c;
  }
  criv1::Signal signal = criv1::RUNTIME_DEFAULT;
  if (!criv1::Signal_Parse(name, &signal))
    return absl::InvalidArgumentError(
        StrCat("lifecycle.stopSignal ", GoQuote(wanted), " is not a signal"));
  config->set_stop_signal(signal);
  return absl::OkStatus();
}

absl::Status SetLinux(const v1::Pod& pod, const v1::Container& container, const NodeContext& node,
                      const ContainerInput& input, criv1::ContainerConfig* config) {
  const SecurityInput security{.image_user = input.image_user,
                               .user_namespace = input.user_namespace,
                               .target_container_id = input.target_container_id,
                               .volume_groups = input.volume_groups};
  const CpuAssignment cpus{.cpuset_cpus = input.cpuset_cpus,
                           .cpuset_mems = input.cpuset_mems,
                           .exclusive_cpus = input.exclusive_cpus};
  criv1::LinuxContainerConfig& linux = *config->mutable_linux();
  ASSIGN_OR_RETURN(*linux.mutable_security_context(),
                   MakeContainerSecurityContext(pod, container, node, security));
  *linux.mutable_resources() = MakeContainerResources(pod, container, node, cpus);
  // What the ids of the pod's user namespace are on the node holds for its files, too.
  const criv1::UserNamespace& users = linux.security_context().namespace_options().userns_options();
  for (criv1::Mount& mount : *config->mutable_mounts()) {
    *mount.mutable_uidmappings() = users.uids();
    *mount.mutable_gidmappings() = users.gids();
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<criv1::ContainerConfig> MakeContainerConfig(const v1::Pod& pod,
                                                           const v1::Container& container,
                                                           const NodeContext& node,
                                                           const ContainerInput& input) {
  criv1::ContainerConfig config;
  config.mutable_metadata()->set_name(container.name());
  config.mutable_metadata()->set_attempt(static_cast<uint32_t>(std::max(input.restart_count, 0)));
  config.mutable_image()->set_image(input.image_ref);
  config.mutable_image()->set_user_specified_image(container.image());
  AppendDevices(input.devices, &config);
  ASSIGN_OR_RETURN(const std::vector<criv1::Device> block_devices,
                   MakeBlockDevices(container, input.block_volumes));
  for (const criv1::Device& device : block_devices) *config.add_devices() = device;
  RETURN_IF_ERROR(AppendMounts(pod, container, node, input, &config));
  RETURN_IF_ERROR(CheckRunAsNonRoot(pod, container, input.image_user));
  RETURN_IF_ERROR(SetCommand(container, input.environment, &config));
  SetEnvironment(input.environment, &config);
  config.set_working_dir(container.workingdir());
  config.set_stdin(container.stdin());
  config.set_stdin_once(container.stdinonce());
  config.set_tty(container.tty());
  config.set_log_path(paths::Paths::LogFileName(container.name(), input.restart_count));
  SetLabels(pod, container, input, &config);
  if (node.container_stop_signals) RETURN_IF_ERROR(SetStopSignal(container, &config));
  RETURN_IF_ERROR(SetLinux(pod, container, node, input, &config));
  return config;
}

}  // namespace cubelet::containers
