#include "probes/manager.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "api/pod.h"
#include "base/metrics.h"
#include "base/strings.h"
#include "probes/prober.h"
#include "probes/worker.h"

namespace cubelet::probes {
namespace {

using async::Task;

// How much older than the agent an instance must be to have been probed by another agent before.
constexpr absl::Duration kSurvivorAge = absl::Seconds(10);

// Of a probe's words that are kept for whoever asks why a pod is not ready.
constexpr size_t kMaxFailureBytes = 512;

constexpr const char* kResultLabels[] = {"successful", "failed", "unknown"};

const ContainerView* FindView(const PodView& view, std::string_view container) {
  const auto it = std::find_if(view.containers.begin(), view.containers.end(),
                               [&](const ContainerView& c) { return c.name == container; });
  return it == view.containers.end() ? nullptr : &*it;
}

const v1::Probe* ProbeOf(const v1::Container& container, Kind kind) {
  switch (kind) {
    case Kind::kStartup:
      return container.has_startupprobe() ? &container.startupprobe() : nullptr;
    case Kind::kLiveness:
      return container.has_livenessprobe() ? &container.livenessprobe() : nullptr;
    case Kind::kReadiness:
      return container.has_readinessprobe() ? &container.readinessprobe() : nullptr;
  }
  return nullptr;
}

const char* ResultLabel(Outcome outcome) {
  switch (outcome) {
    case Outcome::kSuccess:
      return kResultLabels[0];
    case Outcome::kFailure:
      return kResultLabels[1];
    case Outcome::kUnknown:
      return kResultLabels[2];
  }
  return kResultLabels[2];
}

// What the probe itself said when it failed, without the words of the event about it.
std::string FailureWords(const Report& report) {
  if (report.outcome == Outcome::kSuccess) return "";
  const size_t colon = report.message.find(": ");
  if (colon == std::string::npos) return "";
  return CleanUtf8(report.message.substr(colon + 2, kMaxFailureBytes));
}

}  // namespace

const char* KindName(Kind kind) {
  switch (kind) {
    case Kind::kStartup:
      return "Startup";
    case Kind::kLiveness:
      return "Liveness";
    case Kind::kReadiness:
      return "Readiness";
  }
  return "";
}

struct Manager::Worker {
  uint64_t id = 0;
  WorkerSpec spec;
  const v1::Container* container = nullptr;  // in the pod's object, as is the probe
  const v1::Probe* probe = nullptr;
  bool sidecar = false;
  WorkerState state;

  absl::Duration first_tick;               // monotonic; the others follow every period
  std::optional<absl::Duration> last_run;  // when the last probe was started
  async::Loop::TimerId timer = 0;
  absl::Duration due;                 // of the timer
  async::TaskScope::TaskId task = 0;  // while a probe is being executed
  bool again = false;                 // another one was asked for meanwhile
  std::string failure;                // what the last one said, "" when it succeeded
};

struct Manager::PodProbes {
  PodPtr pod;  // null: only seen so far
  PodView view;
  std::vector<std::unique_ptr<Worker>> workers;
};

struct Manager::Finished {
  std::string container_id;  // that was probed
  ProbeResult result;
  absl::Duration duration;
};

Manager::Manager(async::Loop& loop, async::TaskScope& scope, cri::Runtime& runtime,
                 api::EventRecorder& recorder, absl::Time started_at)
    : loop_(loop), scope_(scope), runtime_(runtime), recorder_(recorder), started_at_(started_at) {}

Manager::~Manager() {
  for (auto& [uid, pod] : pods_) {
    for (auto& worker : pod->workers) loop_.CancelTimer(worker->timer);
  }
}

void Manager::SetOnChange(std::function<void(const std::string& uid, Kind kind)> on_change) {
  on_change_ = std::move(on_change);
}

void Manager::SetMetrics(Metrics* metrics) { metrics_ = metrics; }

// ---- The workers of a pod

void Manager::Add(PodPtr pod) {
  std::unique_ptr<PodProbes>& slot = pods_[pod->metadata().uid()];
  if (slot == nullptr) slot = std::make_unique<PodProbes>();
  if (slot->pod != nullptr) return;
  slot->pod = std::move(pod);
  for (const v1::Container& container : slot->pod->spec().initcontainers()) {
    if (api::IsSidecar(container)) MakeWorkers(*slot, container, /*sidecar=*/true);
  }
  for (const v1::Container& container : slot->pod->spec().containers())
    MakeWorkers(*slot, container, /*sidecar=*/false);
  ConsiderAll(*slot);
}

void Manager::MakeWorkers(PodProbes& pod, const v1::Container& container, bool sidecar) {
  // Startup first: what it holds decides whether the others have their turn.
  for (Kind kind : {Kind::kStartup, Kind::kLiveness, Kind::kReadiness}) {
    const v1::Probe* probe = ProbeOf(container, kind);
    if (probe == nullptr) continue;
    auto worker = std::make_unique<Worker>();
    worker->id = ++last_worker_id_;
    worker->spec = SpecOf(kind, *probe);
    worker->container = &container;
    worker->probe = probe;
    worker->sidecar = sidecar;
    worker->first_tick =
        loop_.Monotonic() + StartDelay(worker->spec, loop_.Now() - started_at_, loop_.Random());
    pod.workers.push_back(std::move(worker));
  }
}

void Manager::Observe(const std::string& uid, PodView view) {
  const auto it = pods_.find(uid);
  if (it == pods_.end() || it->second->pod == nullptr) {
    // Not added yet, or removed: what does not run any more is not worth keeping.
    const bool running = std::any_of(view.containers.begin(), view.containers.end(),
                                     [](const ContainerView& c) { return c.running; });
    if (!running) {
      pods_.erase(uid);
      return;
    }
    std::unique_ptr<PodProbes>& slot = pods_[uid];
    if (slot == nullptr) slot = std::make_unique<PodProbes>();
    slot->view = std::move(view);
    return;
  }
  ForgetStarted(it->second->view, view);
  it->second->view = std::move(view);
  ConsiderAll(*it->second);
}

void Manager::StopLivenessAndStartup(const std::string& uid) {
  const auto it = pods_.find(uid);
  if (it == pods_.end()) return;
  PodProbes& pod = *it->second;
  std::erase_if(pod.workers, [&](const std::unique_ptr<Worker>& worker) {
    if (worker->sidecar || worker->spec.kind == Kind::kReadiness) return false;
    EndWorker(pod, *worker);
    return true;
  });
  // Without its startup probe a container counts as started.
  ConsiderAll(pod);
}

void Manager::Remove(const std::string& uid) {
  const auto it = pods_.find(uid);
  if (it == pods_.end()) return;
  for (auto& worker : it->second->workers) EndWorker(*it->second, *worker);
  ForgetStarted(it->second->view, {});
  pods_.erase(it);
}

Manager::Worker* Manager::FindWorker(const std::string& uid, const std::string& container,
                                     Kind kind) const {
  const auto it = pods_.find(uid);
  if (it == pods_.end()) return nullptr;
  for (const auto& worker : it->second->workers) {
    if (worker->spec.kind == kind && worker->container->name() == container) return worker.get();
  }
  return nullptr;
}

Manager::Worker* Manager::FindWorker(const std::string& uid, uint64_t worker_id,
                                     PodProbes*& pod) const {
  const auto it = pods_.find(uid);
  if (it == pods_.end()) return nullptr;
  pod = it->second.get();
  const auto worker = std::find_if(pod->workers.begin(), pod->workers.end(),
                                   [&](const auto& w) { return w->id == worker_id; });
  return worker == pod->workers.end() ? nullptr : worker->get();
}

// Before the pod is added (its first look after a restart of the agent) its object tells.
bool Manager::HasWorker(const std::string& uid, const v1::Container& container, Kind kind) const {
  const auto it = pods_.find(uid);
  if (it == pods_.end() || it->second->pod == nullptr) return ProbeOf(container, kind) != nullptr;
  return FindWorker(uid, container.name(), kind) != nullptr;
}

// Leaves nothing behind but the worker itself, for the caller to drop.
void Manager::EndWorker(const PodProbes& pod, Worker& worker) {
  Stop(worker);
  if (worker.task != 0) scope_.Cancel(worker.task);
  Forget(worker.state.container_id, worker.spec.kind);
  if (metrics_ == nullptr) return;
  const metav1::ObjectMeta& meta = pod.pod->metadata();
  const char* kind = KindName(worker.spec.kind);
  for (const char* result : kResultLabels)
    metrics_->Remove("prober_probe_total", {worker.container->name(), meta.namespace_(),
                                            meta.name(), meta.uid(), kind, result});
  metrics_->Remove("prober_probe_duration_seconds",
                   {worker.container->name(), meta.namespace_(), meta.name(), kind});
}

void Manager::ConsiderAll(PodProbes& pod) {
  // Workers that end may give others their turn.
  bool ended = true;
  while (ended) {
    ended = false;
    for (size_t i = 0; i < pod.workers.size();) {
      if (Consider(pod, *pod.workers[i], loop_.Monotonic())) {
        ++i;
        continue;
      }
      EndWorker(pod, *pod.workers[i]);
      pod.workers.erase(pod.workers.begin() + static_cast<ptrdiff_t>(i));
      ended = true;
    }
  }
}

// ---- One worker

// Looks, and keeps what comes of it.
Decision Manager::Decide(PodProbes& pod, Worker& worker) {
  const std::string& uid = pod.pod->metadata().uid();
  Sight sight;
  if (const ContainerView* view = FindView(pod.view, worker.container->name())) {
    sight.container = *view;
    sight.survivor = IsSurvivor(*view);
    sight.started_sidecar = worker.sidecar && started_before_.contains(view->id);
    sight.started = IsStarted(uid, *worker.container, *view);
  }
  sight.pod_terminal = pod.view.terminal;
  sight.pod_deleting = pod.pod->metadata().has_deletiontimestamp();
  sight.has_address = !pod.view.pod_ip.empty() || !NeedsPodIp(*worker.probe);

  Decision decision = Look(worker.spec, worker.state, sight);
  if (decision.state.container_id != worker.state.container_id)
    Forget(worker.state.container_id, worker.spec.kind);
  worker.state = decision.state;
  if (decision.store) Store(worker.state.container_id, worker.spec.kind, *decision.store);
  return decision;
}

bool Manager::Consider(PodProbes& pod, Worker& worker, absl::Duration from) {
  const Decision decision = Decide(pod, worker);
  if (decision.next == Next::kEnd) return false;
  if (worker.task != 0) return true;
  if (decision.next == Next::kWait) {
    Stop(worker);
    return true;
  }
  const absl::Duration now = loop_.Monotonic();
  if (decision.not_before > loop_.Now())
    from = std::max(from, now + (decision.not_before - loop_.Now()));
  const absl::Duration tick =
      NextTick(worker.first_tick, worker.spec.period, from, worker.last_run);
  // A timer that is set already looks again when it fires; one that is overdue must not be missed.
  if (worker.timer != 0 && worker.due <= tick) return true;
  Stop(worker);
  worker.due = tick;
  worker.timer = loop_.AddTimer(
      tick - now, [this, uid = pod.pod->metadata().uid(), id = worker.id] { OnTick(uid, id); });
  return true;
}

void Manager::OnTick(const std::string& uid, uint64_t worker_id) {
  PodProbes* pod = nullptr;
  Worker* worker = FindWorker(uid, worker_id, pod);
  if (worker == nullptr) return;
  worker->timer = 0;
  ProbeNow(*pod, *worker);
}

// Probes if there is something to probe now, otherwise waits for it.
void Manager::ProbeNow(PodProbes& pod, Worker& worker) {
  const Decision decision = Decide(pod, worker);
  if (decision.next == Next::kProbe && decision.not_before <= loop_.Now()) {
    Start(pod, worker);
  } else {
    // What ends a worker is seen by Observe, which drops it; here it only gets no timer.
    Consider(pod, worker, loop_.Monotonic() + absl::Nanoseconds(1));
  }
}

void Manager::Start(PodProbes& pod, Worker& worker) {
  Stop(worker);
  worker.last_run = loop_.Monotonic();
  worker.task =
      scope_.Spawn(StrCat("probe ", api::PodKey(*pod.pod), "/", worker.container->name(), " ",
                          KindName(worker.spec.kind)),
                   Execute(pod.pod->metadata().uid(), worker.id, worker.state.container_id));
}

void Manager::Stop(Worker& worker) { loop_.CancelTimer(std::exchange(worker.timer, 0)); }

Task<void> Manager::Execute(std::string uid, uint64_t worker_id, std::string container_id) {
  PodProbes* pod = nullptr;
  Worker* worker = FindWorker(uid, worker_id, pod);
  if (worker == nullptr) co_return;
  const Kind kind = worker->spec.kind;
  ProbeTarget target{.pod = pod->pod,
                     .container = worker->container,
                     .probe = worker->probe,
                     .kind = kind,
                     .container_id = container_id,
                     .pod_ip = pod->view.pod_ip};
  const absl::Duration begun = loop_.Monotonic();
  Finished finished{.container_id = std::move(container_id)};
  finished.result = co_await RunProbe(&loop_, &runtime_, std::move(target));
  finished.duration = loop_.Monotonic() - begun;
  worker = FindWorker(uid, worker_id, pod);
  if (worker == nullptr) co_return;
  if (Finish(*pod, *worker, finished) && on_change_) on_change_(uid, kind);
}

// Takes the result in and sets the next timer. True when something changed that others depend on.
bool Manager::Finish(PodProbes& pod, Worker& worker, const Finished& finished) {
  worker.task = 0;
  const Kind kind = worker.spec.kind;
  const ContainerView* view = FindView(pod.view, worker.container->name());
  bool changed = false;
  // That the instance has ended is not the fault of a probe that met it.
  if (view != nullptr && view->running && view->id == finished.container_id) {
    const Report report = MakeReport(kind, finished.result);
    Tell(pod, worker, report, finished.duration);
    changed = report.outcome && TakeIn(worker, *report.outcome);
  }
  if (std::exchange(worker.again, false)) {
    worker.first_tick = loop_.Monotonic();
    ProbeNow(pod, worker);
  } else {
    // A tick that passed meanwhile counts: it is made up for at once.
    Consider(pod, worker, *worker.last_run);
  }
  // The others of the container may have their turn now.
  if (changed && kind == Kind::kStartup) ConsiderAll(pod);
  return changed;
}

std::map<std::string, std::string> Manager::Failures(const std::string& uid) const {
  std::map<std::string, std::string> failures;
  const auto pod = pods_.find(uid);
  if (pod == pods_.end()) return failures;
  // Startup comes first, and while it has not succeeded no other probe has run.
  for (const std::unique_ptr<Worker>& worker : pod->second->workers) {
    if (worker->spec.kind != Kind::kLiveness && !worker->failure.empty())
      failures.emplace(worker->container->name(), worker->failure);
  }
  return failures;
}

void Manager::Tell(const PodProbes& pod, Worker& worker, const Report& report,
                   absl::Duration duration) {
  const metav1::ObjectMeta& meta = pod.pod->metadata();
  const std::string& name = worker.container->name();
  const char* kind = KindName(worker.spec.kind);
  worker.failure = FailureWords(report);
  if (!report.reason.empty()) {
    const api::ContainerType type =
        worker.sidecar ? api::ContainerType::kInit : api::ContainerType::kRegular;
    recorder_.Record(api::ReferenceTo(*pod.pod, api::ContainerFieldPath(name, type)),
                     api::EventType::kWarning, report.reason, report.message);
  }
  if (!report.outcome || metrics_ == nullptr) return;
  metrics_->Count("prober_probe_total", {name, meta.namespace_(), meta.name(), meta.uid(), kind,
                                         ResultLabel(*report.outcome)});
  if (*report.outcome != Outcome::kFailure)
    metrics_->Observe("prober_probe_duration_seconds", {name, meta.namespace_(), meta.name(), kind},
                      absl::ToDoubleSeconds(duration));
}

// Counts the outcome. True when that changed what is held of the instance and others depend on.
bool Manager::TakeIn(Worker& worker, Outcome outcome) {
  Step step = Count(worker.spec, std::move(worker.state), outcome);
  worker.state = std::move(step.state);
  if (!step.store) return false;
  const std::string& id = worker.state.container_id;
  const std::optional<Outcome> before = Result(id, worker.spec.kind);
  Store(id, worker.spec.kind, *step.store);
  return before != step.store &&
         (worker.spec.kind != Kind::kLiveness || *step.store == Outcome::kFailure);
}

// ---- What is known of instances

bool Manager::IsSurvivor(const ContainerView& view) const {
  return view.running && view.started_at < started_at_ - kSurvivorAge;
}

bool Manager::IsStarted(const std::string& uid, const v1::Container& container,
                        const ContainerView& view) const {
  if (!view.running) return false;
  if (const std::optional<Outcome> startup = Result(view.id, Kind::kStartup))
    return *startup == Outcome::kSuccess;
  return started_before_.contains(view.id) || !HasWorker(uid, container, Kind::kStartup);
}

std::optional<Outcome> Manager::Result(const std::string& container_id, Kind kind) const {
  const auto it = results_.find(container_id);
  if (it == results_.end()) return std::nullopt;
  return it->second[static_cast<size_t>(kind)];
}

void Manager::Store(const std::string& container_id, Kind kind, Outcome outcome) {
  results_[container_id][static_cast<size_t>(kind)] = outcome;
}

void Manager::Forget(const std::string& container_id, Kind kind) {
  const auto it = results_.find(container_id);
  if (it == results_.end()) return;
  it->second[static_cast<size_t>(kind)].reset();
  const bool empty = std::none_of(it->second.begin(), it->second.end(),
                                  [](const auto& outcome) { return outcome.has_value(); });
  if (empty) results_.erase(it);
}

void Manager::ForgetStarted(const PodView& before, const PodView& now) {
  if (started_before_.empty()) return;
  for (const ContainerView& container : before.containers) {
    const ContainerView* view = FindView(now, container.name);
    if (view == nullptr || view->id != container.id) started_before_.erase(container.id);
  }
}

Manager::Health Manager::HealthOf(const v1::Pod& pod, const v1::Container& container,
                                  const ContainerView& view, std::optional<bool> previous_started,
                                  std::optional<bool> pod_was_ready) {
  if (!view.running) return {};
  const std::string& uid = pod.metadata().uid();
  const bool survivor = IsSurvivor(view);
  if (survivor && previous_started.value_or(false) && started_before_.insert(view.id).second) {
    if (const auto it = pods_.find(uid); it != pods_.end() && it->second->pod != nullptr)
      ConsiderAll(*it->second);
  }
  Health health{.started = IsStarted(uid, container, view)};
  if (!health.started) return health;
  const std::optional<Outcome> readiness = Result(view.id, Kind::kReadiness);
  health.ready = readiness == Outcome::kSuccess || !HasWorker(uid, container, Kind::kReadiness);
  if (health.ready) return health;
  if (survivor && !readiness) health.ready = pod_was_ready.value_or(false);
  Worker* worker = FindWorker(uid, container.name(), Kind::kReadiness);
  if (worker == nullptr) return health;
  const absl::Duration now = loop_.Monotonic();
  if (worker->task != 0) {
    worker->again = true;
  } else if (worker->first_tick <= now) {
    // Not while it waits for its first tick: after a restart all pods would be probed at once.
    worker->first_tick = now;
    ProbeNow(*pods_.find(uid)->second, *worker);
  }
  return health;
}

}  // namespace cubelet::probes
