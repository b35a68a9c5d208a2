#include "node/admission.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "base/strings.h"
#include "node/admission_predicates.h"
#include "node/admission_resources.h"

namespace cubelet::node {
namespace {

constexpr char kOsLabel[] = "kubernetes.io/os";
constexpr char kLinux[] = "linux";
constexpr char kAppArmorAnnotation[] = "container.apparmor.security.beta.kubernetes.io/";

AdmissionResult Refuse(std::string reason, std::string message) {
  return {false, std::move(reason), std::move(message)};
}

AdmissionResult RefusePredicate(const std::string& name, std::string_view why) {
  return Refuse(name, StrCat("Predicate ", name, " failed: ", why));
}

AdmissionResult CheckPlatform(const v1::Pod& pod, const NodeView& node) {
  const auto label = pod.metadata().labels().find(kOsLabel);
  if (label != pod.metadata().labels().end() && label->second != kLinux)
    return Refuse("PodOSSelectorNodeLabelDoesNotMatch",
                  "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label");
  if (pod.spec().has_os() && pod.spec().os().name() != kLinux)
    return Refuse("PodOSNotSupported", "Failed to admit pod as the OS field doesn't match node OS");
  if (pod.spec().securitycontext().supplementalgroupspolicy() == "Strict" &&
      !node.supplemental_groups_policy)
    return Refuse("SupplementalGroupsPolicyNotSupported",
                  "SupplementalGroupsPolicy=Strict is not supported in this node");
  return {};
}

AdmissionResult CheckResources(const AdmissionInput& input) {
  const std::vector<Shortage> shortages =
      FindShortages(*input.pod, input.other_pods, input.node->allocatable);
  if (shortages.empty()) return {};
  const Shortage& first = shortages.front();
  return Refuse(StrCat("OutOf", first.resource),
                StrCat("Node didn't have enough resource: ", first.resource, ", requested: ",
                       first.requested, ", used: ", first.used, ", capacity: ", first.capacity));
}

AdmissionResult CheckPlacement(const AdmissionInput& input) {
  const v1::Pod& pod = *input.pod;
  const NodeView& node = *input.node;
  if (!MatchesNodeAffinity(pod, node))
    return RefusePredicate("NodeAffinity", "node(s) didn't match Pod's node affinity/selector");
  if (!pod.spec().nodename().empty() && pod.spec().nodename() != node.name)
    return RefusePredicate("NodeName", "node(s) didn't match the requested node name");
  if (!HostPortsAreFree(pod, input.other_pods))
    return RefusePredicate("NodePorts",
                           "node(s) didn't have free ports for the requested pod ports");
  if (!api::IsStatic(pod) && !ToleratesNoExecute(pod, node.taints))
    return RefusePredicate("TaintToleration", "node(s) had taints that the pod didn't tolerate");
  return {};
}

// ---- AppArmor

struct Profile {
  std::string type;  // "RuntimeDefault", "Localhost", "Unconfined"
  std::string name;  // of a Localhost profile
};

Profile FromField(const v1::AppArmorProfile& profile) {
  return {profile.type(), profile.localhostprofile()};
}

Profile FromAnnotation(const std::string& value) {
  constexpr std::string_view kLocalhost = "localhost/";
  if (value == "unconfined") return {"Unconfined", ""};
  if (value.starts_with(kLocalhost)) return {"Localhost", value.substr(kLocalhost.size())};
  return {"RuntimeDefault", ""};
}

std::vector<Profile> RequestedProfiles(const v1::Pod& pod) {
  std::vector<Profile> profiles;
  if (pod.spec().securitycontext().has_apparmorprofile())
    profiles.push_back(FromField(pod.spec().securitycontext().apparmorprofile()));
  api::ForEachContainer(pod, [&](const v1::Container& container, api::ContainerType) {
    const std::string* annotation =
        api::FindAnnotation(pod, StrCat(kAppArmorAnnotation, container.name()));
    if (container.securitycontext().has_apparmorprofile()) {
      profiles.push_back(FromField(container.securitycontext().apparmorprofile()));
    } else if (annotation != nullptr && !annotation->empty()) {
      profiles.push_back(FromAnnotation(*annotation));
    }
  });
  std::erase_if(profiles, [](const Profile& profile) { return profile.type == "Unconfined"; });
  return profiles;
}

}  // namespace

AdmissionResult CheckPressure(const v1::Pod& pod, const NodeView& node) {
  const std::vector<std::string>& conditions = node.pressure_conditions;
  if (conditions.empty() || api::IsCritical(pod)) return {};
  if (conditions.size() == 1 && conditions.front() == "MemoryPressure") {
    v1::Taint taint;
    taint.set_key("node.kubernetes.io/memory-pressure");
    taint.set_effect("NoSchedule");
    if (api::GetQosClass(pod) != api::QosClass::kBestEffort || Tolerates(pod, taint)) return {};
  }
  return Refuse("Evicted", StrCat("The node had condition: ", GoList(conditions), ". "));
}

AdmissionResult CheckSysctls(const v1::Pod& pod, const SysctlAllowlist& allowlist) {
  for (const v1::Sysctl& sysctl : pod.spec().securitycontext().sysctls()) {
    std::string why =
        allowlist.WhyForbidden(sysctl.name(), pod.spec().hostnetwork(), pod.spec().hostipc());
    if (!why.empty()) return Refuse("SysctlForbidden", std::move(why));
  }
  return {};
}

AdmissionResult CheckPredicates(const AdmissionInput& input) {
  AdmissionResult result = CheckPlatform(*input.pod, *input.node);
  if (result.admitted) result = CheckResources(input);
  if (result.admitted) result = CheckPlacement(input);
  return result;
}

AdmissionResult CheckAppArmor(const v1::Pod& pod, bool enabled) {
  if (pod.status().phase() != "Pending") return {};
  const std::vector<Profile> profiles = RequestedProfiles(pod);
  if (profiles.empty()) return {};
  if (!enabled)
    return Refuse("AppArmor", "Cannot enforce AppArmor: AppArmor is not enabled on the host");
  for (const Profile& profile : profiles) {
    if (profile.type == "Localhost" && absl::StripAsciiWhitespace(profile.name).empty())
      return Refuse("AppArmor", StrCat("Cannot enforce AppArmor: invalid empty AppArmor profile "
                                       "name: ",
                                       GoQuote(profile.name)));
  }
  return {};
}

AdmissionResult AdmitBeforeAllocation(const AdmissionInput& input) {
  AdmissionResult result = CheckPressure(*input.pod, *input.node);
  if (result.admitted) result = CheckSysctls(*input.pod, *input.sysctls);
  return result;
}

AdmissionResult AdmitAfterAllocation(const AdmissionInput& input) {
  AdmissionResult result = CheckPredicates(input);
  if (result.admitted) result = CheckAppArmor(*input.pod, input.node->apparmor_enabled);
  if (!result.admitted) return result;
  if (!input.pod_level_resources && input.pod->spec().has_resources())
    return Refuse("PodLevelResourcesNotSupported", "PodLevelResources feature gate is disabled");
  if (input.node->shutting_down)
    return Refuse("NodeShutdown", "Pod was rejected as the node is shutting down.");
  return {};
}

AdmissionResult Admit(const AdmissionInput& input) {
  AdmissionResult result = AdmitBeforeAllocation(input);
  return result.admitted ? AdmitAfterAllocation(input) : result;
}

std::string RejectionMetricReason(const std::string& reason) {
  static const std::set<std::string>* const kKnown = new std::set<std::string>{
      "AppArmor",
      "Evicted",
      "InvalidNodeInfo",
      "NodeAffinity",
      "NodeName",
      "NodePorts",
      "NodeShutdown",
      "OutOfcpu",
      "OutOfephemeral-storage",
      "OutOfmemory",
      "OutOfpods",
      "PodFeatureUnsupported",
      "PodLevelResourcesNotSupported",
      "PodOSNotSupported",
      "PodOSSelectorNodeLabelDoesNotMatch",
      "SMTAlignmentError",
      "SupplementalGroupsPolicyNotSupported",
      "SysctlForbidden",
      "TaintToleration",
      "TopologyAffinityError",
      "UnexpectedAdmissionError",
      "VolumeAttachmentLimitExceeded",
  };
  if (kKnown->contains(reason)) return reason;
  return reason.starts_with("OutOf") ? "OutOfExtendedResources" : "Other";
}

}  // namespace cubelet::node
