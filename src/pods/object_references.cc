#include "pods/object_references.h"

#include "api/pod.h"

namespace cubelet::pods {
namespace {

void AddEnvironment(const v1::Container& container, ObjectReferences& references) {
  for (const v1::EnvFromSource& from : container.envfrom()) {
    if (from.has_configmapref())
      references.config_maps.insert(from.configmapref().localobjectreference().name());
    if (from.has_secretref())
      references.secrets.insert(from.secretref().localobjectreference().name());
  }
  for (const v1::EnvVar& variable : container.env()) {
    const v1::EnvVarSource& from = variable.valuefrom();
    if (from.has_configmapkeyref())
      references.config_maps.insert(from.configmapkeyref().localobjectreference().name());
    if (from.has_secretkeyref())
      references.secrets.insert(from.secretkeyref().localobjectreference().name());
  }
}

void AddVolume(const v1::VolumeSource& source, ObjectReferences& references) {
  if (source.has_configmap())
    references.config_maps.insert(source.configmap().localobjectreference().name());
  if (source.has_secret()) references.secrets.insert(source.secret().secretname());
  for (const v1::VolumeProjection& projection : source.projected().sources()) {
    if (projection.has_configmap())
      references.config_maps.insert(projection.configmap().localobjectreference().name());
    if (projection.has_secret())
      references.secrets.insert(projection.secret().localobjectreference().name());
  }
}

}  // namespace

ObjectReferences EnvironmentReferences(const v1::Container& container) {
  ObjectReferences references;
  AddEnvironment(container, references);
  return references;
}

ObjectReferences PodReferences(const v1::Pod& pod) {
  ObjectReferences references;
  api::ForEachContainer(pod, [&](const v1::Container& container, api::ContainerType) {
    AddEnvironment(container, references);
  });
  for (const v1::EphemeralContainer& container : pod.spec().ephemeralcontainers())
    AddEnvironment(api::AsContainer(container), references);
  for (const v1::Volume& volume : pod.spec().volumes())
    AddVolume(volume.volumesource(), references);
  return references;
}

}  // namespace cubelet::pods
