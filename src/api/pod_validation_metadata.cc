// metadata, and annotations that mean something.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "api/pod.h"
#include "api/pod_validation.h"

namespace cubelet::api::validation {
namespace {

constexpr size_t kMaxAnnotationBytes = 256 * 1024;
constexpr size_t kMaxManagerBytes = 128;
constexpr size_t kMaxSubresourceBytes = 256;

constexpr char kDeletionCost[] = "controller.kubernetes.io/pod-deletion-cost";
constexpr char kSeccompPod[] = "seccomp.security.alpha.kubernetes.io/pod";
constexpr char kSeccompContainer[] = "container.seccomp.security.alpha.kubernetes.io/";
constexpr char kAppArmorContainer[] = "container.apparmor.security.beta.kubernetes.io/";

using StringMap = google::protobuf::Map<std::string, std::string>;

// In the order of the keys, so that equal pods have equal messages.
std::vector<std::pair<std::string_view, std::string_view>> Sorted(const StringMap& map) {
  std::vector<std::pair<std::string_view, std::string_view>> entries;
  for (const auto& [key, value] : map) entries.emplace_back(key, value);
  std::sort(entries.begin(), entries.end());
  return entries;
}

void ValidateAnnotations(const StringMap& annotations, const FieldPath& path, FieldErrors& errors) {
  size_t bytes = 0;
  for (const auto& [key, value] : Sorted(annotations)) {
    bytes += key.size() + value.size();
    errors.InvalidFor(path, key, LabelKeyFaults(absl::AsciiStrToLower(ToAbsl(key))));
  }
  if (bytes > kMaxAnnotationBytes) errors.TooLong(path, kMaxAnnotationBytes);
}

void ValidateOwners(const metav1::ObjectMeta& metadata, const FieldPath& path,
                    FieldErrors& errors) {
  std::string controller;
  for (const metav1::OwnerReference& owner : metadata.ownerreferences()) {
    const std::string& version = owner.apiversion();
    if (version.empty() || version.ends_with('/'))
      errors.Invalid(path.Child("apiVersion"), version, "version must not be empty");
    if (owner.kind().empty()) errors.Invalid(path.Child("kind"), "", "must not be empty");
    if (owner.name().empty()) errors.Invalid(path.Child("name"), "", "must not be empty");
    if (owner.uid().empty()) errors.Invalid(path.Child("uid"), "", "must not be empty");
    if (version == "v1" && owner.kind() == "Event")
      errors.Invalid(path, StrCat(owner.kind(), "/", owner.name()),
                     "/v1, Kind=Event is disallowed from being an owner");
    if (!owner.controller()) continue;
    const std::string name = StrCat(owner.kind(), "/", owner.name());
    if (!controller.empty())
      errors.Invalid(path, name,
                     StrCat("Only one reference can have Controller set to true. Found \"true\" in "
                            "references for ",
                            controller, " and ", name));
    controller = name;
  }
}

bool IsStandardFinalizer(std::string_view name) {
  return name == "kubernetes" || name == "orphan" || name == "foregroundDeletion";
}

void ValidateFinalizers(const metav1::ObjectMeta& metadata, const FieldPath& path,
                        FieldErrors& errors) {
  bool orphan = false, foreground = false;
  for (int i = 0; i < metadata.finalizers_size(); ++i) {
    const std::string& name = metadata.finalizers(i);
    errors.InvalidFor(path, name, LabelKeyFaults(name));
    orphan = orphan || name == "orphan";
    foreground = foreground || name == "foregroundDeletion";
    if (name.find('/') == std::string::npos && !IsStandardFinalizer(name))
      errors.Invalid(path.Index(static_cast<size_t>(i)), name,
                     "name is neither a standard finalizer name nor is it fully qualified");
  }
  if (orphan && foreground)
    errors.Invalid(path, "orphan", "finalizer orphan and foregroundDeletion cannot be both set");
}

void ValidateManagedFields(const metav1::ObjectMeta& metadata, const FieldPath& path,
                           FieldErrors& errors) {
  for (int i = 0; i < metadata.managedfields_size(); ++i) {
    const metav1::ManagedFieldsEntry& entry = metadata.managedfields(i);
    const FieldPath entry_path = path.Index(static_cast<size_t>(i));
    if (entry.operation() != "Apply" && entry.operation() != "Update")
      errors.Invalid(entry_path.Child("operation"), entry.operation(),
                     "must be `Apply` or `Update`");
    if (!entry.fieldstype().empty() && entry.fieldstype() != "FieldsV1")
      errors.Invalid(entry_path.Child("fieldsType"), entry.fieldstype(), "must be `FieldsV1`");
    if (entry.manager().size() > kMaxManagerBytes)
      errors.TooLong(entry_path.Child("manager"), kMaxManagerBytes);
    if (entry.subresource().size() > kMaxSubresourceBytes)
      errors.TooLong(entry_path.Child("subresource"), kMaxSubresourceBytes);
  }
}

void ValidateSeccompAnnotation(std::string_view profile, const FieldPath& path,
                               FieldErrors& errors) {
  if (profile == "runtime/default" || profile == "docker/default" || profile == "unconfined")
    return;
  if (profile.starts_with("localhost/")) {
    ValidateRelativePath(profile.substr(profile.find('/') + 1), path, errors);
  } else {
    errors.Invalid(path, profile, "must be a valid seccomp profile");
  }
}

void ValidateAppArmorAnnotation(const v1::Pod& pod, std::string_view container,
                                std::string_view profile, const FieldPath& path,
                                FieldErrors& errors) {
  bool found = FindContainer(pod, container) != nullptr;
  for (const v1::EphemeralContainer& ephemeral : pod.spec().ephemeralcontainers())
    found = found || ephemeral.ephemeralcontainercommon().name() == container;
  if (!found) errors.Invalid(path, container, "container not found");
  if (!profile.empty() && profile != "runtime/default" && profile != "unconfined" &&
      !profile.starts_with("localhost/"))
    errors.Invalid(path, profile, StrCat("invalid AppArmor profile name: ", GoQuote(profile)));
}

// A field of the form {type, localhostProfile} against the annotation that came before it.
template <typename Profile>
void ValidateAgreement(const Profile& profile, const std::string& annotation,
                       std::string_view system, const FieldPath& path, FieldErrors& errors) {
  const std::string type_fault = StrCat(system, " type in annotation and field must match");
  constexpr std::string_view kLocalhost = "localhost/";
  if (profile.type() == "Unconfined") {
    if (annotation != "unconfined") errors.Forbidden(path.Child("type"), type_fault);
  } else if (profile.type() == "RuntimeDefault") {
    if (annotation != "runtime/default" && (system != "seccomp" || annotation != "docker/default"))
      errors.Forbidden(path.Child("type"), type_fault);
  } else if (profile.type() == "Localhost") {
    if (!annotation.starts_with(kLocalhost)) {
      errors.Forbidden(path.Child("type"), type_fault);
    } else if (annotation.substr(kLocalhost.size()) != profile.localhostprofile()) {
      errors.Forbidden(path.Child("localhostProfile"),
                       StrCat(system, " profile in annotation and field must match"));
    }
  }
}

void ValidateContainerProfiles(const v1::Pod& pod, const v1::Container& container,
                               const FieldPath& path, FieldErrors& errors) {
  const v1::SecurityContext& own = container.securitycontext();
  const FieldPath context = path.Child("securityContext");
  const std::string* seccomp = FindAnnotation(pod, StrCat(kSeccompContainer, container.name()));
  if (seccomp != nullptr && own.has_seccompprofile())
    ValidateAgreement(own.seccompprofile(), *seccomp, "seccomp", context.Child("seccompProfile"),
                      errors);
  const v1::PodSecurityContext& pods = pod.spec().securitycontext();
  const std::string* apparmor = FindAnnotation(pod, StrCat(kAppArmorContainer, container.name()));
  if (apparmor != nullptr && (own.has_apparmorprofile() || pods.has_apparmorprofile()))
    ValidateAgreement(own.has_apparmorprofile() ? own.apparmorprofile() : pods.apparmorprofile(),
                      *apparmor, "apparmor", context.Child("appArmorProfile"), errors);
}

}  // namespace

void ValidateLabels(const StringMap& labels, const FieldPath& path, FieldErrors& errors) {
  for (const auto& [key, value] : Sorted(labels)) {
    errors.InvalidFor(path, key, LabelKeyFaults(key));
    errors.InvalidFor(path, value, LabelValueFaults(value));
  }
}

void ValidateMetadata(const metav1::ObjectMeta& metadata, const FieldPath& path,
                      FieldErrors& errors) {
  if (!metadata.generatename().empty())
    errors.InvalidFor(path.Child("generateName"), metadata.generatename(),
                      Dns1123SubdomainFaults(MaskTrailingDash(metadata.generatename())));
  if (metadata.name().empty()) {
    errors.Required(path.Child("name"), "name or generateName is required");
  } else {
    errors.InvalidFor(path.Child("name"), metadata.name(), Dns1123SubdomainFaults(metadata.name()));
  }
  if (metadata.namespace_().empty()) {
    errors.Required(path.Child("namespace"));
  } else {
    errors.InvalidFor(path.Child("namespace"), metadata.namespace_(),
                      Dns1123LabelFaults(metadata.namespace_()));
  }
  if (metadata.generation() < 0)
    errors.Invalid(path.Child("generation"), metadata.generation(),
                   "must be greater than or equal to 0");
  ValidateLabels(metadata.labels(), path.Child("labels"), errors);
  ValidateAnnotations(metadata.annotations(), path.Child("annotations"), errors);
  ValidateOwners(metadata, path.Child("ownerReferences"), errors);
  ValidateFinalizers(metadata, path.Child("finalizers"), errors);
  ValidateManagedFields(metadata, path.Child("managedFields"), errors);
}

void ValidatePodAnnotations(const v1::Pod& pod, FieldErrors& errors) {
  const FieldPath path("metadata.annotations");
  for (const auto& [key, value] : Sorted(pod.metadata().annotations())) {
    if (key == kConfigMirrorAnnotation && pod.spec().nodename().empty())
      errors.Invalid(path.Key(key), value,
                     "must set spec.nodeName if mirror pod annotation is set");
    int32_t cost = 0;
    if (key == kDeletionCost && !absl::SimpleAtoi(ToAbsl(value), &cost))
      errors.Invalid(path.Key(key), value, "must be a 32bit integer");
    if (key == kSeccompPod || key.starts_with(kSeccompContainer))
      ValidateSeccompAnnotation(value, path.Child(key), errors);
    if (key.starts_with(kAppArmorContainer))
      ValidateAppArmorAnnotation(pod, key.substr(sizeof(kAppArmorContainer) - 1), value,
                                 path.Key(key), errors);
  }
}

void ValidateProfileAnnotations(const v1::Pod& pod, FieldErrors& errors) {
  const FieldPath path("spec");
  const std::string* seccomp = FindAnnotation(pod, kSeccompPod);
  if (seccomp != nullptr && pod.spec().securitycontext().has_seccompprofile())
    ValidateAgreement(pod.spec().securitycontext().seccompprofile(), *seccomp, "seccomp",
                      path.Child("securityContext").Child("seccompProfile"), errors);
  for (int i = 0; i < pod.spec().initcontainers_size(); ++i)
    ValidateContainerProfiles(pod, pod.spec().initcontainers(i),
                              path.Child("initContainers").Index(static_cast<size_t>(i)), errors);
  for (int i = 0; i < pod.spec().containers_size(); ++i)
    ValidateContainerProfiles(pod, pod.spec().containers(i),
                              path.Child("containers").Index(static_cast<size_t>(i)), errors);
}

}  // namespace cubelet::api::validation
