#include "containers/security_context.h"

#include <limits>
#include <string_view>

#include "api/names.h"
#include "api/pod.h"
#include "base/status.h"
#include "base/strings.h"
#include "containers/profiles.h"

namespace cubelet::containers {
namespace {

constexpr int64_t kMaxUserId = std::numeric_limits<int32_t>::max();

constexpr const char* kMaskedPaths[] = {
    "/proc/asound",      "/proc/acpi",          "/proc/interrupts", "/proc/kcore",
    "/proc/keys",        "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
    "/proc/sched_debug", "/proc/scsi",          "/sys/firmware",    "/sys/devices/virtual/powercap",
};
constexpr const char* kReadOnlyPaths[] = {
    "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

bool AnyPrivileged(const v1::Pod& pod) {
  bool any = false;
  api::ForEachContainer(pod, [&](const v1::Container& container, api::ContainerType) {
    any = any || IsPrivileged(container);
  });
  for (const v1::EphemeralContainer& container : pod.spec().ephemeralcontainers())
    any = any || container.ephemeralcontainercommon().securitycontext().privileged();
  return any;
}

criv1::SELinuxOption ToCri(const v1::SELinuxOptions& options) {
  criv1::SELinuxOption out;
  out.set_user(options.user());
  out.set_role(options.role());
  out.set_type(options.type());
  out.set_level(options.level());
  return out;
}

void SetMapping(const UserNamespace& user_namespace, criv1::UserNamespace* out) {
  out->set_mode(criv1::POD);
  for (criv1::IDMapping* mapping : {out->add_uids(), out->add_gids()}) {
    mapping->set_host_id(user_namespace.host_id);
    mapping->set_length(user_namespace.length);
  }
}

void SetProcPaths(const v1::Container& container, const NodeContext& node,
                  criv1::LinuxContainerSecurityContext* out) {
  if (container.securitycontext().procmount() == "Unmasked") return;
  out->mutable_masked_paths()->Assign(std::begin(kMaskedPaths), std::end(kMaskedPaths));
  for (const std::string& path : node.thermal_throttle_paths) out->add_masked_paths(path);
  out->mutable_readonly_paths()->Assign(std::begin(kReadOnlyPaths), std::end(kReadOnlyPaths));
}

// The user, or else the image's.
void SetUser(const EffectiveIdentity& identity, const ImageUser& image_user,
             criv1::LinuxContainerSecurityContext* out) {
  if (identity.run_as_user) {
    out->mutable_run_as_user()->set_value(*identity.run_as_user);
  } else {
    if (image_user.uid) out->mutable_run_as_user()->set_value(*image_user.uid);
    out->set_run_as_username(image_user.username);
  }
  if (identity.run_as_group) out->mutable_run_as_group()->set_value(*identity.run_as_group);
}

void SetGroups(const v1::Pod& pod, const std::vector<int64_t>& volume_groups,
               criv1::LinuxContainerSecurityContext* out) {
  const v1::PodSecurityContext& context = pod.spec().securitycontext();
  if (context.has_fsgroup()) out->add_supplemental_groups(context.fsgroup());
  for (const int64_t group : context.supplementalgroups()) out->add_supplemental_groups(group);
  for (const int64_t group : volume_groups) out->add_supplemental_groups(group);
}

}  // namespace

ImageUser ImageUserOf(const criv1::Image& image) {
  if (image.has_uid()) return {.uid = image.uid().value()};
  if (!image.username().empty()) return {.username = image.username()};
  return {.uid = 0};
}

EffectiveIdentity IdentityOf(const v1::Pod& pod, const v1::Container& container) {
  const v1::PodSecurityContext& outer = pod.spec().securitycontext();
  const v1::SecurityContext& inner = container.securitycontext();
  EffectiveIdentity identity;
  if (outer.has_runasuser()) identity.run_as_user = outer.runasuser();
  if (inner.has_runasuser()) identity.run_as_user = inner.runasuser();
  if (outer.has_runasgroup()) identity.run_as_group = outer.runasgroup();
  if (inner.has_runasgroup()) identity.run_as_group = inner.runasgroup();
  identity.run_as_non_root = inner.has_runasnonroot() ? inner.runasnonroot() : outer.runasnonroot();
  if (outer.has_selinuxoptions()) identity.selinux = &outer.selinuxoptions();
  if (inner.has_selinuxoptions()) identity.selinux = &inner.selinuxoptions();
  return identity;
}

absl::Status CheckRunAsNonRoot(const v1::Pod& pod, const v1::Container& container,
                               const ImageUser& image_user) {
  const EffectiveIdentity identity = IdentityOf(pod, container);
  if (!identity.run_as_non_root) return absl::OkStatus();
  const auto refuse = [&](std::string_view what) {
    return absl::FailedPreconditionError(StrCat(what, " (pod: ", GoQuote(api::FormatPod(pod)),
                                                ", container: ", container.name(), ")"));
  };
  if (identity.run_as_user) {
    if (*identity.run_as_user != 0) return absl::OkStatus();
    return refuse("container's runAsUser breaks non-root policy");
  }
  if (!image_user.uid) {
    if (image_user.username.empty()) return absl::OkStatus();
    return refuse(StrCat("container has runAsNonRoot and image has non-numeric user (",
                         image_user.username, "), cannot verify user is non-root"));
  }
  const int64_t uid = *image_user.uid;
  if (uid == 0) return refuse("container has runAsNonRoot and image will run as root");
  if (uid < 0 || uid > kMaxUserId)
    return refuse(StrCat("container has runAsNonRoot and image has an invalid user id (", uid,
                         "). (Must be 1-(", kMaxUserId, ")): ", api::RangeFault(0, kMaxUserId)));
  return absl::OkStatus();
}

bool IsPrivileged(const v1::Container& container) {
  return container.securitycontext().privileged();
}

criv1::NamespaceOption MakeNamespaceOptions(const v1::Pod& pod,
                                            const std::optional<UserNamespace>& user_namespace,
                                            const std::string& target_id) {
  const v1::PodSpec& spec = pod.spec();
  criv1::NamespaceOption options;
  options.set_network(spec.hostnetwork() ? criv1::NODE : criv1::POD);
  options.set_ipc(spec.hostipc() ? criv1::NODE : criv1::POD);
  if (spec.hostpid()) {
    options.set_pid(criv1::NODE);
  } else if (spec.shareprocessnamespace()) {
    options.set_pid(criv1::POD);
  } else if (!target_id.empty()) {
    options.set_pid(criv1::TARGET);
    options.set_target_id(target_id);
  } else {
    options.set_pid(criv1::CONTAINER);
  }
  if (user_namespace)
    SetMapping(*user_namespace, options.mutable_userns_options());
  else
    options.mutable_userns_options()->set_mode(criv1::NODE);
  return options;
}

absl::StatusOr<criv1::SupplementalGroupsPolicy> GroupsPolicyOf(const v1::Pod& pod) {
  const v1::PodSecurityContext& context = pod.spec().securitycontext();
  const std::string& policy = context.supplementalgroupspolicy();
  if (!context.has_supplementalgroupspolicy() || policy == "Merge") return criv1::Merge;
  if (policy == "Strict") return criv1::Strict;
  return absl::InvalidArgumentError(StrCat("unsupported supplementalGroupsPolicy: ", policy));
}

absl::StatusOr<criv1::LinuxSandboxSecurityContext> MakeSandboxSecurityContext(
    const v1::Pod& pod, const std::optional<UserNamespace>& user_namespace,
    const std::vector<int64_t>& volume_groups) {
  const v1::PodSecurityContext& context = pod.spec().securitycontext();
  criv1::LinuxSandboxSecurityContext out;
  out.set_privileged(AnyPrivileged(pod));
  // The pod's own first process is always confined.
  out.mutable_seccomp()->set_profile_type(criv1::SecurityProfile::RuntimeDefault);
  *out.mutable_namespace_options() = MakeNamespaceOptions(pod, user_namespace, "");
  if (context.has_runasuser()) out.mutable_run_as_user()->set_value(context.runasuser());
  if (context.has_runasgroup()) out.mutable_run_as_group()->set_value(context.runasgroup());
  ASSIGN_OR_RETURN(const criv1::SupplementalGroupsPolicy policy, GroupsPolicyOf(pod));
  out.set_supplemental_groups_policy(policy);
  if (context.has_fsgroup()) out.add_supplemental_groups(context.fsgroup());
  for (const int64_t group : volume_groups) out.add_supplemental_groups(group);
  for (const int64_t group : context.supplementalgroups()) out.add_supplemental_groups(group);
  if (context.has_selinuxoptions())
    *out.mutable_selinux_options() = ToCri(context.selinuxoptions());
  return out;
}

absl::StatusOr<criv1::LinuxContainerSecurityContext> MakeContainerSecurityContext(
    const v1::Pod& pod, const v1::Container& container, const NodeContext& node,
    const SecurityInput& input) {
  const v1::SecurityContext& context = container.securitycontext();
  const EffectiveIdentity identity = IdentityOf(pod, container);
  criv1::LinuxContainerSecurityContext out;
  ASSIGN_OR_RETURN(*out.mutable_seccomp(), SeccompProfileOf(pod, container, node));
  RETURN_IF_ERROR(SetAppArmorProfile(pod, container, &out));
  SetUser(identity, input.image_user, &out);
  *out.mutable_namespace_options() =
      MakeNamespaceOptions(pod, input.user_namespace, input.target_container_id);
  ASSIGN_OR_RETURN(const criv1::SupplementalGroupsPolicy policy, GroupsPolicyOf(pod));
  out.set_supplemental_groups_policy(policy);
  SetGroups(pod, input.volume_groups, &out);
  if (identity.selinux != nullptr) *out.mutable_selinux_options() = ToCri(*identity.selinux);
  if (context.has_capabilities()) {
    *out.mutable_capabilities()->mutable_add_capabilities() = context.capabilities().add();
    *out.mutable_capabilities()->mutable_drop_capabilities() = context.capabilities().drop();
  }
  out.set_privileged(context.privileged());
  out.set_readonly_rootfs(context.readonlyrootfilesystem());
  out.set_no_new_privs(context.has_allowprivilegeescalation() &&
                       !context.allowprivilegeescalation());
  SetProcPaths(container, node, &out);
  return out;
}

}  // namespace cubelet::containers
