// spec.os, and what is for the one system only. Pods for Windows are refused at admission; here
// they are held to the API's rules like any other.
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "api/pod_validation.h"
#include "re2/re2.h"

namespace cubelet::api::validation {
namespace {

constexpr size_t kMaxCredentialKib = 64;
constexpr size_t kMaxDomainBytes = 256;
constexpr size_t kMaxUserBytes = 104;

struct Set {
  bool present;
  const char* name;
};

void ForbidAll(const std::vector<Set>& fields, const FieldPath& path, FieldErrors& errors) {
  for (const Set& field : fields) {
    if (field.present) errors.Forbidden(path.Child(field.name), "cannot be set for a windows pod");
  }
}

void ForbidOnWindows(const v1::PodSpec& spec, const FieldPath& path, FieldErrors& errors) {
  const v1::PodSecurityContext& context = spec.securitycontext();
  ForbidAll({{spec.has_hostusers(), "hostUsers"},
             {spec.hostpid(), "hostPID"},
             {spec.hostipc(), "hostIPC"},
             {spec.has_shareprocessnamespace(), "shareProcessNamespace"}},
            path, errors);
  ForbidAll({{context.has_apparmorprofile(), "appArmorProfile"},
             {context.has_selinuxoptions(), "seLinuxOptions"},
             {context.has_seccompprofile(), "seccompProfile"},
             {context.has_fsgroup(), "fsGroup"},
             {context.has_fsgroupchangepolicy(), "fsGroupChangePolicy"},
             {context.sysctls_size() > 0, "sysctls"},
             {context.has_runasuser(), "runAsUser"},
             {context.has_runasgroup(), "runAsGroup"},
             {context.supplementalgroups_size() > 0, "supplementalGroups"},
             {context.has_supplementalgroupspolicy(), "supplementalGroupsPolicy"},
             {context.has_selinuxchangepolicy(), "seLinuxChangePolicy"}},
            path.Child("securityContext"), errors);
}

void ForbidOnWindows(const v1::SecurityContext& context, const FieldPath& path,
                     FieldErrors& errors) {
  ForbidAll({{context.has_apparmorprofile(), "appArmorProfile"},
             {context.has_selinuxoptions(), "seLinuxOptions"},
             {context.has_seccompprofile(), "seccompProfile"},
             {context.has_capabilities(), "capabilities"},
             {context.has_readonlyrootfilesystem(), "readOnlyRootFilesystem"},
             {context.has_privileged(), "privileged"},
             {context.has_allowprivilegeescalation(), "allowPrivilegeEscalation"},
             {context.has_procmount(), "procMount"},
             {context.has_runasuser(), "runAsUser"},
             {context.has_runasgroup(), "runAsGroup"}},
            path, errors);
}

template <typename Fn>
void ForEachWithPath(const v1::PodSpec& spec, const FieldPath& path, Fn fn) {
  for (int i = 0; i < spec.initcontainers_size(); ++i)
    fn(spec.initcontainers(i), path.Child("initContainers").Index(static_cast<size_t>(i)));
  for (int i = 0; i < spec.containers_size(); ++i)
    fn(spec.containers(i), path.Child("containers").Index(static_cast<size_t>(i)));
}

void ForbidWindowsOptions(const v1::PodSpec& spec, const FieldPath& path, FieldErrors& errors) {
  constexpr char kFault[] = "windows options cannot be set for a linux pod";
  if (spec.securitycontext().has_windowsoptions())
    errors.Forbidden(path.Child("securityContext").Child("windowsOptions"), kFault);
  ForEachWithPath(spec, path, [&](const v1::Container& container, const FieldPath& own) {
    if (container.securitycontext().has_windowsoptions())
      errors.Forbidden(own.Child("securityContext").Child("windowsOptions"), kFault);
  });
}

// Containers that are processes of the host: all or none, on the host's network.
void ValidateHostProcesses(const v1::PodSpec& spec, const FieldPath& path, FieldErrors& errors) {
  const v1::WindowsSecurityContextOptions& pods = spec.securitycontext().windowsoptions();
  int all = 0, host = 0;
  ForEachWithPath(spec, path, [&](const v1::Container& container, const FieldPath& own) {
    const v1::WindowsSecurityContextOptions& options = container.securitycontext().windowsoptions();
    ++all;
    host += options.has_hostprocess() ? options.hostprocess() : pods.hostprocess();
    if (pods.has_hostprocess() && options.has_hostprocess() &&
        pods.hostprocess() != options.hostprocess())
      errors.Invalid(own.Child("securityContext").Child("windowsOptions").Child("hostProcess"),
                     options.hostprocess(),
                     StrCat("pod hostProcess value must be identical if both are specified, was ",
                            pods.hostprocess() ? "true" : "false"));
  });
  if (host == 0) return;
  if (host != all)
    errors.Invalid(path, "",
                   "If pod contains any hostProcess containers then all containers must be "
                   "HostProcess containers");
  if (!spec.hostnetwork())
    errors.Invalid(path.Child("hostNetwork"), false,
                   "hostNetwork must be true if pod contains any hostProcess containers");
}

std::vector<std::string> UserNameFaults(const std::string& name) {
  if (name.empty()) return {"runAsUserName cannot be an empty string"};
  if (re2::RE2::PartialMatch(name, "[[:cntrl:]]"))
    return {"runAsUserName cannot contain control characters"};
  const std::vector<std::string> parts = absl::StrSplit(name, '\\');
  if (parts.size() > 2) return {"runAsUserName cannot contain more than one backslash"};
  std::vector<std::string> faults;
  const std::string& user = parts.back();
  if (parts.size() == 2) {
    static const re2::RE2 kNetBios(R"([^\\/:*?"<>|.][^\\/:*?"<>|]{0,14})");
    static const re2::RE2 kDns(R"([a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)"
                               R"((?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*)");
    if (parts[0].size() >= kMaxDomainBytes)
      faults.push_back("runAsUserName's Domain length must be under 256 characters");
    if (!re2::RE2::FullMatch(parts[0], kNetBios) && !re2::RE2::FullMatch(parts[0], kDns))
      faults.push_back("runAsUserName's Domain doesn't match the NetBios nor the DNS format");
  }
  if (user.empty()) faults.push_back("runAsUserName's User cannot be empty");
  if (user.size() > kMaxUserBytes)
    faults.push_back("runAsUserName's User length must not be longer than 104 characters");
  if (!user.empty() && user.find_first_not_of(". ") == std::string::npos)
    faults.push_back("runAsUserName's User cannot contain only periods or spaces");
  if (user.find_first_of("\"/\\:;|=,+*?<>@[]") != std::string::npos)
    faults.push_back(
        R"(runAsUserName's User cannot contain the following characters: "/\:;|=,+*?<>@[])");
  return faults;
}

}  // namespace

void ValidateWindowsOptions(const v1::WindowsSecurityContextOptions& options, const FieldPath& path,
                            FieldErrors& errors) {
  if (options.has_gmsacredentialspecname())
    errors.InvalidFor(path.Child("gmsaCredentialSpecName"), options.gmsacredentialspecname(),
                      Dns1123SubdomainFaults(options.gmsacredentialspecname()));
  if (options.has_gmsacredentialspec() && options.gmsacredentialspec().empty())
    errors.Invalid(path.Child("gmsaCredentialSpec"), "",
                   "gmsaCredentialSpec cannot be an empty string");
  if (options.gmsacredentialspec().size() > kMaxCredentialKib * 1024)
    errors.Invalid(path.Child("gmsaCredentialSpec"), options.gmsacredentialspec(),
                   StrCat("gmsaCredentialSpec size must be under ", kMaxCredentialKib, " KiB"));
  if (options.has_runasusername())
    errors.InvalidFor(path.Child("runAsUserName"), options.runasusername(),
                      UserNameFaults(options.runasusername()));
}

void ValidateOs(const v1::PodSpec& spec, const FieldPath& path, FieldErrors& errors) {
  ValidateHostProcesses(spec, path, errors);
  if (!spec.has_os()) return;
  const std::string& name = spec.os().name();
  if (name.empty()) {
    errors.Required(path.Child("os").Child("name"), "cannot be empty");
  } else if (name == "linux") {
    ForbidWindowsOptions(spec, path, errors);
  } else if (name == "windows") {
    ForbidOnWindows(spec, path, errors);
    ForEachWithPath(spec, path, [&](const v1::Container& container, const FieldPath& own) {
      ForbidOnWindows(container.securitycontext(), own.Child("securityContext"), errors);
    });
  } else {
    errors.NotSupported(path.Child("os"), name, {"linux", "windows"});
  }
}

}  // namespace cubelet::api::validation
