// The calls about containers, and the lives of their processes.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/fd.h"
#include "base/status.h"
#include "base/strings.h"
#include "fakes/sim_runtime.h"
#include "fakes/sim_serve.h"

namespace cubelet::fakes {

using async::Task;

namespace {

constexpr char kTerminationPathAnnotation[] = "io.kubernetes.container.terminationMessagePath";
constexpr int kKilled = 137;
constexpr int kCannotStart = 128;

const char* StateName(criv1::ContainerState state) {
  return criv1::ContainerState_Name(state).c_str();
}

}  // namespace

absl::StatusOr<SimContainer*> SimRuntime::FindById(const std::string& container_id) {
  auto it = containers_.find(container_id);
  if (it != containers_.end()) return &it->second;
  return absl::NotFoundError(StrCat("an error occurred when try to find container ",
                                    GoQuote(container_id), ": not found"));
}

// ---- Create

Task<absl::StatusOr<std::string>> SimRuntime::CreateContainer(
    std::string sandbox_id, criv1::ContainerConfig config, criv1::PodSandboxConfig sandbox_config) {
  using Result = absl::StatusOr<std::string>;
  const std::string id = NewId();
  Call call = MakeCall("CreateContainer", sandbox_id);
  call.name = config.metadata().name();
  call.takes = options_.create_takes;
  auto hold = std::make_shared<NameHold>();
  call.on_arrival = [this, hold, sandbox_id, id, metadata = config.metadata()] {
    auto sandbox = sandboxes_.find(sandbox_id);
    if (sandbox == sandboxes_.end()) {
      return absl::NotFoundError(
          StrCat("failed to find sandbox id ", GoQuote(sandbox_id), ": not found"));
    }
    return hold->Take(container_names_, "container",
                      ReservedName(metadata, sandbox->second.config.metadata()), id);
  };
  return Serve<Result>(std::move(call),
                       [this, hold, id, sandbox_id, config = std::move(config),
                        sandbox_config = std::move(sandbox_config)](const Fault&) -> Result {
                         Result added = AddContainer(sandbox_id, config, sandbox_config, id);
                         if (added.ok()) hold->Keep();
                         return added;
                       });
}

absl::StatusOr<std::string> SimRuntime::AddContainer(const std::string& sandbox_id,
                                                     const criv1::ContainerConfig& config,
                                                     const criv1::PodSandboxConfig& sandbox_config,
                                                     const std::string& id) {
  auto sandbox = sandboxes_.find(sandbox_id);
  if (sandbox == sandboxes_.end() || !sandbox->second.ready) {
    return absl::UnknownError(StrCat("failed to create containerd container: sandbox container ",
                                     GoQuote(sandbox_id), " is not running"));
  }
  const criv1::Image* image = image_store_.Find(config.image().image());
  if (image == nullptr) {
    return absl::NotFoundError(
        StrCat("failed to resolve image ", GoQuote(config.image().image()), ": not found"));
  }
  SimContainer container;
  container.id = id;
  container.sandbox_id = sandbox_id;
  container.pod_uid = sandbox->second.pod_uid();
  container.reserved_name = ReservedName(config.metadata(), sandbox->second.config.metadata());
  container.config = config;
  if (!config.log_path().empty())
    container.log_path = StrCat(sandbox_config.log_directory(), "/", config.log_path());
  container.image_id = image->id();
  container.image_name = image->repo_tags_size() > 0 ? image->repo_tags(0) : image->id();
  container.image_ref = image->repo_digests_size() > 0 ? image->repo_digests(0) : image->id();
  container.resources = config.linux().resources();
  container.created_at = Stamp();
  container.process = ChooseProcess(config, container.pod_uid);
  Remember();
  Note("container created", id, container.pod_uid, container.name());
  containers_[id] = std::move(container);
  Emit(criv1::CONTAINER_CREATED_EVENT, id, sandbox_id);
  return id;
}

Process SimRuntime::ChooseProcess(const criv1::ContainerConfig& config,
                                  const std::string& pod_uid) const {
  if (process_fn_) {
    if (std::optional<Process> process = process_fn_(config, pod_uid)) return *std::move(process);
  }
  const criv1::Image* image = image_store_.Find(config.image().image());
  if (image != nullptr && image->repo_tags_size() > 0) {
    auto it = image_processes_.find(image->repo_tags(0));
    if (it != image_processes_.end()) return it->second;
  }
  return ProcessOf(config);
}

// ---- Start and end

Task<absl::Status> SimRuntime::StartContainer(std::string container_id) {
  Call call = MakeContainerCall("StartContainer", container_id);
  call.takes = options_.start_takes;
  return Serve<absl::Status>(std::move(call), [this, container_id](const Fault&) -> absl::Status {
    ASSIGN_OR_RETURN(SimContainer * container, FindById(container_id));
    return Start(*container);
  });
}

absl::Status SimRuntime::Start(SimContainer& container) {
  if (container.state != criv1::CONTAINER_CREATED) {
    return absl::UnknownError(StrCat("failed to set starting state for container ",
                                     GoQuote(container.id), ": container is in ",
                                     StateName(container.state), " state"));
  }
  auto sandbox = sandboxes_.find(container.sandbox_id);
  if (sandbox == sandboxes_.end() || !sandbox->second.ready) {
    return absl::UnknownError(
        StrCat("sandbox container ", GoQuote(container.sandbox_id), " is not running"));
  }
  if (!container.process.start_error.ok())
    return FailStart(container, std::string(Message(container.process.start_error)));
  if (options_.write_files && !container.log_path.empty()) {
    container.log = std::make_unique<ContainerLog>();
    const absl::Status opened = container.log->Open(container.log_path);
    if (!opened.ok()) return FailStart(container, std::string(Message(opened)));
  }
  Remember();
  container.state = criv1::CONTAINER_RUNNING;
  container.started_at = Stamp();
  Note("container running", container.id, container.pod_uid, container.name());
  Emit(criv1::CONTAINER_STARTED_EVENT, container.id, container.sandbox_id);
  const std::string id = container.id;
  if (container.log != nullptr) {
    for (const Process::Line& line : container.process.lines) {
      container.timers.push_back(Later(line.after, [this, id, line] {
        containers_.at(id).log->Write(loop_.Now(), line.text, line.to_stderr);
      }));
    }
  }
  if (container.process.runs_for != absl::InfiniteDuration()) {
    const int exit_code = container.process.exit_code;
    container.timers.push_back(
        Later(container.process.runs_for, [this, id, exit_code] { Exit(id, exit_code, ""); }));
  }
  return absl::OkStatus();
}

absl::Status SimRuntime::FailStart(SimContainer& container, const std::string& why) {
  const std::string message =
      StrCat("failed to create containerd task: failed to create shim task: ", why);
  Remember();
  container.state = criv1::CONTAINER_EXITED;
  container.finished_at = Stamp();
  container.exit_code = kCannotStart;
  container.reason = "StartError";
  container.message = message;
  Note("container exited", container.id, container.pod_uid, container.name(), "cannot start");
  Emit(criv1::CONTAINER_STOPPED_EVENT, container.id, container.sandbox_id);
  return absl::UnknownError(message);
}

void SimRuntime::Exit(const std::string& id, int exit_code, const std::string& reason) {
  SimContainer& container = containers_.at(id);
  CancelTimers(container);
  Remember();
  container.state = criv1::CONTAINER_EXITED;
  container.finished_at = Stamp();
  container.exit_code = exit_code;
  container.reason = !reason.empty() ? reason : exit_code == 0 ? "Completed" : "Error";
  container.log.reset();
  if (options_.write_files) WriteTerminationMessage(container);
  Note("container exited", id, container.pod_uid, container.name(),
       StrCat("exit code ", exit_code));
  Emit(criv1::CONTAINER_STOPPED_EVENT, id, container.sandbox_id);
  exited_.Notify();
}

void SimRuntime::WriteTerminationMessage(const SimContainer& container) {
  const auto& annotations = container.config.annotations();
  auto path = annotations.find(kTerminationPathAnnotation);
  if (path == annotations.end() || container.process.termination_message.empty()) return;
  for (const criv1::Mount& mount : container.config.mounts()) {
    if (mount.container_path() != path->second) continue;
    const UniqueFd fd(::open(mount.host_path().c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
    const std::string& text = container.process.termination_message;
    if (fd.valid()) [[maybe_unused]]
      const ssize_t written = ::write(fd.get(), text.data(), text.size());
  }
}

bool SimRuntime::KillContainer(const std::string& id, int exit_code, const std::string& reason) {
  auto it = containers_.find(id);
  if (it == containers_.end() || !it->second.running()) return false;
  Exit(id, exit_code, reason);
  return true;
}

void SimRuntime::SendStop(SimContainer& container) {
  if (container.stop_sent || !container.running() || !container.process.handles_stop) return;
  container.stop_sent = true;
  const int exit_code = container.process.stop_exit_code;
  container.timers.push_back(
      Later(container.process.stop_delay,
            [this, id = container.id, exit_code] { Exit(id, exit_code, ""); }));
}

Task<absl::Status> SimRuntime::StopContainer(std::string container_id, absl::Duration grace) {
  Call call = MakeContainerCall("StopContainer", container_id);
  call.deadline = options_.call_timeout + grace;
  call.answered_later = true;
  const absl::Status asked =
      co_await Serve<absl::Status>(call, [this, container_id, grace](const Fault&) {
        auto it = containers_.find(container_id);
        if (it != containers_.end() && grace > absl::ZeroDuration()) SendStop(it->second);
        return absl::OkStatus();
      });
  if (!asked.ok()) co_return asked;
  Survivor survivor{this, loop_.Monotonic() + grace, [this, life = life_, container_id] {
                      auto it = containers_.find(container_id);
                      if (life_ != life || it == containers_.end()) return;
                      if (it->second.running() && !it->second.process.unkillable)
                        Exit(container_id, kKilled, "");
                    }};
  absl::StatusOr<bool> ended = co_await WaitForExit(container_id, grace);
  survivor.effect = nullptr;
  if (!ended.ok()) co_return Answer(call, ended.status());
  if (*ended) co_return Answer(call, absl::OkStatus());
  if (!containers_.at(container_id).process.unkillable) {
    Exit(container_id, kKilled, "");
    co_return Answer(call, absl::OkStatus());
  }
  ended = co_await WaitForExit(container_id, options_.call_timeout);
  if (!ended.ok()) co_return Answer(call, ended.status());
  if (*ended) co_return Answer(call, absl::OkStatus());
  co_return Answer(call, absl::DeadlineExceededError(StrCat(
                             "an error occurs during waiting for container ", GoQuote(container_id),
                             " to be killed: context deadline exceeded")));
}

Task<absl::Status> SimRuntime::RemoveContainer(std::string container_id) {
  return Serve<absl::Status>(
      MakeContainerCall("RemoveContainer", container_id),
      [this, container_id](const Fault&) { return DropContainer(container_id); });
}

absl::Status SimRuntime::DropContainer(const std::string& id) {
  auto it = containers_.find(id);
  if (it == containers_.end()) return absl::OkStatus();
  SimContainer& container = it->second;
  if (container.running()) {
    if (!options_.force_remove) {
      return absl::UnknownError(StrCat("failed to set removing state for container ", GoQuote(id),
                                       ": container is still running, to stop first"));
    }
    if (container.process.unkillable) {
      return absl::DeadlineExceededError(
          StrCat("failed to forcibly stop container ", GoQuote(id), ": context deadline exceeded"));
    }
    Exit(id, kKilled, "");
  }
  Remember();
  Note("container removed", id, container.pod_uid, container.name());
  container_names_.erase(container.reserved_name);
  const std::string sandbox_id = container.sandbox_id;
  containers_.erase(it);
  Emit(criv1::CONTAINER_DELETED_EVENT, id, sandbox_id);
  return absl::OkStatus();
}

// ---- Looking at them

Task<absl::StatusOr<criv1::ListContainersResponse>> SimRuntime::ListContainers(
    criv1::ContainerFilter filter) {
  using Result = absl::StatusOr<criv1::ListContainersResponse>;
  return Serve<Result>(
      MakeCall("ListContainers"), [this, filter = std::move(filter)](const Fault& fault) -> Result {
        criv1::ListContainersResponse response;
        const auto add = [&](const criv1::Container& listed) {
          if (Matches(listed, filter)) *response.add_containers() = listed;
        };
        if (fault.kind == Fault::Kind::kEmptyList) return response;
        const Snapshot* stale = fault.kind == Fault::Kind::kStaleList ? StaleSnapshot() : nullptr;
        if (stale != nullptr) {
          for (const criv1::Container& listed : stale->containers) add(listed);
        } else {
          for (const auto& [id, container] : containers_) add(Listed(container));
        }
        return response;
      });
}

Task<absl::StatusOr<criv1::ContainerStatusResponse>> SimRuntime::ContainerStatus(
    std::string container_id) {
  using Result = absl::StatusOr<criv1::ContainerStatusResponse>;
  return Serve<Result>(MakeContainerCall("ContainerStatus", container_id),
                       [this, container_id](const Fault&) -> Result {
                         ASSIGN_OR_RETURN(SimContainer * container, FindById(container_id));
                         criv1::ContainerStatusResponse response;
                         *response.mutable_status() = StatusOf(*container);
                         return response;
                       });
}

std::vector<std::string> SimRuntime::LiveContainers(const std::string& pod_uid,
                                                    const std::string& name) const {
  std::vector<std::string> ids;
  for (const auto& [id, container] : containers_) {
    const bool asked_for = name.empty() || container.name() == name;
    if (container.running() && container.pod_uid == pod_uid && asked_for) ids.push_back(id);
  }
  return ids;
}

const SimContainer* SimRuntime::FindContainer(const std::string& pod_uid,
                                              const std::string& name) const {
  const SimContainer* newest = nullptr;
  for (const auto& [id, container] : containers_) {
    if (container.pod_uid != pod_uid || container.name() != name) continue;
    if (newest == nullptr || container.created_at > newest->created_at) newest = &container;
  }
  return newest;
}

criv1::ListContainerStatsResponse SimRuntime::ContainerStats(
    const criv1::ContainerStatsFilter& filter) const {
  constexpr uint64_t kMemory = 1 << 20;
  criv1::ContainerFilter running;
  running.set_id(filter.id());
  running.set_pod_sandbox_id(filter.pod_sandbox_id());
  *running.mutable_label_selector() = filter.label_selector();
  running.mutable_state()->set_state(criv1::CONTAINER_RUNNING);
  criv1::ListContainerStatsResponse response;
  const int64_t now = absl::ToUnixNanos(loop_.Now());
  for (const auto& [id, container] : containers_) {
    if (!Matches(Listed(container), running)) continue;
    criv1::ContainerStats& stats = *response.add_stats();
    stats.mutable_attributes()->set_id(id);
    *stats.mutable_attributes()->mutable_metadata() = container.config.metadata();
    *stats.mutable_attributes()->mutable_labels() = container.config.labels();
    *stats.mutable_attributes()->mutable_annotations() = container.config.annotations();
    stats.mutable_cpu()->set_timestamp(now);
    stats.mutable_cpu()->mutable_usage_core_nano_seconds()->set_value(
        static_cast<uint64_t>(now - container.started_at) / 1000);
    stats.mutable_memory()->set_timestamp(now);
    stats.mutable_memory()->mutable_working_set_bytes()->set_value(kMemory);
    stats.mutable_memory()->mutable_usage_bytes()->set_value(kMemory);
    stats.mutable_memory()->mutable_rss_bytes()->set_value(kMemory);
    stats.mutable_writable_layer()->set_timestamp(now);
    *stats.mutable_writable_layer()->mutable_fs_id() = image_fs_.fs_id();
    stats.mutable_writable_layer()->mutable_used_bytes()->set_value(kMemory);
    stats.mutable_writable_layer()->mutable_inodes_used()->set_value(1);
  }
  return response;
}

// ---- Changing and using them

Task<absl::Status> SimRuntime::UpdateContainerResources(
    criv1::UpdateContainerResourcesRequest request) {
  Call call = MakeContainerCall("UpdateContainerResources", request.container_id());
  return Serve<absl::Status>(
      std::move(call), [this, request = std::move(request)](const Fault&) -> absl::Status {
        ASSIGN_OR_RETURN(SimContainer * container, FindById(request.container_id()));
        if (container->state == criv1::CONTAINER_EXITED) {
          return absl::UnknownError(StrCat("container ", GoQuote(request.container_id()), " is in ",
                                           StateName(container->state), " state"));
        }
        container->resources.MergeFrom(request.linux());
        return absl::OkStatus();
      });
}

Task<absl::Status> SimRuntime::ReopenContainerLog(std::string container_id) {
  return Serve<absl::Status>(MakeContainerCall("ReopenContainerLog", container_id),
                             [this, container_id](const Fault&) -> absl::Status {
                               ASSIGN_OR_RETURN(SimContainer * container, FindById(container_id));
                               if (!container->running())
                                 return absl::UnknownError("container is not running");
                               if (container->log == nullptr) return absl::OkStatus();
                               return container->log->Reopen();
                             });
}

ExecOutcome SimRuntime::ChooseExec(const std::string& container_id,
                                   const std::vector<std::string>& command) const {
  auto it = containers_.find(container_id);
  if (it == containers_.end()) return {};
  const SimContainer& container = it->second;
  if (exec_fn_) {
    const ExecCall call{container_id, container.name(), container.pod_uid, command};
    if (std::optional<ExecOutcome> outcome = exec_fn_(call)) return *std::move(outcome);
  }
  auto outcome = execs_.find(container.name());
  return outcome == execs_.end() ? ExecOutcome() : outcome->second;
}

Task<absl::StatusOr<criv1::ExecSyncResponse>> SimRuntime::ExecSync(std::string container_id,
                                                                   std::vector<std::string> command,
                                                                   absl::Duration timeout) {
  using Result = absl::StatusOr<criv1::ExecSyncResponse>;
  const ExecOutcome outcome = ChooseExec(container_id, command);
  Call call = MakeContainerCall("ExecSync", container_id);
  const bool limited = timeout > absl::ZeroDuration();
  const bool too_long = limited && outcome.takes > timeout;
  call.takes = too_long ? timeout : outcome.takes;
  call.deadline = limited ? options_.call_timeout + timeout : absl::InfiniteDuration();
  return Serve<Result>(
      std::move(call), [this, container_id, outcome, too_long, timeout](const Fault&) -> Result {
        ASSIGN_OR_RETURN(SimContainer * container, FindById(container_id));
        if (!container->running()) {
          return absl::UnknownError(StrCat("failed to exec in container: container is in ",
                                           StateName(container->state), " state"));
        }
        if (too_long) {
          return absl::DeadlineExceededError(StrCat("failed to exec in container: timeout ",
                                                    FormatGoDuration(timeout),
                                                    " exceeded: context deadline exceeded"));
        }
        if (!outcome.status.ok()) return outcome.status;
        criv1::ExecSyncResponse response;
        response.set_stdout(outcome.out);
        response.set_stderr(outcome.err);
        response.set_exit_code(outcome.exit_code);
        return response;
      });
}

absl::StatusOr<std::string> SimRuntime::NewStreamUrl(const char* kind) {
  if (streaming_url_.empty()) return absl::UnimplementedError("there is no streaming server");
  return StrCat(streaming_url_, "/", kind, "/", NewId().substr(0, 8));
}

absl::StatusOr<std::string> SimRuntime::StreamOf(const char* kind,
                                                 const std::string& container_id) {
  ASSIGN_OR_RETURN(SimContainer * container, FindById(container_id));
  if (!container->running()) {
    return absl::UnknownError(StrCat("failed to ", kind, " in container: container is in ",
                                     StateName(container->state), " state"));
  }
  return NewStreamUrl(kind);
}

Task<absl::StatusOr<std::string>> SimRuntime::Exec(criv1::ExecRequest request) {
  using Result = absl::StatusOr<std::string>;
  Call call = MakeContainerCall("Exec", request.container_id());
  return Serve<Result>(
      std::move(call),
      [this, id = request.container_id()](const Fault&) -> Result { return StreamOf("exec", id); });
}

Task<absl::StatusOr<std::string>> SimRuntime::Attach(criv1::AttachRequest request) {
  using Result = absl::StatusOr<std::string>;
  Call call = MakeContainerCall("Attach", request.container_id());
  return Serve<Result>(std::move(call),
                       [this, id = request.container_id()](const Fault&) -> Result {
                         return StreamOf("attach", id);
                       });
}

Task<absl::StatusOr<std::string>> SimRuntime::PortForward(criv1::PortForwardRequest request) {
  using Result = absl::StatusOr<std::string>;
  Call call = MakeCall("PortForward", request.pod_sandbox_id());
  return Serve<Result>(std::move(call),
                       [this, id = request.pod_sandbox_id()](const Fault&) -> Result {
                         auto sandbox = sandboxes_.find(id);
                         if (sandbox == sandboxes_.end())
                           return absl::NotFoundError(StrCat("failed to find sandbox ", id));
                         return NewStreamUrl("portforward");
                       });
}

}  // namespace cubelet::fakes
