#include "containers/sandbox_config.h"

#include <set>
#include <string_view>

#include "base/status.h"
#include "base/strings.h"
#include "containers/hostname.h"
#include "containers/labels.h"
#include "containers/linux_resources.h"
#include "containers/security_context.h"

namespace cubelet::containers {
namespace {

criv1::Protocol ProtocolOf(const v1::ContainerPort& port) {
  if (port.protocol() == "UDP") return criv1::UDP;
  if (port.protocol() == "SCTP") return criv1::SCTP;
  return criv1::TCP;
}

// What tells ports of one container apart: the name, or else all that is said of them.
std::string PortKey(const v1::ContainerPort& port) {
  if (!port.name().empty()) return port.name();
  const std::string_view family = port.hostip().empty()                          ? "any"
                                  : port.hostip().find(':') == std::string::npos ? "v4"
                                                                                 : "v6";
  return StrCat(family, "-", port.protocol(), "-", port.hostip(), ":", port.containerport(), ":",
                port.hostport());
}

void AddPorts(const v1::Container& container, criv1::PodSandboxConfig* config) {
  std::set<std::string> seen;
  for (const v1::ContainerPort& port : container.ports()) {
    if (!seen.insert(PortKey(port)).second) continue;
    criv1::PortMapping* mapping = config->add_port_mappings();
    mapping->set_protocol(ProtocolOf(port));
    mapping->set_container_port(port.containerport());
    mapping->set_host_port(port.hostport());
    mapping->set_host_ip(port.hostip());
  }
}

// "net/ipv4/ip_forward" with dots, as CRI has it. The separator is the one that comes first; where
// that is a slash, dots are part of a name and become slashes.
std::string DottedSysctl(std::string name) {
  const size_t first = name.find_first_of("./");
  if (first == std::string::npos || name[first] == '.') return name;
  for (char& c : name) c = c == '/' ? '.' : c == '.' ? '/' : c;
  return name;
}

absl::StatusOr<std::string> SandboxHostname(const v1::Pod& pod, const NodeContext& node) {
  if (pod.spec().hostnetwork()) return std::string();
  ASSIGN_OR_RETURN(const PodHostname name, HostnameOf(pod, node.cluster_domain));
  return KernelHostname(pod, name);
}

absl::StatusOr<criv1::LinuxPodSandboxConfig> LinuxConfig(const v1::Pod& pod,
                                                         const NodeContext& node,
                                                         const SandboxInput& input) {
  criv1::LinuxPodSandboxConfig linux;
  linux.set_cgroup_parent(input.cgroup_parent);
  for (const v1::Sysctl& sysctl : pod.spec().securitycontext().sysctls())
    (*linux.mutable_sysctls())[DottedSysctl(sysctl.name())] = sysctl.value();
  ASSIGN_OR_RETURN(*linux.mutable_security_context(),
                   MakeSandboxSecurityContext(pod, input.user_namespace, input.volume_groups));
  *linux.mutable_overhead() = MakeSandboxOverhead(pod, node);
  *linux.mutable_resources() = MakeSandboxResources(pod, node);
  return linux;
}

}  // namespace

absl::StatusOr<criv1::PodSandboxConfig> MakeSandboxConfig(const v1::Pod& pod,
                                                          const NodeContext& node,
                                                          const SandboxInput& input,
                                                          std::vector<Warning>* warnings) {
  const metav1::ObjectMeta& meta = pod.metadata();
  criv1::PodSandboxConfig config;
  config.mutable_metadata()->set_name(meta.name());
  config.mutable_metadata()->set_namespace_(meta.namespace_());
  config.mutable_metadata()->set_uid(meta.uid());
  config.mutable_metadata()->set_attempt(input.attempt);
  const StringMap labels = SandboxLabels(pod);
  config.mutable_labels()->insert(labels.begin(), labels.end());
  *config.mutable_annotations() = meta.annotations();
  *config.mutable_dns_config() = MakeDnsConfig(pod, node, input.host_dns, warnings);
  ASSIGN_OR_RETURN(*config.mutable_hostname(), SandboxHostname(pod, node));
  config.set_log_directory(node.paths->PodLogs(meta.namespace_(), meta.name(), meta.uid()));
  for (const v1::Container& container : pod.spec().containers()) AddPorts(container, &config);

  RETURN_IF_ERROR(CheckUserNamespaceSupport(pod, node, input.runtime_handler));
  if (WantsUserNamespace(pod) && !input.user_namespace)
    return absl::InternalError("create user namespace: no ids have been set aside for the pod");
  ASSIGN_OR_RETURN(*config.mutable_linux(), LinuxConfig(pod, node, input));
  return config;
}

}  // namespace cubelet::containers
