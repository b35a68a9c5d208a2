#include "pods/killer.h"

#include <algorithm>
#include <vector>

#include "api/codec.h"
#include "api/pod.h"
#include "api/yaml.h"
#include "async/signal.h"
#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"
#include "pods/termination_order.h"

namespace cubelet::pods {
namespace {

using async::Task;
using pleg::ContainerRecord;
using pleg::ContainerState;

int64_t WholeSeconds(absl::Duration duration) {
  return absl::ToInt64Seconds(absl::Floor(duration, absl::Seconds(1)));
}

// What the preStop task and the one who waits for it share: the hook may go on when the wait is
// over.
struct HookWait {
  explicit HookWait(async::Loop& loop) : done(loop) {}
  async::Signal done;
  bool ended = false;
  absl::Status status;
};

Task<void> RunHook(Hooks* hooks, HookRequest request, std::shared_ptr<HookWait> wait) {
  wait->status = co_await hooks->Run(std::move(request));
  wait->ended = true;
  wait->done.Notify();
}

// Whether the container ends within the time, by looking again whenever the runtime reports
// something.
Task<bool> EndedWithin(async::Loop* loop, pleg::RuntimeCache* cache, std::string uid,
                       std::string container_id, absl::Duration limit) {
  const absl::Duration deadline = loop->Monotonic() + limit;
  while (true) {
    const std::shared_ptr<const pleg::RuntimePod> pod = cache->Get(uid);
    const ContainerRecord* record = pod ? pod->FindById(container_id) : nullptr;
    if (record == nullptr || record->state == ContainerState::kExited) co_return true;
    const absl::Duration left = deadline - loop->Monotonic();
    if (left <= absl::ZeroDuration()) co_return false;
    if (co_await cache->WaitForChange(uid, left)) (void)co_await cache->Refresh(uid);
  }
}

// What is to be stopped, in the order in which it is told: as the containers were started, sidecars
// last.
std::vector<ContainerRecord> RunningInOrder(const v1::Pod& pod, const pleg::RuntimePod& runtime) {
  std::vector<ContainerRecord> running;
  for (const ContainerRecord& record : runtime.containers) {
    if (record.state == ContainerState::kRunning) running.push_back(record);
  }
  std::reverse(running.begin(), running.end());  // the newest stand first
  std::stable_partition(running.begin(), running.end(), [&pod](const ContainerRecord& record) {
    const v1::Container* container = api::FindContainer(pod, record.name);
    return container == nullptr || !api::IsSidecar(*container);
  });
  return running;
}

}  // namespace

Killer::Killer(async::Loop& loop, cri::Runtime& runtime, pleg::RuntimeCache& cache, Hooks& hooks,
               api::EventRecorder& events)
    : loop_(loop), runtime_(runtime), cache_(cache), hooks_(hooks), events_(events) {}

Task<absl::Status> Killer::KillPod(PodPtr pod, std::shared_ptr<const pleg::RuntimePod> runtime,
                                   std::optional<int64_t> grace_override_seconds) {
  if (!runtime) co_return absl::OkStatus();
  std::vector<ContainerRecord> running = RunningInOrder(*pod, *runtime);
  std::vector<std::string> names;
  for (const ContainerRecord& record : running) names.push_back(record.name);
  auto order = std::make_shared<TerminationOrder>(loop_, *pod, names);
  auto result = std::make_shared<absl::Status>();
  if (!running.empty()) {
    async::TaskScope scope(loop_, StrCat("kill ", api::PodKey(*pod)));
    for (ContainerRecord& record : running) {
      std::string name = record.name;
      scope.Spawn(std::move(name),
                  KillInto(pod, std::move(record), grace_override_seconds, order, result));
    }
    // A cancelled wait still has to see its tasks end before the scope goes.
    std::exception_ptr cancelled;
    try {
      co_await scope.Join();
    } catch (const boost::system::system_error&) {
      cancelled = std::current_exception();
    }
    if (cancelled) {
      co_await boost::asio::this_coro::reset_cancellation_state();
      co_await scope.Close();
      std::rethrow_exception(cancelled);
    }
  }
  if (!result->ok()) co_return *result;
  for (const pleg::SandboxRecord& sandbox : runtime->sandboxes) {
    absl::Status status = co_await runtime_.StopPodSandbox(sandbox.id);
    if (!status.ok() && !absl::IsNotFound(status))
      *result = FirstError(*result, Annotate(status, StrCat("stop sandbox ", sandbox.id)));
  }
  co_return *result;
}

Task<absl::Status> Killer::KillContainer(PodPtr pod, ContainerRecord record, std::string message,
                                         KillReason reason,
                                         std::optional<int64_t> grace_override_seconds) {
  return Kill(std::move(pod), std::move(record), std::move(message), reason, grace_override_seconds,
              nullptr);
}

Task<void> Killer::KillInto(PodPtr pod, ContainerRecord record,
                            std::optional<int64_t> grace_override_seconds,
                            std::shared_ptr<TerminationOrder> order,
                            std::shared_ptr<absl::Status> result) {
  const std::string name = record.name;
  absl::Status status = co_await Kill(std::move(pod), std::move(record), "", KillReason::kUnknown,
                                      grace_override_seconds, order);
  *result = FirstError(*result, Annotate(status, StrCat("kill container ", name)));
  order->Ended(name);
}

Task<absl::Status> Killer::Kill(PodPtr pod, ContainerRecord record, std::string message,
                                KillReason reason, std::optional<int64_t> grace_override_seconds,
                                std::shared_ptr<TerminationOrder> order) {
  api::ContainerType type = api::ContainerType::kRegular;
  const v1::Container* spec = api::FindContainer(*pod, record.name, &type);
  const v1::Container container = spec == nullptr ? v1::Container() : *spec;
  const api::ObjectReference target =
      api::ReferenceTo(*pod, api::ContainerFieldPath(record.name, type));
  int64_t grace = ContainerGraceSeconds(*pod, spec, reason, grace_override_seconds);
  if (message.empty()) message = StrCat("Stopping container ", record.name);
  events_.Record(target, api::EventType::kNormal, "Killing", message);
  if (container.lifecycle().has_prestop() && grace > 0)
    grace -= co_await RunPreStop(pod, container, record, grace);
  if (order && order->has_sidecars() && grace > 0)
    grace -= WholeSeconds(co_await order->WaitForTurn(record.name, absl::Seconds(grace)));
  grace = std::max(grace, kMinimumContainerGraceSeconds);
  absl::Status status = co_await runtime_.StopContainer(record.id, absl::Seconds(grace));
  if (absl::IsNotFound(status)) co_return absl::OkStatus();
  co_return status;
}

Task<int64_t> Killer::RunPreStop(PodPtr pod, v1::Container container, ContainerRecord record,
                                 int64_t grace_seconds) {
  const absl::Duration start = loop_.Monotonic();
  api::ContainerType type = api::ContainerType::kRegular;
  (void)api::FindContainer(*pod, record.name, &type);
  HookRequest request;
  request.pod = pod;
  request.target = api::ReferenceTo(*pod, api::ContainerFieldPath(record.name, type));
  request.container_id = record.id;
  request.handler = container.lifecycle().prestop();
  request.container = std::move(container);
  const std::shared_ptr<const pleg::RuntimePod> runtime = cache_.Get(pod->metadata().uid());
  if (runtime && !runtime->sandboxes.empty() && !runtime->sandboxes.front().ips.empty())
    request.pod_ip = runtime->sandboxes.front().ips.front();
  async::Loop* loop = &loop_;
  pleg::RuntimeCache* cache = &cache_;
  request.ended_within = [loop, cache, uid = pod->metadata().uid(),
                          id = record.id](absl::Duration limit) {
    return EndedWithin(loop, cache, uid, id, limit);
  };
  const api::ObjectReference target = request.target;
  auto wait = std::make_shared<HookWait>(loop_);
  async::TaskScope scope(loop_, StrCat("preStop ", api::PodKey(*pod)));
  scope.Spawn(record.name, RunHook(&hooks_, std::move(request), wait));
  std::exception_ptr cancelled;
  try {
    while (!wait->ended) {
      const absl::Duration left = start + absl::Seconds(grace_seconds) - loop_.Monotonic();
      if (left <= absl::ZeroDuration()) break;
      co_await wait->done.WaitFor(left);
    }
  } catch (const boost::system::system_error&) {
    cancelled = std::current_exception();
  }
  if (cancelled) co_await boost::asio::this_coro::reset_cancellation_state();
  // A hook that has used up the grace period is given up: the container is stopped at once.
  if (!wait->ended) wait->status = absl::DeadlineExceededError("the grace period is over");
  co_await scope.Close();
  if (cancelled) std::rethrow_exception(cancelled);
  if (!wait->status.ok()) {
    events_.Record(target, api::EventType::kWarning, "FailedPreStopHook", "PreStopHook failed");
    LOG_ERROR(wait->status, "PreStop hook failed",
              {{"pod", api::PodKey(*pod)}, {"containerName", record.name}});
  }
  co_return WholeSeconds(loop_.Monotonic() - start);
}

PodPtr PodFromRuntime(const pleg::RuntimePod& runtime) {
  auto pod = std::make_shared<v1::Pod>();
  pod->mutable_metadata()->set_name(runtime.name);
  pod->mutable_metadata()->set_namespace_(runtime.name_space);
  pod->mutable_metadata()->set_uid(runtime.uid);
  for (const ContainerRecord& record : runtime.containers) {
    if (api::FindContainer(*pod, record.name) != nullptr) continue;
    pod->mutable_spec()->add_containers()->set_name(record.name);
  }
  // Nobody is left who could say how long it may take.
  pod->mutable_spec()->set_terminationgraceperiodseconds(1);
  return pod;
}

}  // namespace cubelet::pods
