#include "containers/profiles.h"

#include <optional>
#include <string>
#include <string_view>

#include "api/pod.h"
#include "base/status.h"
#include "base/strings.h"

namespace cubelet::containers {
namespace {

constexpr char kAppArmorAnnotationPrefix[] = "container.apparmor.security.beta.kubernetes.io/";
constexpr std::string_view kLocalhostPrefix = "localhost/";

const v1::SeccompProfile* FindSeccompProfile(const v1::Pod& pod, const v1::Container& container) {
  if (container.securitycontext().has_seccompprofile())
    return &container.securitycontext().seccompprofile();
  if (pod.spec().securitycontext().has_seccompprofile())
    return &pod.spec().securitycontext().seccompprofile();
  return nullptr;
}

v1::AppArmorProfile AppArmorProfile(std::string_view type, std::string_view name = "") {
  v1::AppArmorProfile profile;
  profile.set_type(std::string(type));
  if (!name.empty()) profile.set_localhostprofile(std::string(name));
  return profile;
}

// What the annotation of before there was a field means; none for an empty or unknown value.
std::optional<v1::AppArmorProfile> FromAnnotation(std::string_view value) {
  if (value == "runtime/default") return AppArmorProfile("RuntimeDefault");
  if (value == "unconfined") return AppArmorProfile("Unconfined");
  if (value.starts_with(kLocalhostPrefix))
    return AppArmorProfile("Localhost", value.substr(kLocalhostPrefix.size()));
  return std::nullopt;
}

std::optional<v1::AppArmorProfile> FindAppArmorProfile(const v1::Pod& pod,
                                                       const v1::Container& container) {
  if (container.securitycontext().has_apparmorprofile())
    return container.securitycontext().apparmorprofile();
  if (const std::string* value =
          api::FindAnnotation(pod, StrCat(kAppArmorAnnotationPrefix, container.name())))
    return FromAnnotation(*value);
  if (pod.spec().securitycontext().has_apparmorprofile())
    return pod.spec().securitycontext().apparmorprofile();
  return std::nullopt;
}

}  // namespace

absl::StatusOr<criv1::SecurityProfile> SeccompProfileOf(const v1::Pod& pod,
                                                        const v1::Container& container,
                                                        const NodeContext& node) {
  criv1::SecurityProfile out;
  const v1::SeccompProfile* profile = FindSeccompProfile(pod, container);
  const std::string type = profile != nullptr     ? profile->type()
                           : node.seccomp_default ? "RuntimeDefault"
                                                  : "Unconfined";
  if (type == "RuntimeDefault") {
    out.set_profile_type(criv1::SecurityProfile::RuntimeDefault);
  } else if (type == "Unconfined") {
    out.set_profile_type(criv1::SecurityProfile::Unconfined);
  } else if (type == "Localhost") {
    if (profile->localhostprofile().empty())
      return absl::InvalidArgumentError(
          "localhostProfile must be set if seccompProfile type is Localhost.");
    out.set_profile_type(criv1::SecurityProfile::Localhost);
    out.set_localhost_ref(StrCat(node.paths->Seccomp(), "/", profile->localhostprofile()));
  } else {
    return absl::InvalidArgumentError(StrCat("unknown seccomp profile type: ", GoQuote(type)));
  }
  return out;
}

absl::Status SetAppArmorProfile(const v1::Pod& pod, const v1::Container& container,
                                criv1::LinuxContainerSecurityContext* out) {
  const std::optional<v1::AppArmorProfile> profile = FindAppArmorProfile(pod, container);
  if (!profile) return absl::OkStatus();
  std::string legacy;
  criv1::SecurityProfile& structured = *out->mutable_apparmor();
  if (profile->type() == "RuntimeDefault") {
    structured.set_profile_type(criv1::SecurityProfile::RuntimeDefault);
    legacy = "runtime/default";
  } else if (profile->type() == "Unconfined") {
    structured.set_profile_type(criv1::SecurityProfile::Unconfined);
    legacy = "unconfined";
  } else if (profile->type() == "Localhost") {
    if (profile->localhostprofile().empty())
      return absl::InvalidArgumentError("missing localhost apparmor profile name");
    structured.set_profile_type(criv1::SecurityProfile::Localhost);
    structured.set_localhost_ref(profile->localhostprofile());
    legacy = StrCat(kLocalhostPrefix, profile->localhostprofile());
  } else {
    return absl::InvalidArgumentError(
        StrCat("unknown apparmor profile type: ", GoQuote(profile->type())));
  }
  // CRI keeps the older field for runtimes that read only that.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
  out->set_apparmor_profile(legacy);
#pragma clang diagnostic pop
  return absl::OkStatus();
}

}  // namespace cubelet::containers
