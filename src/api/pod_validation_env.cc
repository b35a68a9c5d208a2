// Environment variables and what they can refer to.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "api/pod_validation.h"
#include "api/quantity.h"

namespace cubelet::api::validation {
namespace {

const std::vector<std::string_view> kEnvFields = {"metadata.name",
                                                  "metadata.namespace",
                                                  "metadata.uid",
                                                  "spec.nodeName",
                                                  "spec.serviceAccountName",
                                                  "status.hostIP",
                                                  "status.hostIPs",
                                                  "status.podIP",
                                                  "status.podIPs"};
const std::vector<std::string_view> kVolumeFields = {"metadata.annotations", "metadata.labels",
                                                     "metadata.name", "metadata.namespace",
                                                     "metadata.uid"};
// All paths that are known at all; what a variable or a file may use of them is above.
constexpr std::array<std::string_view, 11> kKnownFields = {
    "metadata.annotations", "metadata.labels", "metadata.name",      "metadata.namespace",
    "metadata.uid",         "spec.nodeName",   "spec.restartPolicy", "spec.serviceAccountName",
    "spec.schedulerName",   "status.phase",    "status.hostIP"};
const std::vector<std::string_view> kResources = {
    "limits.cpu",   "limits.ephemeral-storage",   "limits.memory",
    "requests.cpu", "requests.ephemeral-storage", "requests.memory"};

template <typename List>
bool Contains(const List& list, std::string_view value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

bool IsKnownField(std::string_view field) {
  return Contains(kKnownFields, field) || Contains(kEnvFields, field);
}

void ValidateObjectName(const std::string& name, const FieldPath& path, FieldErrors& errors) {
  if (name.empty()) return errors.Required(path.Child("name"));
  errors.InvalidFor(path.Child("name"), name, Dns1123SubdomainFaults(name));
}

// A key of a secret or config map.
template <typename Selector>
void ValidateKeyRef(const Selector& selector, const FieldPath& path, FieldErrors& errors) {
  const std::string& name = selector.localobjectreference().name();
  errors.InvalidFor(path.Child("name"), name, Dns1123SubdomainFaults(name));
  if (selector.key().empty()) {
    errors.Required(path.Child("key"));
  } else {
    errors.InvalidFor(path.Child("key"), selector.key(), ConfigKeyFaults(selector.key()));
  }
}

void ValidateFileKeyRef(const PodFacts& facts, const v1::FileKeySelector& selector,
                        const FieldPath& path, FieldErrors& errors) {
  if (selector.key().empty()) {
    errors.Required(path.Child("key"));
  } else {
    errors.InvalidFor(path.Child("key"), selector.key(), EnvVarNameFaults(selector.key()));
  }
  if (selector.path().empty()) {
    errors.Required(path.Child("path"));
  } else {
    ValidateUnreservedPath(selector.path(), path.Child("path"), errors);
  }
  const FieldPath volume_path = path.Child("volumeName");
  if (selector.volumename().empty()) return errors.Required(volume_path);
  const auto volume = facts.volumes.find(selector.volumename());
  if (volume == facts.volumes.end()) {
    errors.NotFound(volume_path, selector.volumename());
  } else if (!volume->second->has_emptydir()) {
    errors.Invalid(volume_path, selector.volumename(), "must be a volume of type emptyDir");
  }
}

void ValidateValueFrom(const PodFacts& facts, const v1::EnvVar& variable, const FieldPath& path,
                       FieldErrors& errors) {
  const v1::EnvVarSource& source = variable.valuefrom();
  if (source.has_fieldref())
    ValidateFieldRef(source.fieldref(), false, path.Child("fieldRef"), errors);
  if (source.has_resourcefieldref())
    ValidateResourceFieldRef(source.resourcefieldref(), false, path.Child("resourceFieldRef"),
                             errors);
  if (source.has_configmapkeyref())
    ValidateKeyRef(source.configmapkeyref(), path.Child("configMapKeyRef"), errors);
  if (source.has_secretkeyref())
    ValidateKeyRef(source.secretkeyref(), path.Child("secretKeyRef"), errors);
  if (source.has_filekeyref())
    ValidateFileKeyRef(facts, source.filekeyref(), path.Child("fileKeyRef"), errors);

  const int sources = source.has_fieldref() + source.has_resourcefieldref() +
                      source.has_configmapkeyref() + source.has_secretkeyref() +
                      source.has_filekeyref();
  if (sources == 0) {
    errors.Invalid(path, "",
                   "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or "
                   "`secretKeyRef`");
  } else if (!variable.value().empty()) {
    errors.Invalid(path, "", "may not be specified when `value` is not empty");
  } else if (sources > 1) {
    errors.Invalid(path, "", "may not have more than one field specified at a time");
  }
}

void ValidateEnvFrom(const v1::EnvFromSource& source, const FieldPath& list, size_t index,
                     FieldErrors& errors) {
  const FieldPath path = list.Index(index);
  if (!source.prefix().empty())
    errors.InvalidFor(path.Child("prefix"), source.prefix(), EnvVarNameFaults(source.prefix()));
  if (source.has_configmapref())
    ValidateObjectName(source.configmapref().localobjectreference().name(),
                       path.Child("configMapRef"), errors);
  if (source.has_secretref())
    ValidateObjectName(source.secretref().localobjectreference().name(), path.Child("secretRef"),
                       errors);
  const int sources = source.has_configmapref() + source.has_secretref();
  if (sources == 0) errors.Invalid(list, "", "must specify one of: `configMapRef` or `secretRef`");
  if (sources > 1) errors.Invalid(list, "", "may not have more than one field specified at a time");
}

bool IsUnitDivisor(const std::string& divisor) {
  constexpr std::array<std::string_view, 13> kUnits = {
      "1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"};
  return Contains(kUnits, divisor);
}

void ValidateDivisor(const v1::ResourceFieldSelector& selector, const FieldPath& path,
                     FieldErrors& errors) {
  const Quantity amount = Quantity::ParseOrZero(selector.divisor().string());
  if (amount.IsZero()) return;
  const std::string divisor = amount.ToString();
  const std::string_view name = selector.resource();
  const std::string_view resource = name.substr(name.find('.') + 1);
  constexpr char kUnits[] =
      "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are "
      "supported with the ";
  std::string_view what;
  if (resource == "cpu") {
    if (divisor != "1m" && divisor != "1")
      errors.Invalid(path.Child("divisor"), name,
                     "only divisor's values 1m and 1 are supported with the cpu resource");
  } else if (resource == "memory") {
    what = "memory";
  } else if (resource == "ephemeral-storage") {
    what = "local ephemeral storage";
  } else if (resource.starts_with("hugepages-")) {
    what = "hugepages";
  }
  if (!what.empty() && !IsUnitDivisor(divisor))
    errors.Invalid(path.Child("divisor"), name, StrCat(kUnits, what, " resource"));
}

}  // namespace

void ValidateFieldRef(const v1::ObjectFieldSelector& selector, bool for_volume,
                      const FieldPath& path, FieldErrors& errors) {
  const std::string& field = selector.fieldpath();
  if (selector.apiversion().empty()) return errors.Required(path.Child("apiVersion"));
  if (field.empty()) return errors.Required(path.Child("fieldPath"));
  const auto not_convertible = [&](std::string_view why) {
    errors.Invalid(path.Child("fieldPath"), field, StrCat("error converting fieldPath: ", why));
  };
  if (selector.apiversion() != "v1")
    return not_convertible(StrCat("unsupported pod version: ", selector.apiversion()));
  const size_t open = field.find("['");
  if (field.ends_with("']") && open != std::string::npos && open > 0 && open + 4 <= field.size()) {
    const std::string name = field.substr(0, open);
    const std::string key = field.substr(open + 2, field.size() - open - 4);
    if (name == "metadata.annotations") {
      errors.InvalidFor(path, absl::AsciiStrToLower(key),
                        LabelKeyFaults(absl::AsciiStrToLower(key)));
    } else if (name == "metadata.labels") {
      errors.InvalidFor(path, key, LabelKeyFaults(key));
    } else {
      not_convertible(StrCat("field label does not support subscript: ", field));
    }
    return;
  }
  // An old name.
  const std::string known = field == "spec.host" ? "spec.nodeName" : field;
  if (!IsKnownField(known)) return not_convertible(StrCat("field label not supported: ", field));
  const std::vector<std::string_view>& allowed = for_volume ? kVolumeFields : kEnvFields;
  if (!Contains(allowed, known)) errors.NotSupported(path.Child("fieldPath"), known, allowed);
}

void ValidateResourceFieldRef(const v1::ResourceFieldSelector& selector, bool for_volume,
                              const FieldPath& path, FieldErrors& errors) {
  const std::string& resource = selector.resource();
  if (for_volume && selector.containername().empty()) {
    errors.Required(path.Child("containerName"));
  } else if (resource.empty()) {
    errors.Required(path.Child("resource"));
  } else if (!Contains(kResources, resource) && !resource.starts_with("requests.hugepages-") &&
             !resource.starts_with("limits.hugepages-")) {
    errors.NotSupported(path.Child("resource"), resource, kResources);
  }
  ValidateDivisor(selector, path, errors);
}

void ValidateEnv(const PodFacts& facts, const v1::Container& container, const FieldPath& path,
                 FieldErrors& errors) {
  for (int i = 0; i < container.env_size(); ++i) {
    const v1::EnvVar& variable = container.env(i);
    const FieldPath variable_path = path.Child("env").Index(static_cast<size_t>(i));
    if (variable.name().empty()) {
      errors.Required(variable_path.Child("name"));
    } else {
      errors.InvalidFor(variable_path.Child("name"), variable.name(),
                        EnvVarNameFaults(variable.name()));
    }
    if (variable.has_valuefrom())
      ValidateValueFrom(facts, variable, variable_path.Child("valueFrom"), errors);
  }
  for (int i = 0; i < container.envfrom_size(); ++i)
    ValidateEnvFrom(container.envfrom(i), path.Child("envFrom"), static_cast<size_t>(i), errors);
}

}  // namespace cubelet::api::validation
