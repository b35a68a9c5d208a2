// CheckNoApiReferences.
#include <algorithm>
#include <string>
#include <string_view>

#include "api/pod.h"
#include "api/pod_defaults.h"
#include "base/strings.h"

namespace cubelet::api {
namespace {

enum class Referenced { kSecret, kConfigMap };

bool Names(const v1::EnvVar& variable, Referenced kind) {
  return kind == Referenced::kSecret ? variable.valuefrom().has_secretkeyref()
                                     : variable.valuefrom().has_configmapkeyref();
}

bool Names(const v1::EnvFromSource& source, Referenced kind) {
  return kind == Referenced::kSecret ? source.has_secretref() : source.has_configmapref();
}

bool Names(const v1::VolumeProjection& source, Referenced kind) {
  return kind == Referenced::kSecret ? source.has_secret() : source.has_configmap();
}

bool VolumeNames(const v1::VolumeSource& source, Referenced kind) {
  const auto& projections = source.projected().sources();
  const bool projected =
      std::any_of(projections.begin(), projections.end(),
                  [kind](const v1::VolumeProjection& one) { return Names(one, kind); });
  if (kind == Referenced::kConfigMap) return projected || source.has_configmap();
  return projected || source.has_secret() || source.has_azurefile() ||
         source.cephfs().has_secretref() || source.cinder().has_secretref() ||
         source.flexvolume().has_secretref() || source.rbd().has_secretref() ||
         source.scaleio().has_secretref() || source.iscsi().has_secretref() ||
         source.storageos().has_secretref() || source.csi().has_nodepublishsecretref();
}

template <typename Container>
bool ContainerNames(const Container& container, Referenced kind) {
  const auto names = [kind](const auto& one) { return Names(one, kind); };
  return std::any_of(container.env().begin(), container.env().end(), names) ||
         std::any_of(container.envfrom().begin(), container.envfrom().end(), names);
}

bool PodNames(const v1::PodSpec& spec, Referenced kind) {
  bool found = kind == Referenced::kSecret && spec.imagepullsecrets_size() > 0;
  for (const v1::Container& container : spec.containers())
    found = found || ContainerNames(container, kind);
  for (const v1::Container& container : spec.initcontainers())
    found = found || ContainerNames(container, kind);
  for (const v1::EphemeralContainer& container : spec.ephemeralcontainers())
    found = found || ContainerNames(container.ephemeralcontainercommon(), kind);
  for (const v1::Volume& volume : spec.volumes())
    found = found || VolumeNames(volume.volumesource(), kind);
  return found;
}

std::string_view ReferencedByProjection(const v1::VolumeProjection& source) {
  if (source.has_serviceaccounttoken()) return "serviceaccounts (via projected volumes)";
  if (source.has_clustertrustbundle()) return "clustertrustbundles";
  if (source.has_podcertificate()) return "podcertificates";
  return "";
}

// What a volume refers to beside secrets and config maps, which are found before.
std::string_view ReferencedByVolume(const v1::VolumeSource& source) {
  if (source.has_csi()) return "csidrivers (via CSI volumes)";
  if (source.has_glusterfs()) return "endpoints (via glusterFS volumes)";
  if (source.has_persistentvolumeclaim()) return "persistentvolumeclaims";
  if (source.has_ephemeral()) return "persistentvolumeclaims (via ephemeral volumes)";
  for (const v1::VolumeProjection& projection : source.projected().sources()) {
    const std::string_view what = ReferencedByProjection(projection);
    if (!what.empty()) return what;
  }
  return "";
}

std::string_view ReferencedBy(const v1::PodSpec& spec) {
  if (!spec.serviceaccountname().empty() || !spec.serviceaccount().empty())
    return "serviceaccounts";
  if (PodNames(spec, Referenced::kSecret)) return "secrets";
  if (PodNames(spec, Referenced::kConfigMap)) return "configmaps";
  if (spec.resourceclaims_size() > 0) return "resourceclaims";
  for (const v1::Volume& volume : spec.volumes()) {
    const std::string_view what = ReferencedByVolume(volume.volumesource());
    if (!what.empty()) return what;
  }
  return "";
}

}  // namespace

absl::Status CheckNoApiReferences(const v1::Pod& pod) {
  const std::string_view what = ReferencedBy(pod.spec());
  if (what.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(StrCat("static pods may not reference ", what));
}

}  // namespace cubelet::api
