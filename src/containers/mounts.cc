#include "containers/mounts.h"

#include <set>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "base/strings.h"
#include "containers/environment.h"
#include "containers/expander.h"

namespace cubelet::containers {
namespace {

constexpr char kEtcHosts[] = "/etc/hosts";
constexpr size_t kMaxSubPathBytes = 4096;  // the kernel takes no longer path

absl::StatusOr<const MountedVolume*> FindVolume(const v1::VolumeMount& mount,
                                                const v1::Container& container,
                                                const MountedVolumes& volumes) {
  const auto volume = volumes.find(mount.name());
  if (volume == volumes.end())
    return absl::FailedPreconditionError(StrCat("cannot find volume ", GoQuote(mount.name()),
                                                " to mount into container ",
                                                GoQuote(container.name())));
  return &volume->second;
}

absl::StatusOr<std::string> ExpandSubPath(const v1::VolumeMount& mount,
                                          const Environment& environment) {
  if (mount.subpathexpr().empty()) return mount.subpath();
  std::set<std::string> missing;
  const auto value_of = [&](std::string_view name) {
    std::string value = environment.Find(name).value_or("");
    if (value.empty()) missing.emplace(name);
    return std::optional(std::move(value));
  };
  absl::StatusOr<std::string> expanded =
      Expander(value_of, kMaxSubPathBytes).Expand(mount.subpathexpr());
  if (!expanded.ok())
    return Annotate(expanded.status(),
                    StrCat("subPathExpr of volumeMount ", GoQuote(mount.name())));
  if (!missing.empty())
    return absl::InvalidArgumentError(StrCat("missing value for ", absl::StrJoin(missing, ", ")));
  return expanded;
}

// The part of the volume that is mounted, "" for all of it.
absl::StatusOr<std::string> SubPathOf(const v1::VolumeMount& mount,
                                      const Environment& environment) {
  ASSIGN_OR_RETURN(std::string path, ExpandSubPath(mount, environment));
  if (path.starts_with('/'))
    return absl::InvalidArgumentError(
        StrCat("error SubPath `", path, "` must not be an absolute path"));
  for (const absl::string_view part : absl::StrSplit(path, '/'))
    if (part == "..")
      return absl::InvalidArgumentError(
          StrCat("unable to provision SubPath `", path, "`: must not contain '..'"));
  return path;
}

absl::StatusOr<criv1::MountPropagation> PropagationOf(const v1::VolumeMount& mount) {
  const std::string& mode = mount.mountpropagation();
  if (!mount.has_mountpropagation() || mode == "None") return criv1::PROPAGATION_PRIVATE;
  if (mode == "HostToContainer") return criv1::PROPAGATION_HOST_TO_CONTAINER;
  if (mode == "Bidirectional") return criv1::PROPAGATION_BIDIRECTIONAL;
  return absl::InvalidArgumentError(StrCat("invalid MountPropagation mode: ", GoQuote(mode)));
}

absl::Status RecursiveReadOnlyError(const v1::VolumeMount& mount, std::string_view what) {
  return absl::InvalidArgumentError(
      StrCat("failed to resolve recursive read-only mode: volume ", GoQuote(mount.name()),
             " requested recursive read-only mode, but it is not ", what));
}

absl::StatusOr<bool> RecursiveReadOnlyOf(const v1::VolumeMount& mount, bool supported) {
  const std::string& mode = mount.recursivereadonly();
  if (!mount.has_recursivereadonly() || mode == "Disabled") return false;
  if (!mount.readonly()) return RecursiveReadOnlyError(mount, "read-only");
  if (mount.has_mountpropagation() && mount.mountpropagation() != "None")
    return RecursiveReadOnlyError(
        mount, StrCat("compatible with propagation ", GoQuote(mount.mountpropagation())));
  if (mode == "IfPossible") return supported;
  if (mode != "Enabled")
    return absl::InvalidArgumentError(
        StrCat("failed to resolve recursive read-only mode: unknown recursive read-only mode ",
               GoQuote(mode)));
  if (!supported) return RecursiveReadOnlyError(mount, "supported by the runtime");
  return true;
}

bool SupportsRecursiveReadOnly(const NodeContext& node, const std::string& handler) {
  const auto features = node.handlers.find(handler);
  return features != node.handlers.end() && features->second.recursive_read_only_mounts;
}

std::string AbsolutePath(const std::string& path) {
  return path.starts_with('/') ? path : StrCat("/", path);
}

// What an image volume's mount says in place of a host path.
criv1::ImageSpec ImageOf(const v1::Pod& pod, const v1::VolumeMount& mount,
                         const MountedVolume& volume, const MountInput& input) {
  criv1::ImageSpec image;
  image.set_image(volume.image_ref);
  for (const v1::Volume& spec : pod.spec().volumes())
    if (spec.name() == mount.name())
      image.set_user_specified_image(spec.volumesource().image().reference());
  image.set_runtime_handler(input.runtime_handler);
  *image.mutable_annotations() = pod.metadata().annotations();
  return image;
}

// Where the volume, or the part of it that is asked for, comes from.
absl::Status SetSource(const v1::Pod& pod, const v1::Container& container, int index,
                       const Environment& environment, const MountInput& input,
                       const MountedVolume& volume, criv1::Mount* out) {
  const v1::VolumeMount& mount = container.volumemounts(index);
  ASSIGN_OR_RETURN(std::string sub_path, SubPathOf(mount, environment));
  if (volume.is_image) {
    *out->mutable_image() = ImageOf(pod, mount, volume, input);
    out->set_image_sub_path(std::move(sub_path));
    return absl::OkStatus();
  }
  if (sub_path.empty()) {
    out->set_host_path(volume.host_path);
    return absl::OkStatus();
  }
  const auto prepared = input.sub_paths->find(static_cast<size_t>(index));
  if (prepared == input.sub_paths->end())
    return absl::FailedPreconditionError(SubPathFailure(mount.name(), container.name()));
  out->set_host_path(prepared->second);
  return absl::OkStatus();
}

}  // namespace

std::string SubPathFailure(std::string_view volume, std::string_view container) {
  return StrCat("failed to prepare subPath for volumeMount ", GoQuote(volume), " of container ",
                GoQuote(container));
}

absl::StatusOr<std::vector<SubPathMount>> SubPathsToPrepare(const v1::Container& container,
                                                            const Environment& environment,
                                                            const MountedVolumes& volumes) {
  std::vector<SubPathMount> result;
  for (size_t i = 0; const v1::VolumeMount& mount : container.volumemounts()) {
    const size_t index = i++;
    ASSIGN_OR_RETURN(const MountedVolume* volume, FindVolume(mount, container, volumes));
    ASSIGN_OR_RETURN(std::string sub_path, SubPathOf(mount, environment));
    if (volume->is_image || sub_path.empty()) continue;
    result.push_back(
        {.mount_index = index, .volume = mount.name(), .sub_path = std::move(sub_path)});
  }
  return result;
}

bool WantsHostsFile(const v1::Pod& pod, const v1::Container& container, bool pod_has_ips) {
  if (!pod_has_ips && !pod.spec().hostnetwork()) return false;
  for (const v1::VolumeMount& mount : container.volumemounts())
    if (mount.mountpath() == kEtcHosts) return false;
  return true;
}

absl::StatusOr<std::vector<criv1::Mount>> MakeMounts(const v1::Pod& pod,
                                                     const v1::Container& container,
                                                     const NodeContext& node,
                                                     const Environment& environment,
                                                     const MountInput& input) {
  const bool recursive = SupportsRecursiveReadOnly(node, input.runtime_handler);
  std::vector<criv1::Mount> mounts;
  absl::flat_hash_set<std::string> relabelled;  // once per volume is enough
  for (int i = 0; i < container.volumemounts_size(); ++i) {
    const v1::VolumeMount& mount = container.volumemounts(i);
    ASSIGN_OR_RETURN(const MountedVolume* volume, FindVolume(mount, container, *input.volumes));
    criv1::Mount& out = mounts.emplace_back();
    RETURN_IF_ERROR(SetSource(pod, container, i, environment, input, *volume, &out));
    ASSIGN_OR_RETURN(const criv1::MountPropagation propagation, PropagationOf(mount));
    ASSIGN_OR_RETURN(const bool recursive_read_only, RecursiveReadOnlyOf(mount, recursive));
    out.set_container_path(AbsolutePath(mount.mountpath()));
    out.set_readonly(mount.readonly() || volume->read_only);
    out.set_recursive_read_only(recursive_read_only);
    out.set_propagation(propagation);
    if (volume->relabel && relabelled.insert(mount.name()).second)
      out.set_selinux_relabel(node.selinux_enabled);
  }
  const auto add_file = [&](const std::string& host_path, const std::string& container_path) {
    criv1::Mount& out = mounts.emplace_back();
    out.set_host_path(host_path);
    out.set_container_path(AbsolutePath(container_path));
    out.set_selinux_relabel(node.selinux_enabled);
  };
  if (WantsHostsFile(pod, container, input.pod_has_ips))
    add_file(node.paths->PodEtcHosts(pod.metadata().uid()), kEtcHosts);
  if (!input.termination_log.empty() && !container.terminationmessagepath().empty())
    add_file(input.termination_log, container.terminationmessagepath());
  return mounts;
}

absl::StatusOr<std::vector<criv1::Device>> MakeBlockDevices(const v1::Container& container,
                                                            const BlockVolumes& volumes) {
  std::vector<criv1::Device> devices;
  for (const v1::VolumeDevice& wanted : container.volumedevices()) {
    if (!wanted.devicepath().starts_with('/'))
      return absl::InvalidArgumentError(
          StrCat("error DevicePath `", wanted.devicepath(), "` must be an absolute path"));
    const auto volume = volumes.find(wanted.name());
    if (volume == volumes.end())
      return absl::FailedPreconditionError(StrCat("cannot find volume ", GoQuote(wanted.name()),
                                                  " to pass into container ",
                                                  GoQuote(container.name())));
    if (volume->second.host_path.empty()) continue;
    criv1::Device& device = devices.emplace_back();
    device.set_host_path(volume->second.host_path);
    device.set_container_path(wanted.devicepath());
    device.set_permissions(volume->second.read_only ? "r" : "mrw");
  }
  return devices;
}

}  // namespace cubelet::containers
