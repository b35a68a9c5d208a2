#include <vector>

#include "base/strings.h"
#include "volumes/config_map.h"
#include "volumes/content.h"
#include "volumes/downward_api.h"
#include "volumes/empty_dir.h"
#include "volumes/host_path.h"
#include "volumes/plugin.h"
#include "volumes/projected.h"
#include "volumes/secret.h"

namespace cubelet::volumes {
namespace {

using Source = v1::VolumeSource;

constexpr char kPersistentVolume[] =
    "persistent volumes, which this kubelet cannot use; prepare the directory on the node and use "
    "a hostPath volume";
constexpr char kCsiDriver[] =
    "a CSI driver, which this kubelet cannot use; prepare the directory on the node and use a "
    "hostPath volume";
constexpr char kMountOnNode[] =
    "a storage client that this kubelet does not have; mount the storage on the node and use a "
    "hostPath volume";
constexpr char kRemoved[] = "a driver that Kubernetes has removed; use another kind of volume";

struct Refusal {
  const char* source;
  bool (Source::*has)() const;
  const char* needs;
};

constexpr Refusal kRefusals[] = {
    {"persistentVolumeClaim", &Source::has_persistentvolumeclaim, kPersistentVolume},
    {"ephemeral", &Source::has_ephemeral, kPersistentVolume},
    {"csi", &Source::has_csi, kCsiDriver},
    {"nfs", &Source::has_nfs, kMountOnNode},
    {"iscsi", &Source::has_iscsi, kMountOnNode},
    {"fc", &Source::has_fc, kMountOnNode},
    {"flexVolume", &Source::has_flexvolume, kMountOnNode},
    {"gcePersistentDisk", &Source::has_gcepersistentdisk, kCsiDriver},
    {"awsElasticBlockStore", &Source::has_awselasticblockstore, kCsiDriver},
    {"azureDisk", &Source::has_azuredisk, kCsiDriver},
    {"azureFile", &Source::has_azurefile, kCsiDriver},
    {"cinder", &Source::has_cinder, kCsiDriver},
    {"vsphereVolume", &Source::has_vspherevolume, kCsiDriver},
    {"portworxVolume", &Source::has_portworxvolume, kCsiDriver},
    {"cephfs", &Source::has_cephfs, kRemoved},
    {"rbd", &Source::has_rbd, kRemoved},
    {"glusterfs", &Source::has_glusterfs, kRemoved},
    {"flocker", &Source::has_flocker, kRemoved},
    {"quobyte", &Source::has_quobyte, kRemoved},
    {"photonPersistentDisk", &Source::has_photonpersistentdisk, kRemoved},
    {"scaleIO", &Source::has_scaleio, kRemoved},
    {"storageos", &Source::has_storageos, kRemoved},
};

absl::Status SetUpGitRepo(const VolumeRequest&, Mounter&) {
  return absl::UnimplementedError(
      "git-repo volume plugin has been disabled; if necessary, it may be re-enabled by enabling "
      "the feature-gate `GitRepoVolumeDriver`");
}

std::string HostPathOf(const Source& source) { return source.hostpath().path(); }

// Image volumes are mounted by the runtime.
std::string NoHostPath(const Source&) { return ""; }

const std::vector<Plugin>& Plugins() {
  static const std::vector<Plugin> plugins = {
      {.name = kEmptyDirPlugin,
       .is_kind_of = [](const Source& source) { return source.has_emptydir(); },
       .attributes = {.relabel = true},
       .set_up = &SetUpEmptyDirVolume},
      {.name = "kubernetes.io/host-path",
       .is_kind_of = [](const Source& source) { return source.has_hostpath(); },
       .set_up = &SetUpHostPath,
       .host_path = &HostPathOf},
      {.name = "kubernetes.io/configmap",
       .is_kind_of = [](const Source& source) { return source.has_configmap(); },
       .attributes = {.read_only = true, .relabel = true},
       .collect = &CollectConfigMap,
       .on_disk = true},
      {.name = "kubernetes.io/secret",
       .is_kind_of = [](const Source& source) { return source.has_secret(); },
       .attributes = {.read_only = true, .relabel = true},
       .collect = &CollectSecret},
      {.name = "kubernetes.io/downward-api",
       .is_kind_of = [](const Source& source) { return source.has_downwardapi(); },
       .attributes = {.read_only = true, .relabel = true},
       .collect = &CollectDownwardApi},
      {.name = "kubernetes.io/projected",
       .is_kind_of = [](const Source& source) { return source.has_projected(); },
       .attributes = {.read_only = true, .relabel = true},
       .collect = &CollectProjected},
      {.name = "kubernetes.io/image",
       .is_kind_of = [](const Source& source) { return source.has_image(); },
       .attributes = {.read_only = true, .relabel = true, .is_image = true},
       .host_path = &NoHostPath},
      {.name = "kubernetes.io/git-repo",
       .is_kind_of = [](const Source& source) { return source.has_gitrepo(); },
       .set_up = &SetUpGitRepo},
  };
  return plugins;
}

// The runAsUser in force for a container: its own before the pod's.
std::optional<int64_t> RunAsUser(const v1::SecurityContext& own, const v1::Pod& pod) {
  if (own.has_runasuser()) return own.runasuser();
  const v1::PodSecurityContext& of_pod = pod.spec().securitycontext();
  return of_pod.has_runasuser() ? std::optional(of_pod.runasuser()) : std::nullopt;
}

}  // namespace

std::string WrappedName(std::string_view volume) { return StrCat("wrapped_", volume); }

const Plugin* FindPlugin(const v1::VolumeSource& source) {
  for (const Plugin& plugin : Plugins()) {
    if (plugin.is_kind_of(source)) return &plugin;
  }
  return nullptr;
}

absl::Status RefuseVolume(const v1::Volume& volume) {
  const std::string context = StrCat("volume ", GoQuote(volume.name()));
  for (const Refusal& refusal : kRefusals) {
    if ((volume.volumesource().*refusal.has)()) {
      return absl::UnimplementedError(
          StrCat(context, ": ", refusal.source, " volumes need ", refusal.needs));
    }
  }
  return absl::InvalidArgumentError(StrCat(context, " has no source"));
}

std::optional<gid_t> FsGroupOf(const v1::Pod& pod) {
  const v1::PodSecurityContext& context = pod.spec().securitycontext();
  if (!context.has_fsgroup()) return std::nullopt;
  return static_cast<gid_t>(context.fsgroup());
}

std::optional<uid_t> FsUserOf(const v1::Pod& pod) {
  std::vector<std::optional<int64_t>> users;
  for (const v1::Container& container : pod.spec().initcontainers())
    users.push_back(RunAsUser(container.securitycontext(), pod));
  for (const v1::Container& container : pod.spec().containers())
    users.push_back(RunAsUser(container.securitycontext(), pod));
  for (const v1::EphemeralContainer& container : pod.spec().ephemeralcontainers())
    users.push_back(RunAsUser(container.ephemeralcontainercommon().securitycontext(), pod));
  if (users.empty()) return std::nullopt;
  for (const std::optional<int64_t>& user : users) {
    if (!user || *user != *users.front()) return std::nullopt;
  }
  return static_cast<uid_t>(*users.front());
}

}  // namespace cubelet::volumes
