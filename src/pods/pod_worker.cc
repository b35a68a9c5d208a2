#include "pods/pod_worker.h"

#include <algorithm>
#include <utility>

#include "api/pod.h"
#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"
#include "os/files.h"
#include "pods/grace.h"
#include "pods/pod_objects.h"
#include "status/pod_status.h"

namespace cubelet::pods {
namespace {

using async::Task;
using pleg::ContainerRecord;
using pleg::ContainerState;

constexpr absl::Duration kErrorRetry = absl::Seconds(10);
constexpr absl::Duration kNetworkRetry = absl::Seconds(1);
// From the second on the runtime's listing is as fast.
constexpr absl::Duration kFirstLook = absl::Milliseconds(50);
constexpr absl::Duration kLongestLook = absl::Milliseconds(800);

constexpr char kSandboxLost[] =
    "The pod's sandbox was lost before all of its containers had run, and its restart policy is "
    "Never";

bool IsTerminalPhase(const v1::PodStatus& status) {
  return status.phase() == "Succeeded" || status.phase() == "Failed";
}

const char* OperationType(PodWorker::State state) {
  switch (state) {
    case PodWorker::State::kSync:
      return "sync";
    case PodWorker::State::kTerminating:
      return "terminating";
    case PodWorker::State::kTerminated:
    case PodWorker::State::kFinished:
      return "terminated";
  }
  return "";
}

}  // namespace

PodWorker::PodWorker(PodServices& services, PodTools tools, PodPtr pod, bool runtime_only)
    : s_(services),
      tools_(tools),
      uid_(pod->metadata().uid()),
      runtime_only_(runtime_only),
      pod_(std::move(pod)),
      made_(services.loop.Monotonic()),
      stop_(std::make_shared<async::Canceller>()),
      wakeup_(services.loop) {
  waiting_since_ = s_.loop.Monotonic();
  if (runtime_only_) Terminate({.deleted = true});
}

void PodWorker::Update(PodPtr pod) {
  pod_ = std::move(pod);
  if (!waiting_since_) waiting_since_ = s_.loop.Monotonic();
  wakeup_.Ring();
}

void PodWorker::Terminate(Termination termination) {
  termination_.deleted |= termination.deleted;
  termination_.evicted |= termination.evicted;
  if (termination.status) termination_.status = std::move(termination.status);
  grace_seconds_ = PodGraceSeconds(*pod_, grace_seconds_, termination.grace_seconds);
  termination_requested_ = true;
  stop_->Cancel();
  if (!waiting_since_) waiting_since_ = s_.loop.Monotonic();
  wakeup_.Ring();
}

Task<void> PodWorker::Run() {
  while (state_ != State::kFinished) {
    waiting_since_.reset();
    const absl::Duration begun = s_.loop.Monotonic();
    const char* operation = OperationType(state_);
    const absl::Duration sleep = co_await Turn();
    s_.metrics.Observe("kubelet_pod_worker_duration_seconds", {operation},
                       absl::ToDoubleSeconds(s_.loop.Monotonic() - begun));
    if (state_ == State::kFinished) break;
    if (sleep > absl::ZeroDuration()) co_await wakeup_.WaitFor(sleep);
  }
}

Task<absl::Duration> PodWorker::Turn() {
  if (std::exchange(look_again_, false) || s_.cache.IsStale(uid_)) {
    absl::Status status = co_await s_.cache.Refresh(uid_);
    if (!status.ok()) {
      // A runtime that is away is the node's trouble and told there; the pod is woken when it is
      // back.
      if (absl::IsUnavailable(status)) co_return kErrorRetry * (1 + s_.loop.Random() / 2);
      s_.events.Record(api::ReferenceTo(*pod_), api::EventType::kWarning, "FailedSync",
                       StrCat("error determining status: ", Message(status)));
      co_return Retry(status);
    }
  }
  if (state_ == State::kSync && termination_requested_) BeginTermination();
  switch (state_) {
    case State::kSync:
      co_return co_await Sync();
    case State::kTerminating:
      co_return co_await SyncTerminating();
    case State::kTerminated:
      co_return co_await SyncTerminated();
    case State::kFinished:
      break;
  }
  co_return absl::InfiniteDuration();
}

void PodWorker::BeginTermination() {
  if (grace_seconds_ == 0) grace_seconds_ = PodGraceSeconds(*pod_, 0, std::nullopt);
  termination_requested_ = true;
  state_ = State::kTerminating;
}

absl::Duration PodWorker::Retry(const absl::Status& error, bool before_containers) {
  const std::string text(Message(error));
  if (text != sync_error_)
    LOG_ERROR(error, "Error syncing pod, will try again",
              {{"pod", api::PodKey(*pod_)}, {"podUID", uid_}});
  sync_error_ = text;
  failed_before_containers_ = before_containers;
  // Spread out, so that pods that failed together do not come back together.
  return kErrorRetry * (1 + s_.loop.Random() / 2);
}

absl::Duration PodWorker::UntilDeadline() const {
  if (!status_) return absl::InfiniteDuration();
  const std::optional<absl::Time> deadline = status::ActiveDeadline(*pod_, *status_);
  if (!deadline) return absl::InfiniteDuration();
  return std::max(*deadline - s_.loop.Now(), absl::Milliseconds(1));
}

Task<absl::Duration> PodWorker::Sync() {
  co_await ReadTerminationMessages();
  Observe();
  UpdateStatus(/*terminal=*/false);
  if (IsTerminalPhase(*status_)) {
    BeginTermination();
    co_return absl::ZeroDuration();
  }
  if (termination_requested_) co_return absl::ZeroDuration();
  if (std::exchange(refresh_volumes_, false)) prepared_ = nullptr;
  Plan plan = MakePlan();
  if (prepared_ != pod_ || !plan.Empty()) {
    const absl::Status network = s_.network_state();
    if (!network.ok() && !pod_->spec().hostnetwork()) {
      s_.events.Record(api::ReferenceTo(*pod_), api::EventType::kWarning, "NetworkNotReady",
                       StrCat("network is not ready: ", Message(network)));
      (void)Retry(Annotate(network, "network is not ready"), /*before_containers=*/true);
      co_return std::min(kNetworkRetry * (1 + s_.loop.Random() / 2), UntilDeadline());
    }
    const PodPtr preparing = pod_;
    absl::Status prepared = co_await Prepare();
    if (!prepared.ok())
      co_return std::min(Retry(prepared, /*before_containers=*/true), UntilDeadline());
    prepared_ = preparing;
    // Probes are known now, and the world may have changed meanwhile.
    Observe();
    if (s_.cache.IsStale(uid_) || termination_requested_ || pod_ != preparing)
      co_return absl::ZeroDuration();
    plan = MakePlan();
  }
  if (plan.Empty()) {
    absl::Status collected = co_await CollectGarbage();
    if (!collected.ok()) co_return std::min(Retry(collected), UntilDeadline());
    sync_error_.clear();
    co_return std::min(UntilDeadline(), UntilLook());
  }
  if (plan.given_up && !(s_.cache.Get(uid_) && s_.cache.Get(uid_)->AnyRunning())) {
    // Nothing has failed, so that its phase would be Pending for ever.
    status::StatusOverride failed;
    failed.phase = "Failed";
    failed.message = kSandboxLost;
    Terminate({.status = failed});
    co_return absl::ZeroDuration();
  }
  look_delay_ = absl::ZeroDuration();
  co_return co_await Carry(std::move(plan));
}

// While an init container runs, the next container waits for its end. Without an event stream only
// a listing would tell, and that may be a second away: the pod is looked at more often at first.
absl::Duration PodWorker::UntilLook() {
  const std::shared_ptr<const pleg::RuntimePod> runtime = s_.cache.Get(uid_);
  if (s_.cache.has_events() || !runtime || look_delay_ >= kLongestLook)
    return absl::InfiniteDuration();
  for (const v1::Container& container : pod_->spec().initcontainers()) {
    const ContainerRecord* record = runtime->FindByName(container.name());
    if (record == nullptr || record->state != ContainerState::kRunning || api::IsSidecar(container))
      continue;
    look_delay_ = look_delay_ == absl::ZeroDuration() ? kFirstLook : 2 * look_delay_;
    look_again_ = true;
    return look_delay_;
  }
  return absl::InfiniteDuration();
}

// What the pod needs on the node before its containers: cgroup, directories, volumes, probes.
Task<absl::Status> PodWorker::Prepare() {
  const PodPtr pod = pod_;
  const api::ObjectReference reference = api::ReferenceTo(*pod);
  if (s_.settings.cgroups_per_qos) {
    const api::QosClass qos = api::GetQosClass(*pod);
    const cgroups::Resources resources = cgroups::PodResources(*pod, s_.settings.pod_cgroup);
    cgroups::Manager* cgroups = &s_.cgroups;
    absl::Status status = co_await s_.loop.Blocking([cgroups, uid = uid_, qos, resources] {
      return cgroups->PodExists(uid, qos) ? absl::OkStatus()
                                          : cgroups->EnsurePod(uid, qos, resources);
    });
    if (!status.ok()) {
      s_.events.Record(reference, api::EventType::kWarning, "FailedCreatePodContainer",
                       StrCat("unable to ensure pod container exists: ", Message(status)));
      co_return Annotate(status, StrCat("failed to ensure that the pod: ", uid_,
                                        " cgroups exist and are correctly applied"));
    }
  }
  absl::Status made =
      co_await s_.loop.Blocking([pod_dir = s_.paths.Pod(uid_), volumes = s_.paths.PodVolumes(uid_),
                                 plugins = s_.paths.PodPlugins(uid_)]() -> absl::Status {
        RETURN_IF_ERROR(os::MakeDirectories(pod_dir, 0750));
        RETURN_IF_ERROR(os::MakeDirectories(volumes, 0750));
        return os::MakeDirectories(plugins, 0750);
      });
  if (!made.ok()) {
    s_.events.Record(reference, api::EventType::kWarning, "Failed",
                     StrCat("error making pod data directories: ", Message(made)));
    co_return Annotate(made, "error making pod data directories");
  }
  api::DownwardContext downward;
  downward.host_ips = s_.node.host_ips;
  downward.node_allocatable = s_.node.allocatable;
  if (status_) {
    for (const v1::PodIP& ip : status_->podips()) downward.pod_ips.push_back(ip.ip());
  }
  if (s_.objects != nullptr) s_.objects->Register(*pod);
  absl::Status volumes = co_await s_.volumes.SetUp(pod, std::move(downward));
  // Told to the pod's users by the volumes themselves.
  CO_RETURN_IF_ERROR(volumes);
  s_.probes.Add(pod);
  co_return absl::OkStatus();
}

Task<absl::Duration> PodWorker::Carry(Plan plan) {
  Execution execution =
      co_await tools_.executor.Execute(pod_, std::move(plan), s_.cache.Get(uid_), stop_);
  for (auto& [name, failure] : execution.starts) {
    if (failure.reason.empty()) {
      start_failures_.erase(name);
    } else {
      start_failures_[name] = std::move(failure);
    }
  }
  for (auto& [name, image] : execution.image_volumes) image_volumes_[name] = std::move(image);
  if (execution.acted) {
    // What was done is only known once it has been seen.
    absl::Status seen = co_await s_.cache.Refresh(uid_);
    if (!seen.ok()) {
      s_.cache.MarkStale(uid_);
      co_return Retry(seen);
    }
  }
  if (execution.status.ok()) {
    sync_error_.clear();
    // An empty turn costs little and finds what is next.
    if (execution.acted) co_return absl::ZeroDuration();
    co_return UntilDeadline();
  }
  Observe();
  UpdateStatus(/*terminal=*/false);
  if (IsTerminalPhase(*status_) || termination_requested_) co_return absl::ZeroDuration();
  // A container that ends as soon as it is started leaves no turn without something to do.
  (void)co_await CollectGarbage();
  absl::Duration retry = Retry(execution.status, execution.before_containers);
  if (execution.retry_at != absl::InfinitePast())
    retry = std::clamp(execution.retry_at - s_.loop.Now(), absl::Milliseconds(1),
                       s_.settings.sync_frequency);
  co_return std::min(retry, UntilDeadline());
}

Task<absl::Duration> PodWorker::SyncTerminating() {
  co_await ReadTerminationMessages();
  Observe();
  UpdateStatus(/*terminal=*/false);
  s_.probes.StopLivenessAndStartup(uid_);
  absl::Status killed = co_await tools_.killer.KillPod(pod_, s_.cache.Get(uid_), grace_seconds_);
  if (!killed.ok()) {
    s_.cache.MarkStale(uid_);
    s_.events.Record(api::ReferenceTo(*pod_), api::EventType::kWarning, "FailedKillPod",
                     StrCat("error killing pod: ", Message(killed)));
    co_return Retry(Annotate(killed, "error killing terminating pod"));
  }
  absl::Status seen = co_await s_.cache.Refresh(uid_);
  if (!seen.ok()) co_return Retry(seen);
  const std::shared_ptr<const pleg::RuntimePod> runtime = s_.cache.Get(uid_);
  if (runtime && std::any_of(runtime->containers.begin(), runtime->containers.end(),
                             [](const ContainerRecord& record) {
                               return record.state == ContainerState::kRunning;
                             })) {
    s_.cache.MarkStale(uid_);
    co_return Retry(absl::InternalError(
        "detected running containers after a successful KillPod, CRI violation"));
  }
  s_.probes.Remove(uid_);
  co_await ReadTerminationMessages();
  WatchLogs();
  UpdateStatus(/*terminal=*/true);
  sync_error_.clear();
  state_ = State::kTerminated;
  co_return absl::ZeroDuration();
}

Task<absl::Duration> PodWorker::SyncTerminated() {
  UpdateStatus(/*terminal=*/true);
  absl::Status volumes = co_await s_.volumes.TearDown(uid_);
  if (!volumes.ok()) co_return Retry(volumes);
  if (s_.objects != nullptr) s_.objects->Forget(uid_);
  if (s_.settings.cgroups_per_qos) {
    cgroups::Manager* cgroups = &s_.cgroups;
    absl::Status destroyed =
        co_await s_.loop.Blocking([cgroups, uid = uid_] { return cgroups->DestroyPod(uid); });
    if (!destroyed.ok()) co_return Retry(destroyed);
  }
  tools_.sandboxes.ReleaseUserNamespace(uid_);
  s_.images.ForgetPod(uid_);
  StoreStatus(status::MakeTerminatedStatus(*pod_, *status_));
  if (!std::exchange(ended_, true) && on_status_) on_status_();
  if (termination_.deleted || termination_.evicted) {
    const bool deleted = termination_.deleted;
    absl::Status removed = co_await RemoveRemains(deleted);
    if (!removed.ok()) co_return Retry(removed);
    clean_ = deleted;
  } else {
    absl::Status collected = co_await CollectGarbage();
    if (!collected.ok()) co_return Retry(collected);
  }
  sync_error_.clear();
  state_ = State::kFinished;
  co_return absl::ZeroDuration();
}

Task<absl::Status> PodWorker::RemoveRemains(bool deleted) {
  const std::string name_space = pod_->metadata().namespace_();
  const std::string name = pod_->metadata().name();
  CO_RETURN_IF_ERROR(co_await s_.cache.Refresh(uid_));
  if (const auto runtime = s_.cache.Get(uid_)) {
    // What was asked for while the pod still lived may have come only now.
    if (runtime->AnyRunning()) {
      CO_RETURN_IF_ERROR(co_await tools_.killer.KillPod(pod_, runtime, grace_seconds_));
      CO_RETURN_IF_ERROR(co_await s_.cache.Refresh(uid_));
    }
    if (const auto dead = s_.cache.Get(uid_)) {
      Garbage garbage = ChooseGarbage(*dead, /*pod_is_gone=*/true, 0);
      CO_RETURN_IF_ERROR(co_await tools_.collector.Remove(name_space, name, std::move(garbage)));
      CO_RETURN_IF_ERROR(co_await s_.cache.Refresh(uid_));
    }
    if (s_.cache.Get(uid_) != nullptr)
      co_return absl::UnavailableError("the runtime still holds something of the pod");
  }
  if (!deleted) co_return absl::OkStatus();
  CO_RETURN_IF_ERROR(co_await tools_.collector.RemovePodLogs(name_space, name, uid_));
  co_return co_await s_.volumes.RemovePodDirectory(uid_);
}

Task<absl::Status> PodWorker::CollectGarbage() {
  const std::shared_ptr<const pleg::RuntimePod> runtime = s_.cache.Get(uid_);
  if (!runtime) co_return absl::OkStatus();
  Garbage garbage =
      ChooseGarbage(*runtime, /*pod_is_gone=*/false, s_.settings.max_dead_per_container);
  if (garbage.containers.empty() && garbage.sandbox_ids.empty()) co_return absl::OkStatus();
  absl::Status removed = co_await tools_.collector.Remove(
      pod_->metadata().namespace_(), pod_->metadata().name(), std::move(garbage));
  absl::Status seen = co_await s_.cache.Refresh(uid_);
  if (!seen.ok()) s_.cache.MarkStale(uid_);
  co_return Annotate(removed, "remove dead containers");
}

}  // namespace cubelet::pods
