#include "pods/plan_executor.h"

#include <algorithm>
#include <utility>

#include "api/pod.h"
#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"

namespace cubelet::pods {
namespace {

using async::Task;
using pleg::ContainerRecord;
using pleg::ContainerState;

}  // namespace

// One plan being carried out; lives in Execute's frame, so its steps take a pointer to it.
struct PlanExecutor::Work {
  PodPtr pod;
  Plan plan;
  std::shared_ptr<const pleg::RuntimePod> runtime;
  std::shared_ptr<async::Canceller> stop;
  Sandbox sandbox;
  std::map<std::string, status::StartFailure> image_volume_failures;
  std::vector<std::string> errors;
  Execution result;

  void Failed(std::string_view action, std::string_view target, std::string_view reason,
              std::string_view message) {
    errors.push_back(StrCat("failed to ", GoQuote(action), " for ", GoQuote(target), " with ",
                            reason, ": ", GoQuote(message)));
  }
};

Task<Execution> PlanExecutor::Execute(PodPtr pod, Plan plan,
                                      std::shared_ptr<const pleg::RuntimePod> runtime,
                                      std::shared_ptr<async::Canceller> stop) {
  Work work;
  work.stop = std::move(stop);
  work.pod = std::move(pod);
  work.plan = std::move(plan);
  work.runtime = std::move(runtime);
  if (co_await Stop(&work) && co_await PrepareSandbox(&work)) {
    co_await EnsureImageVolumes(&work);
    co_await StartContainers(&work);
  } else {
    work.result.before_containers = true;
  }
  if (work.errors.size() == 1) {
    work.result.status = absl::UnavailableError(work.errors.front());
  } else if (!work.errors.empty()) {
    std::string joined;
    for (const std::string& error : work.errors)
      StrAppend(&joined, joined.empty() ? "[" : ", ", error);
    work.result.status = absl::UnavailableError(joined + "]");
  }
  co_return std::move(work.result);
}

Task<bool> PlanExecutor::Stop(Work* work) {
  if (work->plan.create_sandbox && !work->plan.sandbox_id.empty())
    s_.events.Record(api::ReferenceTo(*work->pod), api::EventType::kNormal, "SandboxChanged",
                     "Pod sandbox changed, it will be killed and re-created.");
  if (!work->plan.kill_pod) {
    if (!co_await StopContainers(work)) co_return false;
    if (!co_await RemoveContainers(work)) co_return false;
    co_await PruneInitContainers(work);
    co_return true;
  }
  work->result.acted = work->runtime && work->runtime->AnyRunning();
  absl::Status status = co_await killer_.KillPod(work->pod, work->runtime, std::nullopt);
  if (!status.ok()) {
    work->Failed("KillPodSandbox", work->pod->metadata().uid(), "KillPodSandboxError",
                 Message(status));
    co_return false;
  }
  if (!work->plan.create_sandbox) co_return false;
  co_await PruneInitContainers(work);
  co_return true;
}

Task<bool> PlanExecutor::StopContainers(Work* work) {
  for (const ContainerKill& kill : work->plan.to_kill) {
    const ContainerRecord* record = work->runtime ? work->runtime->FindById(kill.id) : nullptr;
    if (record == nullptr) continue;
    work->result.acted = true;
    absl::Status status =
        co_await killer_.KillContainer(work->pod, *record, kill.message, kill.reason, std::nullopt);
    if (!status.ok()) {
      work->Failed("KillContainer", kill.name, "KillContainerError", Message(status));
      co_return false;
    }
  }
  co_return true;
}

Task<bool> PlanExecutor::RemoveContainers(Work* work) {
  const auto& meta = work->pod->metadata();
  for (const ContainerRemoval& removal : work->plan.to_remove) {
    const ContainerRecord* record = work->runtime ? work->runtime->FindById(removal.id) : nullptr;
    if (record == nullptr) continue;
    work->result.acted = true;
    if (removal.kill_first) {
      absl::Status status = co_await killer_.KillContainer(
          work->pod, *record, StrCat("Container ", removal.name, " is removed to be restarted"),
          KillReason::kUnknown, 0);
      if (!status.ok()) {
        work->Failed("KillContainer", removal.name, "KillContainerError", Message(status));
        co_return false;
      }
    }
    absl::Status status = co_await collector_.RemoveContainer(meta.namespace_(), meta.name(),
                                                              *record, /*with_logs=*/false);
    if (!status.ok()) {
      work->Failed("RemoveContainer", removal.name, "RemoveContainerError", Message(status));
      co_return false;
    }
  }
  co_return true;
}

// A new sandbox begins without records of init containers; otherwise the newest ended instance of
// each is enough.
Task<void> PlanExecutor::PruneInitContainers(Work* work) {
  if (!work->runtime) co_return;
  const auto& meta = work->pod->metadata();
  std::map<std::string, bool> kept;
  for (const ContainerRecord& record : work->runtime->containers) {
    api::ContainerType type;
    if (api::FindContainer(*work->pod, record.name, &type) == nullptr ||
        type != api::ContainerType::kInit)
      continue;
    const bool ended =
        record.state == ContainerState::kExited || record.state == ContainerState::kUnknown;
    if (!work->plan.create_sandbox && (!ended || !std::exchange(kept[record.name], true))) continue;
    absl::Status status = co_await collector_.RemoveContainer(meta.namespace_(), meta.name(),
                                                              record, /*with_logs=*/true);
    if (!status.ok())
      LOG_ERROR(status, "Failed to remove an init container",
                {{"pod", api::PodKey(*work->pod)}, {"containerName", record.name}});
  }
}

Task<bool> PlanExecutor::PrepareSandbox(Work* work) {
  const Plan& plan = work->plan;
  if (plan.init_to_start.empty() && plan.regular_to_start.empty() &&
      plan.ephemeral_to_start.empty() && !plan.create_sandbox)
    co_return false;
  if (!plan.create_sandbox) {
    const std::vector<pleg::SandboxRecord>& sandboxes = work->runtime->sandboxes;
    const auto it = std::find_if(sandboxes.begin(), sandboxes.end(), [&](const auto& sandbox) {
      return sandbox.id == plan.sandbox_id;
    });
    if (it == sandboxes.end()) co_return false;
    auto sandbox = co_await sandboxes_.Describe(work->pod, *it);
    if (!sandbox.ok()) {
      work->Failed("ConfigPodSandbox", api::FormatPod(*work->pod), "ConfigPodSandboxError",
                   Message(sandbox.status()));
      co_return false;
    }
    work->sandbox = *std::move(sandbox);
    co_return true;
  }
  work->result.acted = true;
  auto sandbox = co_await sandboxes_.Create(work->pod, plan.attempt);
  if (!sandbox.ok()) {
    s_.events.Record(api::ReferenceTo(*work->pod), api::EventType::kWarning,
                     "FailedCreatePodSandBox",
                     StrCat("Failed to create pod sandbox: ", Message(sandbox.status())));
    work->Failed("CreatePodSandbox", api::FormatPod(*work->pod), "CreatePodSandboxError",
                 Message(sandbox.status()));
    co_return false;
  }
  work->sandbox = *std::move(sandbox);
  work->result.sandbox_created = true;
  co_return true;
}

Task<void> PlanExecutor::EnsureImageVolumes(Work* work) {
  for (const v1::Volume& volume : work->pod->spec().volumes()) {
    if (!volume.volumesource().has_image()) continue;
    images::Request request;
    request.pod = work->pod;
    request.target = api::ReferenceTo(*work->pod);
    request.image = volume.volumesource().image().reference();
    request.pull_policy = volume.volumesource().image().pullpolicy();
    request.sandbox = work->sandbox.config;
    request.runtime_handler = work->sandbox.runtime_handler;
    s_.metrics.Count("kubelet_image_volume_requested_total");
    images::Result result = co_await s_.images.Ensure(std::move(request));
    s_.metrics.Count(result.status.ok() ? "kubelet_image_volume_mounted_succeed_total"
                                        : "kubelet_image_volume_mounted_errors_total");
    if (result.status.ok()) {
      work->result.image_volumes[volume.name()] = result.image_ref;
    } else {
      work->image_volume_failures[volume.name()] = {result.reason,
                                                    std::string(Message(result.status))};
    }
  }
}

Task<void> PlanExecutor::StartContainers(Work* work) {
  const v1::PodSpec& spec = work->pod->spec();
  for (const std::string& name : work->plan.ephemeral_to_start) {
    for (const v1::EphemeralContainer& ephemeral : spec.ephemeralcontainers()) {
      if (ephemeral.ephemeralcontainercommon().name() != name) continue;
      const ContainerRecord* target =
          work->runtime ? work->runtime->FindByName(ephemeral.targetcontainername()) : nullptr;
      co_await StartOne(work, api::AsContainer(ephemeral), api::ContainerType::kEphemeral,
                        target == nullptr ? "" : target->id);
    }
  }
  for (const int index : work->plan.init_to_start) {
    const v1::Container& container = spec.initcontainers(index);
    const bool started = co_await StartOne(work, container, api::ContainerType::kInit, "");
    if (!started && !api::IsSidecar(container)) co_return;
  }
  for (const int index : work->plan.regular_to_start)
    co_await StartOne(work, spec.containers(index), api::ContainerType::kRegular, "");
}

Task<bool> PlanExecutor::StartOne(Work* work, v1::Container container, api::ContainerType type,
                                  std::string target_container_id) {
  if (work->stop->cancelled()) co_return false;
  StartRequest request;
  request.stop = work->stop;
  request.pod = work->pod;
  request.type = type;
  request.sandbox = work->sandbox;
  request.runtime = work->runtime;
  request.image_volumes = work->result.image_volumes;
  request.image_volume_failures = work->image_volume_failures;
  request.target_container_id = std::move(target_container_id);
  const std::string name = container.name();
  request.container = std::move(container);
  StartResult result = co_await containers_.Start(std::move(request));
  if (absl::IsCancelled(result.status)) co_return false;
  work->result.starts[name] = {result.reason, std::string(Message(result.status))};
  if (result.retry_at != absl::InfinitePast()) {
    work->result.retry_at = work->result.retry_at == absl::InfinitePast()
                                ? result.retry_at
                                : std::min(work->result.retry_at, result.retry_at);
  } else {
    work->result.acted = true;
  }
  if (result.status.ok()) co_return true;
  work->Failed("StartContainer", name, result.reason, Message(result.status));
  co_return false;
}

}  // namespace cubelet::pods
