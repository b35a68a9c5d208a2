// spec.volumes: names, and the paths all kinds of volumes have to do with.
#include <set>
#include <string>

#include "api/pod_validation.h"

namespace cubelet::api::validation {
namespace {

bool HasParent(std::string_view target) {
  return StrCat("/", target, "/").find("/../") != std::string::npos;
}

}  // namespace

void ValidateNoParents(std::string_view target, const FieldPath& path, FieldErrors& errors) {
  if (HasParent(target)) errors.Invalid(path, target, "must not contain '..'");
}

void ValidateRelativePath(std::string_view target, const FieldPath& path, FieldErrors& errors) {
  if (target.starts_with('/')) errors.Invalid(path, target, "must be a relative path");
  ValidateNoParents(target, path, errors);
}

void ValidateUnreservedPath(std::string_view target, const FieldPath& path, FieldErrors& errors) {
  ValidateRelativePath(target, path, errors);
  if (target.starts_with("..") && !target.starts_with("../"))
    errors.Invalid(path, target, "must not start with '..'");
}

void ValidateMode(bool present, int32_t mode, const FieldPath& path, FieldErrors& errors) {
  if (present && (mode < 0 || mode > 0777))
    errors.Invalid(path, mode, "must be a number between 0 and 0777 (octal), both inclusive");
}

Volumes ValidateVolumes(const v1::Pod& pod, FieldErrors& errors) {
  const FieldPath path("spec.volumes");
  std::set<std::string> created_claims;
  for (const v1::Volume& volume : pod.spec().volumes()) {
    if (volume.volumesource().has_ephemeral())
      created_claims.insert(StrCat(pod.metadata().name(), "-", volume.name()));
  }
  Volumes volumes;
  for (int i = 0; i < pod.spec().volumes_size(); ++i) {
    const v1::Volume& volume = pod.spec().volumes(i);
    const FieldPath volume_path = path.Index(static_cast<size_t>(i));
    const size_t faults = errors.count();
    ValidateVolumeSource(pod, volume, volume_path, errors);
    if (volume.name().empty()) {
      errors.Required(volume_path.Child("name"));
    } else {
      errors.InvalidFor(volume_path.Child("name"), volume.name(),
                        Dns1123LabelFaults(volume.name()));
    }
    if (volumes.contains(volume.name())) errors.Duplicate(volume_path.Child("name"), volume.name());
    // Mounts of a volume that is at fault itself are told as not found, like the API server does.
    if (errors.count() == faults) volumes.emplace(volume.name(), &volume.volumesource());
    const std::string& claim = volume.volumesource().persistentvolumeclaim().claimname();
    if (!claim.empty() && created_claims.contains(claim))
      errors.Invalid(volume_path.Child("persistentVolumeClaim").Child("claimName"), claim,
                     "must not reference a PVC that gets created for an ephemeral volume");
  }
  return volumes;
}

}  // namespace cubelet::api::validation
