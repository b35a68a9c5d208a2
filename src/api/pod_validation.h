// The parts of ValidatePod, one file for each group of fields. Internal to the validation.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "api/field_errors.h"
#include "api/types.h"

namespace cubelet::api::validation {

// Valid volumes of the pod by name: what mounts may name.
using Volumes = std::map<std::string, const v1::VolumeSource*, std::less<>>;

// What the checks of single fields need to know of the pod around them.
struct PodFacts {
  const v1::Pod& pod;
  Volumes volumes;
  std::set<std::string, std::less<>> claims;  // names in spec.resourceClaims
  bool host_users = true;
};

// ---- pod_validation_metadata.cc
void ValidateMetadata(const metav1::ObjectMeta& metadata, const FieldPath& path,
                      FieldErrors& errors);
void ValidatePodAnnotations(const v1::Pod& pod, FieldErrors& errors);
void ValidateLabels(const google::protobuf::Map<std::string, std::string>& labels,
                    const FieldPath& path, FieldErrors& errors);
// What annotations of old say about seccomp and AppArmor must agree with the fields.
void ValidateProfileAnnotations(const v1::Pod& pod, FieldErrors& errors);

// ---- pod_validation_volumes.cc
Volumes ValidateVolumes(const v1::Pod& pod, FieldErrors& errors);
void ValidateRelativePath(std::string_view target, const FieldPath& path, FieldErrors& errors);
// Relative, and not beginning with ".." (names the atomic writer keeps for itself).
void ValidateUnreservedPath(std::string_view target, const FieldPath& path, FieldErrors& errors);
void ValidateNoParents(std::string_view target, const FieldPath& path, FieldErrors& errors);
void ValidateMode(bool present, int32_t mode, const FieldPath& path, FieldErrors& errors);

// ---- pod_validation_sources.cc
void ValidateVolumeSource(const v1::Pod& pod, const v1::Volume& volume, const FieldPath& path,
                          FieldErrors& errors);

// ---- pod_validation_projected.cc
void ValidateDownwardFile(const v1::DownwardAPIVolumeFile& file, const FieldPath& path,
                          FieldErrors& errors);
void ValidateKeyToPath(const v1::KeyToPath& item, const FieldPath& path, FieldErrors& errors);
void ValidateProjected(const v1::ProjectedVolumeSource& projected, const FieldPath& path,
                       FieldErrors& errors);

// ---- pod_validation_containers.cc
void ValidateContainers(const PodFacts& facts, FieldErrors& errors);

// ---- pod_validation_env.cc
void ValidateEnv(const PodFacts& facts, const v1::Container& container, const FieldPath& path,
                 FieldErrors& errors);
void ValidateFieldRef(const v1::ObjectFieldSelector& field, bool for_volume, const FieldPath& path,
                      FieldErrors& errors);
void ValidateResourceFieldRef(const v1::ResourceFieldSelector& resource, bool for_volume,
                              const FieldPath& path, FieldErrors& errors);

// ---- pod_validation_handlers.cc
void ValidateProbesAndHooks(const PodFacts& facts, const v1::Container& container,
                            const FieldPath& path, FieldErrors& errors);

// ---- pod_validation_mounts.cc
void ValidateMounts(const PodFacts& facts, const v1::Container& container, const FieldPath& path,
                    FieldErrors& errors);

// ---- pod_validation_resources.cc
void ValidateContainerResources(const PodFacts& facts, const v1::ResourceRequirements& resources,
                                const FieldPath& path, FieldErrors& errors);
void ValidatePodResources(const PodFacts& facts, FieldErrors& errors);
void ValidateResourceClaims(const v1::PodSpec& spec, const FieldPath& path, FieldErrors& errors);

// ---- pod_validation_security.cc
void ValidatePodSecurity(const v1::PodSpec& spec, const FieldPath& path, FieldErrors& errors);
void ValidateContainerSecurity(const PodFacts& facts, const v1::SecurityContext& context,
                               const FieldPath& path, FieldErrors& errors);

// ---- pod_validation_windows.cc
void ValidateOs(const v1::PodSpec& spec, const FieldPath& path, FieldErrors& errors);
void ValidateWindowsOptions(const v1::WindowsSecurityContextOptions& options, const FieldPath& path,
                            FieldErrors& errors);

// ---- pod_validation_scheduling.cc
void ValidateScheduling(const v1::PodSpec& spec, const FieldPath& path, FieldErrors& errors);
void ValidateLabelSelector(const metav1::LabelSelector& selector, const FieldPath& path,
                           FieldErrors& errors);

}  // namespace cubelet::api::validation
