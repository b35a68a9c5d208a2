// spec.containers and spec.initContainers.
#include <set>
#include <string>

#include "absl/strings/ascii.h"
#include "api/pod.h"
#include "api/pod_validation.h"

namespace cubelet::api::validation {
namespace {

constexpr int kMaxRules = 20;
constexpr int kMaxExitCodes = 255;

void ValidatePorts(const v1::Container& container, const FieldPath& path, FieldErrors& errors) {
  std::set<std::string> names;
  for (int i = 0; i < container.ports_size(); ++i) {
    const v1::ContainerPort& port = container.ports(i);
    const FieldPath port_path = path.Index(static_cast<size_t>(i));
    if (!port.name().empty()) {
      const Faults faults = PortNameFaults(port.name());
      errors.InvalidFor(port_path.Child("name"), port.name(), faults);
      if (faults.empty() && !names.insert(port.name()).second)
        errors.Duplicate(port_path.Child("name"), port.name());
    }
    if (port.containerport() == 0) {
      errors.Required(port_path.Child("containerPort"));
    } else {
      errors.InvalidFor(port_path.Child("containerPort"), port.containerport(),
                        PortNumberFaults(port.containerport()));
    }
    if (port.hostport() != 0)
      errors.InvalidFor(port_path.Child("hostPort"), port.hostport(),
                        PortNumberFaults(port.hostport()));
    const std::string& protocol = port.protocol();
    if (protocol.empty()) {
      errors.Required(port_path.Child("protocol"));
    } else if (protocol != "SCTP" && protocol != "TCP" && protocol != "UDP") {
      errors.NotSupported(port_path.Child("protocol"), protocol, {"SCTP", "TCP", "UDP"});
    }
  }
}

// Ports of the node that are asked for, each of which can be had once.
class HostPorts {
 public:
  void Add(const v1::Container& container, const FieldPath& path, FieldErrors& errors) {
    for (int i = 0; i < container.ports_size(); ++i) {
      const v1::ContainerPort& port = container.ports(i);
      if (port.hostport() == 0) continue;
      const std::string key = StrCat(port.protocol(), "/", port.hostip(), "/", port.hostport());
      if (!seen_.insert(key).second)
        errors.Duplicate(path.Child("ports").Index(static_cast<size_t>(i)).Child("hostPort"), key);
    }
  }

 private:
  std::set<std::string> seen_;
};

void ValidateHostNetworkPorts(const v1::Container& container, const FieldPath& path,
                              FieldErrors& errors) {
  for (int i = 0; i < container.ports_size(); ++i) {
    const v1::ContainerPort& port = container.ports(i);
    if (port.hostport() != port.containerport())
      errors.Invalid(path.Child("ports").Index(static_cast<size_t>(i)).Child("hostPort"),
                     port.hostport(), "must match `containerPort` when `hostNetwork` is true");
  }
}

void ValidateImage(const v1::Container& container, const FieldPath& path, FieldErrors& errors) {
  const std::string& image = container.image();
  if (image.empty()) errors.Required(path.Child("image"));
  if (absl::StripAsciiWhitespace(image).size() != image.size())
    errors.Invalid(path.Child("image"), image, "must not have leading or trailing whitespace");
  const std::string& policy = container.imagepullpolicy();
  if (policy.empty()) {
    errors.Required(path.Child("imagePullPolicy"));
  } else if (policy != "Always" && policy != "IfNotPresent" && policy != "Never") {
    errors.NotSupported(path.Child("imagePullPolicy"), policy, {"Always", "IfNotPresent", "Never"});
  }
}

void ValidateResizePolicy(const PodFacts& facts, const v1::Container& container,
                          const FieldPath& path, FieldErrors& errors) {
  std::set<std::string> resources;
  for (int i = 0; i < container.resizepolicy_size(); ++i) {
    const v1::ContainerResizePolicy& policy = container.resizepolicy(i);
    const std::string& resource = policy.resourcename();
    const std::string& restart = policy.restartpolicy();
    if (!resources.insert(resource).second)
      errors.Duplicate(path.Index(static_cast<size_t>(i)), resource);
    if (resource.empty()) {
      errors.Required(path);
    } else if (resource != "cpu" && resource != "memory") {
      errors.NotSupported(path, resource, {"cpu", "memory"});
    }
    if (restart.empty()) {
      errors.Required(path);
    } else if (restart != "NotRequired" && restart != "RestartContainer") {
      errors.NotSupported(path, restart, {"NotRequired", "RestartContainer"});
    }
    if (facts.pod.spec().restartpolicy() == "Never" && restart != "NotRequired")
      errors.Invalid(path, restart, "must be 'NotRequired' when `restartPolicy` is 'Never'");
  }
}

void ValidateRule(const v1::ContainerRestartRule& rule, const FieldPath& path,
                  FieldErrors& errors) {
  if (rule.action() != "Restart" && rule.action() != "RestartAllContainers")
    errors.NotSupported(path.Child("action"), rule.action(), {"Restart", "RestartAllContainers"});
  const FieldPath codes = path.Child("exitCodes");
  if (!rule.has_exitcodes()) return errors.Required(codes, "must be specified");
  if (rule.exitcodes().operator_() != "In" && rule.exitcodes().operator_() != "NotIn")
    errors.NotSupported(codes.Child("operator"), rule.exitcodes().operator_(), {"In", "NotIn"});
  if (rule.exitcodes().values_size() > kMaxExitCodes)
    errors.TooMany(codes.Child("values"), rule.exitcodes().values_size(), kMaxExitCodes);
}

void ValidateRestartPolicy(const v1::Container& container, const FieldPath& path,
                           FieldErrors& errors) {
  const std::string& policy = container.restartpolicy();
  if (container.has_restartpolicy() && policy != "Always" && policy != "Never" &&
      policy != "OnFailure")
    errors.NotSupported(path.Child("restartPolicy"), policy, {"Always", "Never", "OnFailure"});
  const int count = container.restartpolicyrules_size();
  if (count == 0) return;
  if (!container.has_restartpolicy())
    errors.Required(path.Child("restartPolicy"),
                    "must specify restartPolicy when restart rules are used");
  const FieldPath rules = path.Child("restartPolicyRules");
  if (count > kMaxRules) errors.TooMany(rules, count, kMaxRules);
  for (int i = 0; i < count; ++i)
    ValidateRule(container.restartpolicyrules(i), rules.Index(static_cast<size_t>(i)), errors);
}

void ValidateContainer(const PodFacts& facts, const v1::Container& container, const FieldPath& path,
                       FieldErrors& errors) {
  if (container.name().empty()) {
    errors.Required(path.Child("name"));
  } else {
    errors.InvalidFor(path.Child("name"), container.name(), Dns1123LabelFaults(container.name()));
  }
  ValidateImage(container, path, errors);
  const std::string& message_policy = container.terminationmessagepolicy();
  if (message_policy.empty()) {
    errors.Required(path.Child("terminationMessagePolicy"));
  } else if (message_policy != "File" && message_policy != "FallbackToLogsOnError") {
    errors.NotSupported(path.Child("terminationMessagePolicy"), message_policy,
                        {"File", "FallbackToLogsOnError"});
  }
  ValidatePorts(container, path.Child("ports"), errors);
  ValidateEnv(facts, container, path, errors);
  ValidateMounts(facts, container, path, errors);
  ValidateContainerResources(facts, container.resources(), path.Child("resources"), errors);
  ValidateResizePolicy(facts, container, path.Child("resizePolicy"), errors);
  ValidateRestartPolicy(container, path, errors);
  if (container.has_securitycontext())
    ValidateContainerSecurity(facts, container.securitycontext(), path.Child("securityContext"),
                              errors);
}

// What only runs to its end has no use for these.
void ForbidProbesAndHooks(const v1::Container& container, const FieldPath& path,
                          FieldErrors& errors) {
  constexpr char kFault[] = "may not be set for init containers without restartPolicy=Always";
  if (container.has_lifecycle()) errors.Forbidden(path.Child("lifecycle"), kFault);
  if (container.has_livenessprobe()) errors.Forbidden(path.Child("livenessProbe"), kFault);
  if (container.has_readinessprobe()) errors.Forbidden(path.Child("readinessProbe"), kFault);
  if (container.has_startupprobe()) errors.Forbidden(path.Child("startupProbe"), kFault);
}

void ValidateRegular(const PodFacts& facts, std::set<std::string>& names, FieldErrors& errors) {
  const v1::PodSpec& spec = facts.pod.spec();
  const FieldPath path("spec.containers");
  if (spec.containers().empty()) return errors.Required(path);
  HostPorts host_ports;
  for (int i = 0; i < spec.containers_size(); ++i) {
    const v1::Container& container = spec.containers(i);
    const FieldPath container_path = path.Index(static_cast<size_t>(i));
    ValidateContainer(facts, container, container_path, errors);
    if (!container.name().empty() && !names.insert(container.name()).second)
      errors.Duplicate(container_path.Child("name"), container.name());
    ValidateProbesAndHooks(facts, container, container_path, errors);
    host_ports.Add(container, container_path, errors);
    if (spec.hostnetwork()) ValidateHostNetworkPorts(container, container_path, errors);
  }
}

void ValidateInit(const PodFacts& facts, std::set<std::string>& names, FieldErrors& errors) {
  const FieldPath path("spec.initContainers");
  for (int i = 0; i < facts.pod.spec().initcontainers_size(); ++i) {
    const v1::Container& container = facts.pod.spec().initcontainers(i);
    const FieldPath container_path = path.Index(static_cast<size_t>(i));
    ValidateContainer(facts, container, container_path, errors);
    if (!container.name().empty() && !names.insert(container.name()).second)
      errors.Duplicate(container_path.Child("name"), container.name());
    // Init containers run one by one, so their ports may be the same.
    HostPorts().Add(container, container_path, errors);
    if (IsSidecar(container)) {
      ValidateProbesAndHooks(facts, container, container_path, errors);
    } else {
      ForbidProbesAndHooks(container, container_path, errors);
    }
  }
}

}  // namespace

void ValidateContainers(const PodFacts& facts, FieldErrors& errors) {
  std::set<std::string> names;
  ValidateRegular(facts, names, errors);
  ValidateInit(facts, names, errors);
}

}  // namespace cubelet::api::validation
