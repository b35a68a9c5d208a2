// Security contexts of the pod and its containers.
#include <set>
#include <string>

#include "absl/strings/ascii.h"
#include "api/pod_validation.h"

namespace cubelet::api::validation {
namespace {

constexpr size_t kMaxSysctlBytes = 253;
constexpr size_t kMaxProfileBytes = 4095;

void ValidateId(bool present, int64_t id, const FieldPath& path, FieldErrors& errors) {
  if (present) errors.InvalidFor(path, id, IdFaults(id));
}

void ValidateSeccomp(const v1::SeccompProfile& profile, const FieldPath& path,
                     FieldErrors& errors) {
  const FieldPath localhost = path.Child("localhostProfile");
  if (profile.type().empty()) {
    errors.Required(path.Child("type"), "type is required when seccompProfile is set");
  } else if (profile.type() != "Localhost" && profile.type() != "RuntimeDefault" &&
             profile.type() != "Unconfined") {
    errors.NotSupported(path.Child("type"), profile.type(),
                        {"Localhost", "RuntimeDefault", "Unconfined"});
  }
  if (profile.type() != "Localhost") {
    if (profile.has_localhostprofile())
      errors.Invalid(localhost, profile.localhostprofile(),
                     "can only be set when seccomp type is Localhost");
  } else if (!profile.has_localhostprofile()) {
    errors.Required(localhost, "must be set when seccomp type is Localhost");
  } else {
    ValidateRelativePath(profile.localhostprofile(), localhost, errors);
  }
}

void ValidateAppArmor(const v1::AppArmorProfile& profile, const FieldPath& path,
                      FieldErrors& errors) {
  const FieldPath localhost = path.Child("localhostProfile");
  const std::string& name = profile.localhostprofile();
  if (profile.type() == "Localhost") {
    if (absl::StripAsciiWhitespace(name).size() != name.size()) {
      errors.Invalid(localhost, name, "must not be padded with whitespace");
    } else if (name.empty()) {
      errors.Required(localhost, "must be set when AppArmor type is Localhost");
    }
    if (name.size() > kMaxProfileBytes) errors.TooLong(localhost, kMaxProfileBytes);
  } else if (profile.type() == "RuntimeDefault" || profile.type() == "Unconfined") {
    if (profile.has_localhostprofile())
      errors.Invalid(localhost, name, "can only be set when AppArmor type is Localhost");
  } else if (profile.type().empty()) {
    errors.Required(path.Child("type"), "type is required when appArmorProfile is set");
  } else {
    errors.NotSupported(path.Child("type"), profile.type(),
                        {"Localhost", "RuntimeDefault", "Unconfined"});
  }
}

void ValidateSysctls(const v1::PodSpec& spec, const FieldPath& path, FieldErrors& errors) {
  std::set<std::string> names;
  for (int i = 0; i < spec.securitycontext().sysctls_size(); ++i) {
    const std::string& name = spec.securitycontext().sysctls(i).name();
    const FieldPath name_path = path.Index(static_cast<size_t>(i)).Child("name");
    if (name.empty()) {
      errors.Required(name_path);
    } else if (!IsSysctlName(name)) {
      errors.Invalid(name_path, name,
                     StrCat("must have at most ", kMaxSysctlBytes, " characters and match regex ",
                            kSysctlFormat));
    } else if (names.contains(name)) {
      errors.Duplicate(name_path, name);
    }
    names.insert(name);
    std::string dotted = name;
    for (char& c : dotted) c = c == '/' ? '.' : c;
    const bool ipc = dotted == "kernel.sem" || dotted.starts_with("kernel.shm") ||
                     dotted.starts_with("kernel.msg") || dotted.starts_with("fs.mqueue.");
    if (spec.hostnetwork() && dotted.starts_with("net."))
      errors.Invalid(name_path, name, "may not be specified when 'hostNetwork' is true");
    if (spec.hostipc() && ipc)
      errors.Invalid(name_path, name, "may not be specified when 'hostIPC' is true");
  }
}

void ValidateOneOf(bool present, const std::string& value, std::string_view first,
                   std::string_view second, const FieldPath& path, FieldErrors& errors) {
  if (present && value != first && value != second)
    errors.NotSupported(path, value, {first, second});
}

// Ranges of user ids of their own and the node's namespaces exclude each other.
void ValidateHostUsers(const v1::PodSpec& spec, const FieldPath& path, FieldErrors& errors) {
  if (!spec.has_hostusers() || spec.hostusers()) return;
  constexpr char kFault[] = "when `pod.Spec.HostUsers` is false";
  if (spec.hostnetwork()) errors.Forbidden(path.Child("hostNetwork"), kFault);
  if (spec.hostpid()) errors.Forbidden(path.Child("HostPID"), kFault);
  if (spec.hostipc()) errors.Forbidden(path.Child("HostIPC"), kFault);
}

}  // namespace

void ValidatePodSecurity(const v1::PodSpec& spec, const FieldPath& path, FieldErrors& errors) {
  const v1::PodSecurityContext& context = spec.securitycontext();
  const FieldPath own = path.Child("securityContext");
  ValidateId(context.has_fsgroup(), context.fsgroup(), own.Child("fsGroup"), errors);
  ValidateId(context.has_runasuser(), context.runasuser(), own.Child("runAsUser"), errors);
  ValidateId(context.has_runasgroup(), context.runasgroup(), own.Child("runAsGroup"), errors);
  for (int i = 0; i < context.supplementalgroups_size(); ++i)
    ValidateId(true, context.supplementalgroups(i),
               own.Child("supplementalGroups").Index(static_cast<size_t>(i)), errors);
  if (spec.shareprocessnamespace() && spec.hostpid())
    errors.Invalid(own.Child("shareProcessNamespace"), true,
                   "ShareProcessNamespace and HostPID cannot both be enabled");
  ValidateSysctls(spec, own.Child("sysctls"), errors);
  ValidateOneOf(context.has_fsgroupchangepolicy(), context.fsgroupchangepolicy(), "Always",
                "OnRootMismatch", own.Child("fsGroupChangePolicy"), errors);
  if (context.has_seccompprofile())
    ValidateSeccomp(context.seccompprofile(), own.Child("seccompProfile"), errors);
  if (context.has_windowsoptions())
    ValidateWindowsOptions(context.windowsoptions(), own.Child("windowsOptions"), errors);
  if (context.has_apparmorprofile())
    ValidateAppArmor(context.apparmorprofile(), own.Child("appArmorProfile"), errors);
  ValidateOneOf(context.has_supplementalgroupspolicy(), context.supplementalgroupspolicy(), "Merge",
                "Strict", own.Child("supplementalGroupsPolicy"), errors);
  ValidateOneOf(context.has_selinuxchangepolicy(), context.selinuxchangepolicy(), "MountOption",
                "Recursive", own.Child("seLinuxChangePolicy"), errors);
  ValidateHostUsers(spec, path, errors);
}

void ValidateContainerSecurity(const PodFacts& facts, const v1::SecurityContext& context,
                               const FieldPath& path, FieldErrors& errors) {
  ValidateId(context.has_runasuser(), context.runasuser(), path.Child("runAsUser"), errors);
  ValidateId(context.has_runasgroup(), context.runasgroup(), path.Child("runAsGroup"), errors);
  ValidateOneOf(context.has_procmount(), context.procmount(), "Default", "Unmasked",
                path.Child("procMount"), errors);
  if (facts.host_users && context.procmount() == "Unmasked")
    errors.Invalid(path.Child("procMount"), context.procmount(),
                   "`hostUsers` must be false to use `Unmasked`");
  if (context.has_seccompprofile())
    ValidateSeccomp(context.seccompprofile(), path.Child("seccompProfile"), errors);
  if (context.has_allowprivilegeescalation() && !context.allowprivilegeescalation()) {
    if (context.privileged())
      errors.Invalid(path, false,
                     "cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
    for (const std::string& capability : context.capabilities().add()) {
      if (capability == "CAP_SYS_ADMIN")
        errors.Invalid(path, false,
                       "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` "
                       "CAP_SYS_ADMIN");
    }
  }
  if (context.has_windowsoptions())
    ValidateWindowsOptions(context.windowsoptions(), path.Child("windowsOptions"), errors);
  if (context.has_apparmorprofile())
    ValidateAppArmor(context.apparmorprofile(), path.Child("appArmorProfile"), errors);
}

}  // namespace cubelet::api::validation
