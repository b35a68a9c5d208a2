#include "pods/container_starter.h"

#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_replace.h"
#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"
#include "containers/hosts_file.h"
#include "os/files.h"
#include "os/safe_path.h"
#include "pods/pod_objects.h"

namespace cubelet::pods {
namespace {

using async::Task;
using pleg::ContainerRecord;
using pleg::ContainerState;

constexpr size_t kMaxEnvFileBytes = 1 << 20;

// A file of a volume, links resolved as if the volume were the root.
absl::StatusOr<std::string> ReadVolumeFile(const std::string& volume, std::string_view path) {
  ASSIGN_OR_RETURN(const UniqueFd root, os::Open(volume, O_PATH | O_DIRECTORY));
  ASSIGN_OR_RETURN(const UniqueFd file,
                   os::OpenBelow(root.get(), path, O_RDONLY | O_NONBLOCK, os::Links::kAsRoot));
  return os::ReadAll(file.get(), kMaxEnvFileBytes, std::string(path));
}

api::ObjectReference TargetOf(const StartRequest& request) {
  return api::ReferenceTo(*request.pod,
                          api::ContainerFieldPath(request.container.name(), request.type));
}

const ContainerRecord* NewestRecord(const StartRequest& request) {
  return request.runtime ? request.runtime->FindByName(request.container.name()) : nullptr;
}

// What the back-off counts from, also while a later instance is about to be replaced (7.4.1).
const ContainerRecord* NewestExited(const StartRequest& request) {
  if (!request.runtime) return nullptr;
  for (const ContainerRecord& record : request.runtime->containers) {
    if (record.name == request.container.name() && record.state == ContainerState::kExited)
      return &record;
  }
  return nullptr;
}

containers::MountedVolumes VolumesOf(const StartRequest& request, volumes::Manager& volumes) {
  containers::MountedVolumes mounted;
  for (const v1::Volume& volume : request.pod->spec().volumes()) {
    const volumes::MountedVolume* found =
        volumes.Find(request.pod->metadata().uid(), volume.name());
    if (found == nullptr) continue;
    containers::MountedVolume& entry = mounted[volume.name()];
    entry.host_path = found->host_path;
    entry.read_only = found->read_only;
    entry.relabel = found->relabel;
    entry.is_image = found->is_image;
    const auto image = request.image_volumes.find(volume.name());
    if (image != request.image_volumes.end()) entry.image_ref = image->second;
  }
  return mounted;
}

// Ensure in the form that WithCancel takes.
Task<absl::StatusOr<images::Result>> EnsureImage(images::Manager* images, images::Request request) {
  co_return co_await images->Ensure(std::move(request));
}

// Files that the container needs on the host before it can be made.
struct HostFiles {
  std::string log_directory;
  std::string etc_hosts;  // "" when the agent's is not wanted
  std::string etc_hosts_content;
  std::string termination_directory;  // "" when no message is wanted
};

// Gives the path of the termination message file, "" when it could not be made (the container runs
// without one).
absl::StatusOr<std::string> WriteHostFiles(const HostFiles& files, const std::string& container) {
  RETURN_IF_ERROR(
      Annotate(os::MakeDirectories(files.log_directory, 0755),
               StrCat("create container log directory for container ", container, " failed")));
  if (!files.etc_hosts.empty())
    RETURN_IF_ERROR(
        os::WriteFileAtomic(files.etc_hosts, files.etc_hosts_content, containers::kHostsFileMode));
  if (files.termination_directory.empty()) return std::string();
  const std::string path = os::JoinPath(files.termination_directory, os::RandomHex(8));
  absl::Status status = os::MakeDirectories(files.termination_directory, 0750);
  if (status.ok()) status = os::CreateFile(path, 0666);
  return status.ok() ? path : std::string();
}

// The label container_type of the metrics.
std::string_view MetricType(api::ContainerType type) {
  switch (type) {
    case api::ContainerType::kInit:
      return "init_container";
    case api::ContainerType::kRegular:
      return "container";
    case api::ContainerType::kEphemeral:
      return "ephemeral_container";
  }
  return "";
}

}  // namespace

int RestartCountFromLogs(const std::vector<std::string>& names) {
  int count = 0;
  for (const std::string& name : names) {
    const size_t dot = name.find(".log");
    int number = 0;
    if (dot == std::string::npos || (dot + 4 != name.size() && name[dot + 4] != '.')) continue;
    if (absl::SimpleAtoi(name.substr(0, dot), &number) && number >= 0)
      count = std::max(count, number + 1);
  }
  return count;
}

StartResult ContainerStarter::Fail(const StartRequest& request, std::string reason,
                                   absl::Status status) {
  s_.events.Record(TargetOf(request), api::EventType::kWarning, "Failed",
                   StrCat("Error: ", Message(status)));
  return {std::move(status), std::move(reason)};
}

std::optional<StartResult> ContainerStarter::CheckBackoff(const StartRequest& request) {
  const ContainerRecord* record = NewestExited(request);
  if (record == nullptr) return std::nullopt;
  const std::string key = CrashBackoff::Key(*request.pod, request.container);
  const absl::Time now = s_.loop.Now();
  const auto wait = backoff_.Check(key, record->finished_at, now);
  if (!wait) {
    backoff_.Next(key, record->finished_at, now);
    return std::nullopt;
  }
  const std::string pod = api::FormatPod(*request.pod);
  s_.events.Record(
      TargetOf(request), api::EventType::kWarning, "BackOff",
      StrCat("Back-off restarting failed container ", request.container.name(), " in pod ", pod));
  return StartResult{absl::UnavailableError(StrCat(
                         "back-off ", FormatGoDuration(wait->delay),
                         " restarting failed container=", request.container.name(), " pod=", pod)),
                     "CrashLoopBackOff", wait->until};
}

std::optional<StartResult> ContainerStarter::CheckImageVolumes(const StartRequest& request) {
  for (const v1::VolumeMount& mount : request.container.volumemounts()) {
    const auto failure = request.image_volume_failures.find(mount.name());
    if (failure == request.image_volume_failures.end()) continue;
    return Fail(request, failure->second.reason, absl::UnavailableError(failure->second.message));
  }
  return std::nullopt;
}

Task<StartResult> ContainerStarter::Start(StartRequest request) {
  const std::string_view type = MetricType(request.type);
  StartResult result = co_await TryStart(std::move(request));
  if (absl::IsCancelled(result.status)) co_return result;
  if (result.retry_at == absl::InfinitePast())
    s_.metrics.Count("kubelet_started_containers_total", {type});
  if (!result.status.ok())
    s_.metrics.Count("kubelet_started_containers_errors_total", {type, result.reason});
  co_return result;
}

Task<StartResult> ContainerStarter::TryStart(StartRequest request) {
  if (auto waiting = CheckBackoff(request)) co_return *std::move(waiting);
  if (auto failed = CheckImageVolumes(request)) co_return *std::move(failed);
  images::Request image;
  image.pod = request.pod;
  image.target = TargetOf(request);
  image.image = request.container.image();
  image.pull_policy = request.container.imagepullpolicy();
  image.sandbox = request.sandbox.config;
  image.runtime_handler = request.sandbox.runtime_handler;
  absl::StatusOr<images::Result> pulled =
      co_await async::WithCancel(s_.loop, EnsureImage(&s_.images, std::move(image)), request.stop);
  if (!pulled.ok()) co_return StartResult{pulled.status(), ""};
  if (!pulled->status.ok()) {
    s_.events.Record(TargetOf(request), api::EventType::kWarning, "Failed",
                     StrCat("Error: ", pulled->reason));
    co_return StartResult{pulled->status, pulled->reason, pulled->retry_at};
  }
  absl::StatusOr<int> restart_count = co_await RestartCount(request);
  if (!restart_count.ok())
    co_return Fail(request, "CreateContainerConfigError", restart_count.status());
  absl::StatusOr<criv1::ContainerConfig> config =
      co_await MakeConfig(request, pulled->image_ref, *restart_count);
  if (!config.ok()) co_return Fail(request, "CreateContainerConfigError", config.status());
  co_return co_await CreateAndStart(std::move(request), *std::move(config), *restart_count);
}

Task<absl::StatusOr<int>> ContainerStarter::RestartCount(StartRequest request) {
  const ContainerRecord* record = NewestRecord(request);
  if (record != nullptr) co_return record->restart_count + 1;
  const metav1::ObjectMeta& meta = request.pod->metadata();
  const std::string directory =
      s_.paths.ContainerLogs(meta.namespace_(), meta.name(), meta.uid(), request.container.name());
  co_return co_await s_.loop.Blocking([directory]() -> absl::StatusOr<int> {
    auto names = os::ListDirectory(directory);
    if (absl::IsNotFound(names.status())) return 0;
    RETURN_IF_ERROR(names.status());
    return RestartCountFromLogs(*names);
  });
}

Task<absl::StatusOr<criv1::ContainerConfig>> ContainerStarter::MakeConfig(StartRequest request,
                                                                          std::string image_ref,
                                                                          int restart_count) {
  const v1::Pod& pod = *request.pod;
  const v1::Container& container = request.container;
  containers::ContainerInput input;
  input.restart_count = restart_count;
  input.image_ref = std::move(image_ref);
  input.pod_ips = request.sandbox.ips;
  input.volumes = VolumesOf(request, s_.volumes);
  input.runtime_handler = request.sandbox.runtime_handler;
  input.user_namespace = request.sandbox.user_namespace;
  input.target_container_id = request.target_container_id;

  containers::EnvironmentInput environment;
  environment.pod_ips = request.sandbox.ips;
  environment.volumes = input.volumes;
  if (s_.objects != nullptr)
    environment.sources = co_await s_.objects->EnvironmentFor(request.pod, container);
  environment.sources.read_file = ReadVolumeFile;
  CO_ASSIGN_OR_RETURN(input.environment,
                      containers::MakeEnvironment(pod, container, s_.node, environment));

  CO_RETURN_IF_ERROR(co_await s_.volumes.CleanSubPaths(pod.metadata().uid(), container.name()));
  CO_ASSIGN_OR_RETURN(const std::vector<containers::SubPathMount> sub_paths,
                      containers::SubPathsToPrepare(container, input.environment, input.volumes));
  for (const containers::SubPathMount& mount : sub_paths) {
    auto path = co_await s_.volumes.PrepareSubPath(
        pod.metadata().uid(), mount.volume, container.name(), mount.mount_index, mount.sub_path);
    if (!path.ok()) {
      LOG_ERROR(path.status(), "Failed to prepare subPath",
                {{"pod", api::PodKey(pod)}, {"volume", mount.volume}});
      co_return absl::InternalError(containers::SubPathFailure(mount.volume, container.name()));
    }
    input.sub_paths[mount.mount_index] = *std::move(path);
  }

  criv1::ImageSpec spec;
  spec.set_image(container.image());
  auto image = co_await s_.image_service.ImageStatus(std::move(spec));
  CO_RETURN_IF_ERROR(image.status());
  input.image_user = containers::ImageUserOf(image->image());

  HostFiles files;
  files.log_directory = s_.paths.ContainerLogs(pod.metadata().namespace_(), pod.metadata().name(),
                                               pod.metadata().uid(), container.name());
  if (!container.terminationmessagepath().empty())
    files.termination_directory = s_.paths.PodContainer(pod.metadata().uid(), container.name());
  if (containers::WantsHostsFile(pod, container, !request.sandbox.ips.empty())) {
    std::string node_hosts;
    if (pod.spec().hostnetwork()) {
      CO_ASSIGN_OR_RETURN(node_hosts, os::ReadFile(s_.settings.node_hosts));
    }
    files.etc_hosts = s_.paths.PodEtcHosts(pod.metadata().uid());
    CO_ASSIGN_OR_RETURN(files.etc_hosts_content,
                        containers::HostsFile(pod, s_.node, request.sandbox.ips, node_hosts));
  }
  auto termination_log = co_await s_.loop.Blocking(
      [files, name = container.name()] { return WriteHostFiles(files, name); });
  CO_RETURN_IF_ERROR(termination_log.status());
  input.termination_log = *std::move(termination_log);
  co_return containers::MakeContainerConfig(pod, container, s_.node, input);
}

// An instance that was made and not seen to run may be about to: it must not run beside the next,
// and when it has run meanwhile there may be no next. CANCELLED: it has, look again.
Task<absl::Status> ContainerStarter::RemoveUnstarted(StartRequest request) {
  const ContainerRecord* record = NewestRecord(request);
  if (record == nullptr || record->state != ContainerState::kCreated) co_return absl::OkStatus();
  const std::string id = record->id;
  const auto now = co_await s_.runtime.ContainerStatus(id);
  if (absl::IsNotFound(now.status())) co_return absl::OkStatus();
  CO_RETURN_IF_ERROR(now.status());
  if (now->status().state() != criv1::CONTAINER_CREATED) {
    s_.cache.MarkStale(request.pod->metadata().uid());
    co_return absl::CancelledError("it has been started after all");
  }
  absl::Status removed = co_await s_.runtime.RemoveContainer(id);
  co_return absl::IsNotFound(removed) ? absl::OkStatus() : removed;
}

Task<StartResult> ContainerStarter::CreateAndStart(StartRequest request,
                                                   criv1::ContainerConfig config,
                                                   int restart_count) {
  absl::Status replaceable = co_await RemoveUnstarted(request);
  if (absl::IsCancelled(replaceable)) co_return StartResult{replaceable, ""};
  if (!replaceable.ok())
    co_return Fail(request, "CreateContainerError",
                   Annotate(replaceable, "remove the instance that was not started"));
  auto id = co_await s_.runtime.CreateContainer(request.sandbox.id, std::move(config),
                                                request.sandbox.config);
  if (!id.ok()) co_return Fail(request, "CreateContainerError", id.status());
  s_.cache.ExpectContainer(request.pod->metadata().uid(), *id, request.sandbox.id);
  s_.events.Record(TargetOf(request), api::EventType::kNormal, "Created", "Container created");
  absl::Status started = co_await s_.runtime.StartContainer(*id);
  if (!started.ok()) {
    // Users know the container by its name.
    const std::string message =
        absl::StrReplaceAll(started.message(), {{*id, request.container.name()}});
    co_return Fail(request, "RunContainerError", absl::Status(started.code(), message));
  }
  s_.events.Record(TargetOf(request), api::EventType::kNormal, "Started", "Container started");
  const metav1::ObjectMeta& meta = request.pod->metadata();
  const std::string log =
      os::JoinPath(s_.paths.PodLogs(meta.namespace_(), meta.name(), meta.uid()),
                   paths::Paths::LogFileName(request.container.name(), restart_count));
  const std::string link =
      s_.paths.ContainerLogLink(meta.namespace_(), meta.name(), request.container.name(), *id);
  absl::Status linked = co_await s_.loop.Blocking([log, link]() -> absl::Status {
    if (absl::IsNotFound(os::Stat(log).status())) return absl::OkStatus();
    return os::SymlinkAtomic(log, link);
  });
  if (!linked.ok()) LOG_ERROR(linked, "Failed to link the container's log", {{"path", link}});
  if (!request.container.lifecycle().has_poststart()) co_return StartResult{};
  co_return co_await RunPostStart(std::move(request), *std::move(id));
}

Task<StartResult> ContainerStarter::RunPostStart(StartRequest request, std::string container_id) {
  HookRequest hook;
  hook.pod = request.pod;
  hook.container = request.container;
  hook.target = TargetOf(request);
  hook.container_id = container_id;
  hook.handler = request.container.lifecycle().poststart();
  hook.pod_ip = request.sandbox.ips.empty() ? "" : request.sandbox.ips.front();
  absl::Status status = co_await hooks_.Run(std::move(hook));
  if (status.ok()) co_return StartResult{};
  s_.events.Record(TargetOf(request), api::EventType::kWarning, "FailedPostStartHook",
                   "PostStartHook failed");
  LOG_ERROR(status, "PostStart hook failed",
            {{"pod", api::PodKey(*request.pod)}, {"containerName", request.container.name()}});
  ContainerRecord record;
  record.id = container_id;
  record.name = request.container.name();
  record.state = ContainerState::kRunning;
  absl::Status killed = co_await killer_.KillContainer(
      request.pod, std::move(record), "FailedPostStartHook", KillReason::kUnknown, std::nullopt);
  if (!killed.ok())
    LOG_ERROR(killed, "Failed to kill the container after its hook failed",
              {{"pod", api::PodKey(*request.pod)}, {"containerName", request.container.name()}});
  co_return StartResult{std::move(status), "PostStartHookError"};
}

}  // namespace cubelet::pods
