// volumeMounts and volumeDevices.
#include <map>
#include <set>
#include <string>

#include "api/pod_validation.h"

namespace cubelet::api::validation {
namespace {

// Where the other list of the container puts volumes: by volume, and the places themselves.
struct Places {
  std::set<std::string, std::less<>> volumes;
  std::set<std::string, std::less<>> paths;
};

Places PlacesOfMounts(const v1::Container& container) {
  Places places;
  for (const v1::VolumeMount& mount : container.volumemounts()) {
    places.volumes.insert(mount.name());
    places.paths.insert(mount.mountpath());
  }
  return places;
}

Places PlacesOfDevices(const v1::Container& container) {
  Places places;
  for (const v1::VolumeDevice& device : container.volumedevices()) {
    places.volumes.insert(device.name());
    places.paths.insert(device.devicepath());
  }
  return places;
}

void ValidatePropagation(const v1::Container& container, const v1::VolumeMount& mount,
                         const FieldPath& path, FieldErrors& errors) {
  if (!mount.has_mountpropagation()) return;
  const std::string& mode = mount.mountpropagation();
  if (mode != "Bidirectional" && mode != "HostToContainer" && mode != "None")
    errors.NotSupported(path, mode, {"Bidirectional", "HostToContainer", "None"});
  if (mode == "Bidirectional" && !container.securitycontext().privileged())
    errors.Forbidden(path,
                     "Bidirectional mount propagation is available only to privileged containers");
}

void ValidateRecursiveReadOnly(const v1::VolumeMount& mount, const FieldPath& path,
                               FieldErrors& errors) {
  const std::string& mode = mount.recursivereadonly();
  if (!mount.has_recursivereadonly() || mode == "Disabled") return;
  if (mode != "Enabled" && mode != "IfPossible")
    return errors.NotSupported(path, mode, {"Disabled", "Enabled", "IfPossible"});
  if (!mount.readonly()) errors.Forbidden(path, "may only be specified when readOnly is true");
  if (mount.has_mountpropagation() && mount.mountpropagation() != "None")
    errors.Forbidden(path, "may only be specified when mountPropagation is None or not specified");
}

// The API server names faults of a mount's subPath and the like without its index.
void ValidateMountOptions(const v1::Container& container, const v1::VolumeMount& mount,
                          const FieldPath& list, const FieldPath& path, FieldErrors& errors) {
  if (!mount.subpath().empty())
    ValidateRelativePath(mount.subpath(), list.Child("subPath"), errors);
  if (!mount.subpathexpr().empty()) {
    if (!mount.subpath().empty())
      errors.Invalid(path.Child("subPathExpr"), mount.subpathexpr(),
                     "subPathExpr and subPath are mutually exclusive");
    ValidateRelativePath(mount.subpathexpr(), list.Child("subPathExpr"), errors);
  }
  ValidatePropagation(container, mount, list.Child("mountPropagation"), errors);
  ValidateRecursiveReadOnly(mount, list.Child("recursiveReadOnly"), errors);
}

void ValidateVolumeMounts(const PodFacts& facts, const v1::Container& container,
                          const FieldPath& list, FieldErrors& errors) {
  const Places devices = PlacesOfDevices(container);
  std::set<std::string> paths;
  for (int i = 0; i < container.volumemounts_size(); ++i) {
    const v1::VolumeMount& mount = container.volumemounts(i);
    const FieldPath path = list.Index(static_cast<size_t>(i));
    if (mount.name().empty()) errors.Required(path.Child("name"));
    if (!facts.volumes.contains(mount.name())) errors.NotFound(path.Child("name"), mount.name());
    if (mount.mountpath().empty()) errors.Required(path.Child("mountPath"));
    if (!paths.insert(mount.mountpath()).second)
      errors.Invalid(path.Child("mountPath"), mount.mountpath(), "must be unique");
    if (devices.volumes.contains(mount.name()))
      errors.Invalid(path.Child("name"), mount.name(), "must not already exist in volumeDevices");
    if (devices.paths.contains(mount.mountpath()))
      errors.Invalid(path.Child("mountPath"), mount.mountpath(),
                     "must not already exist as a path in volumeDevices");
    ValidateMountOptions(container, mount, list, path, errors);
  }
}

void ValidateDevicePath(const v1::VolumeDevice& device, std::set<std::string>& paths,
                        const FieldPath& path, FieldErrors& errors) {
  const std::string& target = device.devicepath();
  if (target.empty()) errors.Required(path);
  if (paths.contains(target)) errors.Invalid(path, target, "must be unique");
  if (StrCat("/", target, "/").find("/../") != std::string::npos) {
    errors.Invalid(path, target, "can not contain backsteps ('..')");
  } else {
    paths.insert(target);
  }
}

void ValidateVolumeDevices(const PodFacts& facts, const v1::Container& container,
                           const FieldPath& list, FieldErrors& errors) {
  const Places mounts = PlacesOfMounts(container);
  std::set<std::string> names, paths;
  for (int i = 0; i < container.volumedevices_size(); ++i) {
    const v1::VolumeDevice& device = container.volumedevices(i);
    const FieldPath path = list.Index(static_cast<size_t>(i));
    const FieldPath name = path.Child("name");
    if (device.name().empty()) {
      errors.Required(name);
    } else if (!names.insert(device.name()).second) {
      errors.Invalid(name, device.name(), "must be unique");
    }
    const auto volume = facts.volumes.find(device.name());
    if (volume == facts.volumes.end()) {
      errors.NotFound(name, device.name());
    } else if (!volume->second->has_persistentvolumeclaim() && !volume->second->has_ephemeral()) {
      errors.Invalid(name, device.name(),
                     "can only use volume source type of PersistentVolumeClaim or Ephemeral for "
                     "block mode");
    }
    ValidateDevicePath(device, paths, path.Child("devicePath"), errors);
    if (mounts.volumes.contains(device.name()))
      errors.Invalid(name, device.name(), "must not already exist in volumeMounts");
    if (mounts.paths.contains(device.devicepath()))
      errors.Invalid(path.Child("devicePath"), device.devicepath(),
                     "must not already exist as a path in volumeMounts");
  }
}

}  // namespace

void ValidateMounts(const PodFacts& facts, const v1::Container& container, const FieldPath& path,
                    FieldErrors& errors) {
  ValidateVolumeMounts(facts, container, path.Child("volumeMounts"), errors);
  ValidateVolumeDevices(facts, container, path.Child("volumeDevices"), errors);
}

}  // namespace cubelet::api::validation
