#include "volumes/manager.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/status.h"
#include "base/strings.h"
#include "volumes/content.h"
#include "volumes/downward_api.h"
#include "volumes/plugin.h"
#include "volumes/sub_path.h"
#include "volumes/tear_down.h"

namespace cubelet::volumes {
namespace {

using async::Task;

constexpr char kFailedMount[] = "FailedMount";

// The volumes that containers of any kind mount or are given as devices.
std::set<std::string> ReferencedVolumes(const v1::Pod& pod) {
  std::set<std::string> names;
  const auto add = [&names](const auto& container) {
    for (const v1::VolumeMount& mount : container.volumemounts()) names.insert(mount.name());
    for (const v1::VolumeDevice& device : container.volumedevices()) names.insert(device.name());
  };
  for (const v1::Container& container : pod.spec().initcontainers()) add(container);
  for (const v1::Container& container : pod.spec().containers()) add(container);
  for (const v1::EphemeralContainer& container : pod.spec().ephemeralcontainers())
    add(container.ephemeralcontainercommon());
  return names;
}

// Tells payloads apart. 0 is none.
uint64_t Fingerprint(const Payload& payload) {
  std::string text;
  for (const auto& [path, file] : payload) {
    StrAppend(&text, path.size(), ":", path, " ", file.mode, " ", file.data.size(), ":", file.data);
  }
  return std::max<uint64_t>(Fnv1a64(text), 1);
}

// What could not be brought up of one pod.
struct Failures {
  std::vector<std::string> unmounted;
  std::vector<std::string> not_processed;  // of a kind that this kubelet cannot set up
  std::vector<absl::Status> causes;

  // As the pod's status and events say it (volumes.md 2.3.1).
  absl::Status ToStatus() {
    if (causes.empty()) return absl::OkStatus();
    std::sort(unmounted.begin(), unmounted.end());
    std::sort(not_processed.begin(), not_processed.end());
    return Annotate(Aggregate(causes), StrCat("unmounted volumes=", GoList(unmounted),
                                              ", unattached volumes=[], failed to process volumes=",
                                              GoList(not_processed)));
  }
};

}  // namespace

Manager::Manager(async::Loop& loop, Mounter& mounter, const paths::Paths& paths,
                 api::EventRecorder& recorder, Options options)
    : loop_(loop),
      mounter_(mounter),
      paths_(paths),
      recorder_(recorder),
      options_(options),
      turns_(loop) {}

Task<absl::Status> Manager::SetUp(PodPtr pod, api::DownwardContext context) {
  const PodTurns::Turn turn = co_await turns_.Take(pod->metadata().uid());
  const std::set<std::string> referenced = ReferencedVolumes(*pod);
  Failures failures;
  for (const v1::Volume& volume : pod->spec().volumes()) {
    if (!referenced.contains(volume.name())) continue;
    absl::Status status;
    if (FindPlugin(volume.volumesource()) == nullptr) {
      status = RefuseVolume(volume);
      failures.not_processed.push_back(volume.name());
    } else {
      status = co_await SetUpVolume(pod, &volume, context);
    }
    if (status.ok()) continue;
    failures.unmounted.push_back(volume.name());
    failures.causes.push_back(status);
  }
  absl::Status result = failures.ToStatus();
  if (!failures.not_processed.empty()) {
    recorder_.Record(api::ReferenceTo(*pod), api::EventType::kWarning, kFailedMount,
                     StrCat("Unable to attach or mount volumes: ", Message(result)));
  }
  co_return result;
}

Task<absl::Status> Manager::SetUpVolume(PodPtr pod, const v1::Volume* volume,
                                        api::DownwardContext context) {
  const Plugin* plugin = FindPlugin(volume->volumesource());
  VolumeRequest request = RequestFor(*plugin, pod, volume);
  absl::Status status;
  if (plugin->collect != nullptr) {
    status = co_await SetUpFiles(plugin, std::move(request), std::move(context));
  } else {
    status = co_await SetUpDirectory(plugin, std::move(request));
  }
  if (status.ok()) co_return status;
  recorder_.Record(api::ReferenceTo(*pod), api::EventType::kWarning, kFailedMount,
                   StrCat("MountVolume.SetUp failed for volume ", GoQuote(volume->name()), " : ",
                          Message(status)));
  if (Find(pod->metadata().uid(), volume->name()) != nullptr) co_return absl::OkStatus();
  co_return Annotate(status, StrCat("volume ", GoQuote(volume->name())));
}

Task<absl::Status> Manager::SetUpDirectory(const Plugin* plugin, VolumeRequest request) {
  if (Find(request.pod->metadata().uid(), request.volume->name()) != nullptr)
    co_return absl::OkStatus();
  if (plugin->set_up != nullptr) {
    auto work = [plugin, request, mounter = &mounter_] {
      return plugin->set_up(request, *mounter);
    };
    CO_RETURN_IF_ERROR(co_await loop_.Blocking(std::move(work)));
  }
  Keep(*plugin, request, 0);
  co_return absl::OkStatus();
}

Task<absl::Status> Manager::SetUpFiles(const Plugin* plugin, VolumeRequest request,
                                       api::DownwardContext context) {
  ContentRequest content{.pod = request.pod,
                         .volume = request.volume,
                         .context = std::move(context),
                         .fs_user = FsUserOf(*request.pod),
                         .objects = options_.objects};
  CO_ASSIGN_OR_RETURN(const Payload collected, co_await plugin->collect(std::move(content)));
  CO_ASSIGN_OR_RETURN(Payload payload, CleanPayload(collected));
  const uint64_t contents = Fingerprint(payload);
  const State* state = FindState(request.pod->metadata().uid(), request.volume->name());
  if (state != nullptr && state->contents == contents) co_return absl::OkStatus();
  auto work = [request, payload = std::move(payload), mounter = &mounter_] {
    return SetUpContent(request, payload, *mounter);
  };
  CO_RETURN_IF_ERROR(co_await loop_.Blocking(std::move(work)));
  Keep(*plugin, request, contents);
  co_return absl::OkStatus();
}

VolumeRequest Manager::RequestFor(const Plugin& plugin, const PodPtr& pod,
                                  const v1::Volume* volume) const {
  const std::string& uid = pod->metadata().uid();
  const std::string state_name =
      plugin.collect != nullptr ? WrappedName(volume->name()) : volume->name();
  return {.pod = pod,
          .volume = volume,
          .pod_volumes = paths_.PodVolumes(uid),
          .directory = paths_.PodVolume(uid, plugin.name, volume->name()),
          .state_directory = paths_.PodPluginState(uid, kEmptyDirPlugin, state_name),
          .in_memory = !plugin.on_disk,
          .node_allocatable_memory_bytes = options_.node_allocatable_memory_bytes,
          .now = loop_.Now()};
}

void Manager::Keep(const Plugin& plugin, const VolumeRequest& request, uint64_t contents) {
  State& state = mounted_[request.pod->metadata().uid()][request.volume->name()];
  state.volume = plugin.attributes;
  state.volume.host_path = plugin.host_path == nullptr
                               ? request.directory
                               : plugin.host_path(request.volume->volumesource());
  state.contents = contents;
}

const Manager::State* Manager::FindState(const std::string& uid, const std::string& volume) const {
  const auto pod = mounted_.find(uid);
  if (pod == mounted_.end()) return nullptr;
  const auto state = pod->second.find(volume);
  return state == pod->second.end() ? nullptr : &state->second;
}

const MountedVolume* Manager::Find(const std::string& uid, const std::string& volume) const {
  const State* state = FindState(uid, volume);
  return state == nullptr ? nullptr : &state->volume;
}

Task<absl::Status> Manager::TearDown(std::string uid) {
  const PodTurns::Turn turn = co_await turns_.Take(uid);
  mounted_.erase(uid);
  auto work = [paths = &paths_, uid, mounter = &mounter_] {
    return TearDownPod(*paths, uid, *mounter);
  };
  co_return co_await loop_.Blocking(std::move(work));
}

Task<absl::StatusOr<std::string>> Manager::PrepareSubPath(std::string uid, std::string volume,
                                                          std::string container, size_t mount_index,
                                                          std::string sub_path) {
  CO_RETURN_IF_ERROR(CheckSubPath(sub_path));
  const PodTurns::Turn turn = co_await turns_.Take(uid);
  const MountedVolume* mounted = Find(uid, volume);
  if (mounted == nullptr) {
    co_return absl::NotFoundError(StrCat("cannot find volume ", GoQuote(volume),
                                         " to mount into container ", GoQuote(container)));
  }
  if (mounted->is_image) {
    co_return absl::InvalidArgumentError(
        StrCat("volume ", GoQuote(volume), " is an image: its sub-paths are the runtime's"));
  }
  SubPathRequest request{.volume = mounted->host_path,
                         .sub_path = std::move(sub_path),
                         .pod_sub_paths = paths_.PodSubPaths(uid),
                         .target = paths_.PodSubPath(uid, volume, container, mount_index)};
  auto work = [request = std::move(request), mounter = &mounter_] {
    return BindSubPath(request, *mounter);
  };
  co_return co_await loop_.Blocking(std::move(work));
}

Task<absl::Status> Manager::CleanSubPaths(std::string uid, std::string container) {
  const PodTurns::Turn turn = co_await turns_.Take(uid);
  auto work = [paths = &paths_, uid, container = std::move(container), mounter = &mounter_] {
    return TearDownSubPaths(*paths, uid, container, *mounter);
  };
  co_return co_await loop_.Blocking(std::move(work));
}

Task<bool> Manager::HasVolumesOnDisk(std::string uid) {
  auto work = [paths = &paths_, uid = std::move(uid), mounter = &mounter_] {
    return HasVolumes(*paths, uid, *mounter);
  };
  co_return co_await loop_.Blocking(std::move(work));
}

Task<absl::Status> Manager::RemovePodDirectory(std::string uid) {
  const PodTurns::Turn turn = co_await turns_.Take(uid);
  mounted_.erase(uid);
  auto work = [paths = &paths_, uid, mounter = &mounter_] {
    return RemovePod(*paths, uid, *mounter);
  };
  co_return co_await loop_.Blocking(std::move(work));
}

Task<absl::StatusOr<std::vector<std::string>>> Manager::PodsOnDisk() {
  auto work = [paths = &paths_] { return ListPods(*paths); };
  co_return co_await loop_.Blocking(std::move(work));
}

}  // namespace cubelet::volumes
