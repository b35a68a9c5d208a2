#include "pods/manager.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "api/pod.h"
#include "async/backoff.h"
#include "base/check.h"
#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"
#include "pods/container_starter.h"
#include "status/pod_status.h"

namespace cubelet::pods {
namespace {

using async::Task;

// A worker that has waited longer for its turn than any step may take is stuck.
constexpr absl::Duration kSyncLimit = absl::Minutes(5);

}  // namespace

struct Manager::Tools {
  Tools(PodServices& services, absl::Duration backoff_initial, absl::Duration backoff_max)
      : backoff(backoff_initial, backoff_max),
        hooks(services.loop, services.runtime, services.events, services.metrics),
        killer(services.loop, services.runtime, services.cache, hooks, services.events),
        collector(services.loop, services.runtime, services.paths),
        containers(services, backoff, hooks, killer),
        sandboxes(services),
        executor(services, containers, sandboxes, killer, collector) {}

  CrashBackoff backoff;
  Hooks hooks;
  Killer killer;
  Collector collector;
  ContainerStarter containers;
  SandboxStarter sandboxes;
  PlanExecutor executor;
};

struct Manager::Entry {
  PodPtr pod;
  // Of a pod that was refused, or has ended; while a worker runs, the worker has it.
  std::shared_ptr<const v1::PodStatus> status;
  std::unique_ptr<PodWorker> worker;
  absl::Duration first_seen;  // monotonic time
  bool finished = false;      // its worker has run to the end
  bool removed = false;       // its source does not want it any more
  PodPtr restart;             // wanted again under the same uid while it was ending
};

Manager::Manager(PodServices& services, ManagerOptions options, ApiSide* api)
    : s_(services),
      options_(std::move(options)),
      api_(api),
      tools_(std::make_unique<Tools>(services, options_.crash_backoff_initial,
                                     options_.crash_backoff_max)) {
  s_.cache.SetOnChange([this](const std::string& uid) { RuntimeChanged(uid); });
  s_.cache.SetOnRecovered([this] { WakeAll(); });
  s_.probes.SetOnChange([this](const std::string& uid, probes::Kind) {
    const auto it = pods_.find(uid);
    if (it != pods_.end() && it->second->worker) it->second->worker->Wake();
  });
}

Manager::~Manager() = default;

void Manager::Start(async::TaskScope& scope) {
  scope_ = &scope;
  scope.Spawn("first listing", Begin());
}

void Manager::SetOnStatus(std::function<void(const std::string&)> on_status) {
  on_status_ = std::move(on_status);
}

bool Manager::Ready() const {
  return listed_ && std::all_of(options_.sources.begin(), options_.sources.end(),
                                [&](const std::string& name) { return delivered_.contains(name); });
}

// Without knowing what runs, nothing may be started: the same container could run twice.
Task<void> Manager::Begin() {
  async::Backoff backoff(absl::Milliseconds(100), absl::Seconds(5));
  bool told = false;
  s_.cache.Remember(co_await tools_->collector.LinkedContainers());
  while (true) {
    absl::Status status = co_await s_.cache.Relist();
    if (status.ok()) break;
    if (!std::exchange(told, true))
      LOG_ERROR(status, "Waiting for the container runtime before pods are started");
    co_await s_.loop.Sleep(backoff.Next());
  }
  listed_ = true;
  s_.cache.Start(*scope_);
  for (const auto& [uid, entry] : pods_) {
    if (!entry->worker && !entry->finished && !api::IsStatic(*entry->pod))
      StartWorker(uid, /*runtime_only=*/false);
  }
  std::vector<std::string> names;
  for (const auto& [name, queue] : queues_) names.push_back(name);
  for (const std::string& name : names) StartNext(name);
  if (Ready()) BecomeReady();
}

void Manager::Deliver(const std::string& source, std::vector<PodPtr> pods, bool complete) {
  sources::Changes changes = sources::Merge(source, known_[source], pods, s_.loop.Now());
  known_[source] = std::move(changes.known);
  if (source == api::kApiSource && api_ != nullptr) {
    DeliverMirrors(changes);
    for (auto* some : {&changes.removed, &changes.added, &changes.updated, &changes.deleted,
                       &changes.reconciled})
      std::erase_if(*some, [](const PodPtr& pod) { return api::IsMirror(*pod); });
    DeliverCopies(changes);
  }
  for (const sources::Duplicate& duplicate : changes.duplicates)
    s_.events.Record(api::ReferenceTo(*duplicate.pod), api::EventType::kWarning, "FailedValidation",
                     duplicate.message);
  for (const PodPtr& pod : changes.removed) Remove(pod);
  std::sort(changes.added.begin(), changes.added.end(), [](const auto& a, const auto& b) {
    return std::pair(a->metadata().creationtimestamp().seconds(), a->metadata().name()) <
           std::pair(b->metadata().creationtimestamp().seconds(), b->metadata().name());
  });
  for (const PodPtr& pod : changes.added) Add(pod);
  for (const PodPtr& pod : changes.updated) Update(pod);
  for (const PodPtr& pod : changes.deleted) Update(pod);
  if (complete) delivered_.insert(source);
  if (!changes.empty()) UpdateQosClasses();
  if (Ready()) BecomeReady();
}

void Manager::DeliverMirrors(const sources::Changes& changes) {
  for (const PodPtr& pod : changes.removed) {
    // Another one of its name may be there already.
    const std::string name = api::FullName(*pod);
    const PodPtr mirror = api_->mirrors.Find(name);
    if (api::IsMirror(*pod) && (!mirror || mirror->metadata().uid() == pod->metadata().uid()))
      MirrorChanged(name, nullptr);
  }
  for (const auto* some : {&changes.added, &changes.updated, &changes.deleted, &changes.reconciled})
    for (const PodPtr& pod : *some) {
      if (api::IsMirror(*pod)) MirrorChanged(api::FullName(*pod), pod);
    }
}

void Manager::MirrorChanged(const std::string& full_name, const PodPtr& mirror) {
  api_->mirrors.ServerHas(full_name, mirror);
  WantMirror(full_name);
}

// The server's copies, for the statuses that are told against them.
void Manager::DeliverCopies(const sources::Changes& changes) {
  for (const PodPtr& pod : changes.removed) api_->reporter.ServerLost(pod->metadata().uid());
  for (const auto* some : {&changes.added, &changes.updated, &changes.deleted, &changes.reconciled})
    for (const PodPtr& pod : *some) api_->reporter.ServerHas(pod->metadata().uid(), pod);
}

// Of static pods of one name the first is the one that the server shows.
void Manager::WantMirror(const std::string& full_name) {
  if (api_ == nullptr) return;
  const auto queue = queues_.find(full_name);
  const auto entry = queue == queues_.end() ? pods_.end() : pods_.find(queue->second.front());
  if (entry == pods_.end()) {
    api_->mirrors.Want(full_name, nullptr);
    return;
  }
  const PodPtr pod = entry->second->pod;
  api_->mirrors.Want(full_name, pod);
  const PodPtr mirror = api_->mirrors.Find(full_name);
  if (mirror && IsMirrorOf(*mirror, *pod)) {
    api_->reporter.ServerHas(pod->metadata().uid(), mirror);
  } else {
    api_->reporter.ServerLost(pod->metadata().uid());
  }
}

PodReport Manager::ReportOf(const Entry& entry) const {
  PodReport report;
  report.pod = entry.pod;
  report.status = entry.worker ? entry.worker->status() : entry.status;
  if (!report.status) report.status = std::make_shared<const v1::PodStatus>(entry.pod->status());
  report.finished = entry.finished;
  if (!entry.worker) return report;
  report.circumstances = {entry.worker->sync_error(), entry.worker->failed_before_containers(),
                          s_.probes.Failures(entry.pod->metadata().uid())};
  report.terminating = entry.worker->terminating();
  report.may_run = entry.worker->state() == PodWorker::State::kSync ||
                   entry.worker->state() == PodWorker::State::kTerminating;
  report.finished = entry.worker->ended();
  return report;
}

// The status of a pod has changed, or what it means has.
void Manager::Tell(const std::string& uid) {
  const auto it = pods_.find(uid);
  if (it != pods_.end() && api_ != nullptr) {
    const Entry& entry = *it->second;
    const bool known = entry.worker ? !entry.worker->runtime_only() && entry.worker->status()
                                    : entry.status != nullptr;
    if (known) api_->reporter.Report(ReportOf(entry));
  }
  if (on_status_) on_status_(uid);
}

std::vector<PodPtr> Manager::ActivePods(const std::string& except_uid) const {
  std::vector<PodPtr> active;
  for (const auto& [uid, entry] : pods_) {
    if (uid == except_uid || entry->finished || entry->removed) continue;
    if (api::IsTerminal(*entry->pod) && !(entry->worker && entry->worker->terminating())) continue;
    if (entry->worker &&
        (entry->worker->runtime_only() || entry->worker->state() == PodWorker::State::kTerminated))
      continue;
    active.push_back(entry->pod);
  }
  return active;
}

void Manager::Add(PodPtr pod) {
  const std::string uid = pod->metadata().uid();
  const auto known = pods_.find(uid);
  if (known != pods_.end() && !known->second->finished) {
    // The same uid is still ending (a fixed uid in a manifest, or found in the runtime before its
    // source spoke): it starts again when that is done.
    known->second->restart = std::move(pod);
    return;
  }
  LOG_INFO("Pod added", {{"pod", api::PodKey(*pod)}, {"podUID", uid}});
  auto entry = std::make_unique<Entry>();
  entry->pod = pod;
  entry->first_seen = s_.loop.Monotonic();
  s_.metrics.Observe("kubelet_containers_per_pod_count", {}, pod->spec().containers_size());
  Entry& added = *(pods_[uid] = std::move(entry));
  const bool ends = pod->metadata().has_deletiontimestamp() || api::IsTerminal(*pod);
  if (options_.admit && !ends) {
    if (auto rejection = options_.admit(pod, ActivePods(uid))) {
      Reject(added, *rejection);
      return;
    }
  }
  if (api::IsStatic(*pod)) {
    const std::string name = api::FullName(*pod);
    queues_[name].push_back(uid);
    WantMirror(name);
    StartNext(name);
  } else if (listed_) {
    StartWorker(uid, /*runtime_only=*/false);
  }
}

void Manager::Reject(Entry& entry, const Rejection& rejection) {
  s_.events.Record(api::ReferenceTo(*entry.pod), api::EventType::kWarning, rejection.reason,
                   rejection.message);
  entry.status = std::make_shared<const v1::PodStatus>(
      status::MakeRejectedStatus(*entry.pod, rejection.reason, rejection.message));
  entry.finished = true;
  const std::string uid = entry.pod->metadata().uid();
  // What an earlier agent had admitted may run: it ends.
  if (listed_ && s_.cache.Get(uid)) RuntimeChanged(uid);
  Tell(uid);
}

void Manager::Update(PodPtr pod) {
  const auto it = pods_.find(pod->metadata().uid());
  if (it == pods_.end()) return;
  Entry& entry = *it->second;
  if (entry.restart) {
    entry.restart = std::move(pod);
    return;
  }
  entry.pod = pod;
  if (!entry.worker) return;
  entry.worker->Update(pod);
  if (pod->metadata().has_deletiontimestamp()) entry.worker->Terminate({.deleted = true});
}

void Manager::Remove(const PodPtr& pod) {
  const std::string uid = pod->metadata().uid();
  const auto it = pods_.find(uid);
  if (it == pods_.end()) return;
  Entry& entry = *it->second;
  LOG_INFO("Pod removed", {{"pod", api::PodKey(*pod)}, {"podUID", uid}});
  if (entry.restart) {
    entry.restart = nullptr;
    return;
  }
  entry.removed = true;
  if (entry.worker) {
    entry.worker->Terminate({.deleted = true});
  } else if (entry.finished && listed_) {
    // It had ended before: what it has left behind goes now.
    entry.finished = false;
    StartWorker(uid, /*runtime_only=*/true);
  } else {
    // It never started.
    WorkerEnded(uid);
  }
}

void Manager::StartNext(const std::string& full_name) {
  if (!listed_) return;
  const auto it = queues_.find(full_name);
  if (it == queues_.end() || it->second.empty()) return;
  const std::string uid = it->second.front();
  const auto pod = pods_.find(uid);
  if (pod != pods_.end() && !pod->second->worker && !pod->second->finished)
    StartWorker(uid, /*runtime_only=*/false);
}

void Manager::StartWorker(const std::string& uid, bool runtime_only) {
  Entry& entry = *pods_.at(uid);
  CHECK(entry.worker == nullptr);
  if (!runtime_only)
    s_.metrics.Observe("kubelet_pod_worker_start_duration_seconds", {},
                       absl::ToDoubleSeconds(s_.loop.Monotonic() - entry.first_seen));
  entry.worker = std::make_unique<PodWorker>(
      s_, PodTools{tools_->killer, tools_->collector, tools_->sandboxes, tools_->executor},
      entry.pod, runtime_only);
  entry.worker->SetOnStatus([this, uid] { Tell(uid); });
  if (!runtime_only && entry.pod->metadata().has_deletiontimestamp()) {
    entry.worker->Terminate({.deleted = true});
  } else if (!runtime_only && api::IsTerminal(*entry.pod)) {
    entry.worker->Terminate({});
  }
  scope_->Spawn(StrCat("pod ", api::PodKey(*entry.pod)), RunWorker(uid));
}

Task<void> Manager::RunWorker(std::string uid) {
  co_await pods_.at(uid)->worker->Run();
  // Not from within the worker's own coroutine: the worker goes with it.
  s_.loop.Post([this, uid] { WorkerEnded(uid); });
}

void Manager::WorkerEnded(const std::string& uid) {
  const auto it = pods_.find(uid);
  if (it == pods_.end()) return;
  Entry& entry = *it->second;
  if (entry.worker && !entry.worker->runtime_only()) entry.status = entry.worker->status();
  const bool gone = entry.removed || (entry.worker && entry.worker->deleted());
  if (gone && entry.worker && !entry.worker->clean()) {
    entry.worker.reset();
    StartWorker(uid, /*runtime_only=*/true);
    return;
  }
  const std::string name = api::FullName(*entry.pod);
  const PodPtr restart = entry.restart;
  entry.worker.reset();
  entry.finished = true;
  const auto queue = queues_.find(name);
  const bool had_turn = queue != queues_.end();
  // A pod that has ended by itself keeps its place until its source lets it go: one of the same
  // name that came later still may start.
  if (queue != queues_.end()) {
    std::erase(queue->second, uid);
    if (queue->second.empty()) queues_.erase(queue);
  }
  Tell(uid);
  if (gone) {
    pods_.erase(it);
    UpdateQosClasses();
  }
  if (restart && gone) {
    s_.metrics.Count("kubelet_restarted_pods_total", {api::IsStatic(*restart) ? "true" : ""});
    Add(restart);
  }
  if (had_turn) WantMirror(name);
  StartNext(name);
}

void Manager::RuntimeChanged(const std::string& uid) {
  const auto it = pods_.find(uid);
  if (it != pods_.end() && it->second->worker) {
    it->second->worker->Wake();
    return;
  }
  // One that waits for another of its name is looked at when it begins.
  if (!ready_ || (it != pods_.end() && !it->second->finished)) return;
  if (!s_.cache.IsStale(uid)) {
    EndStranger(uid);
  } else if (looked_at_.insert(uid).second) {
    scope_->Spawn("look at pod", LookAt(uid));
  }
}

// No worker asks the runtime about this pod.
Task<void> Manager::LookAt(std::string uid) {
  async::Backoff backoff(absl::Seconds(1), absl::Minutes(1));
  while (s_.cache.IsStale(uid)) {
    const absl::Status seen = co_await s_.cache.Refresh(uid);
    if (seen.ok()) break;
    co_await s_.loop.Sleep(backoff.Next());
  }
  looked_at_.erase(uid);
  RuntimeChanged(uid);
}

// Of a pod that has ended, or was refused, or that nobody wants, nothing may run.
void Manager::EndStranger(const std::string& uid) {
  const std::shared_ptr<const pleg::RuntimePod> runtime = s_.cache.Get(uid);
  if (!runtime) return;
  const auto it = pods_.find(uid);
  if (it != pods_.end()) {
    if (!runtime->AnyRunning()) return;
    it->second->finished = false;
    StartWorker(uid, /*runtime_only=*/false);
    it->second->worker->Terminate({});
    return;
  }
  LOG_INFO("Killing a pod that only the runtime knows",
           {{"pod", StrCat(runtime->name_space, "/", runtime->name)}, {"podUID", uid}});
  s_.metrics.Count("kubelet_orphaned_runtime_pods_total");
  auto entry = std::make_unique<Entry>();
  entry->pod = PodFromRuntime(*runtime);
  entry->removed = true;
  pods_[uid] = std::move(entry);
  StartWorker(uid, /*runtime_only=*/true);
}

void Manager::BecomeReady() {
  if (std::exchange(ready_, true)) return;
  if (api_ != nullptr) api_->mirrors.AllowRemoval();
  for (const auto& runtime : s_.cache.All()) RuntimeChanged(runtime->uid);
  scope_->Spawn("clean up", CleanUp());
}

// Removes what earlier lives of the agent have left: directories, logs and cgroups of pods that are
// neither wanted nor run. Later ones are removed by their own workers.
Task<void> Manager::CleanUp() {
  async::Backoff backoff(absl::Seconds(2), absl::Minutes(2));
  std::string last;
  while (true) {
    absl::Status status = co_await RemoveOrphans();
    if (status.ok()) break;
    if (Message(status) != last) LOG_ERROR(status, "Cleaning up after earlier pods failed");
    last = std::string(Message(status));
    co_await s_.loop.Sleep(backoff.Next());
  }
  if (!last.empty()) LOG_INFO("Cleaned up after earlier pods");
}

Task<absl::Status> Manager::RemoveOrphans() {
  absl::Status result;
  auto is_orphan = [this](const std::string& uid) {
    return !pods_.contains(uid) && s_.cache.Get(uid) == nullptr;
  };
  if (s_.settings.cgroups_per_qos) {
    cgroups::Manager* cgroups = &s_.cgroups;
    auto listed = co_await s_.loop.Blocking([cgroups] { return cgroups->ListPods(); });
    result = FirstError(result, listed.status());
    if (listed.ok()) {
      for (const cgroups::PodCgroup& cgroup : *listed) {
        if (!is_orphan(cgroup.uid)) continue;
        absl::Status status = co_await s_.loop.Blocking(
            [cgroups, uid = cgroup.uid] { return cgroups->DestroyPod(uid); });
        result = FirstError(result, status);
      }
    }
  }
  auto directories = co_await s_.volumes.PodsOnDisk();
  result = FirstError(result, directories.status());
  if (directories.ok()) {
    for (const std::string& uid : *directories) {
      if (!is_orphan(uid)) continue;
      absl::Status status = co_await s_.volumes.RemovePodDirectory(uid);
      result = FirstError(result, Annotate(status, StrCat("orphaned pod ", uid)));
    }
  }
  const std::vector<Collector::PodLogDirectory> logs =
      co_await tools_->collector.PodLogDirectories();
  for (const Collector::PodLogDirectory& directory : logs) {
    if (!is_orphan(directory.uid)) continue;
    absl::Status status = co_await tools_->collector.RemovePodLogs(
        directory.name_space, directory.pod_name, directory.uid);
    result = FirstError(result, status);
  }
  absl::Status links = co_await tools_->collector.RemoveDeadLinks();
  co_return FirstError(result, links);
}

void Manager::WakeAll() {
  for (const auto& [uid, entry] : pods_) {
    if (entry->worker) entry->worker->Wake();
  }
}

void Manager::RefreshVolumes(const std::string& uid) {
  const auto it = pods_.find(uid);
  if (it != pods_.end() && it->second->worker) it->second->worker->RefreshVolumes();
}

void Manager::Terminate(const std::string& uid, Termination termination) {
  const auto it = pods_.find(uid);
  if (it != pods_.end() && it->second->worker)
    it->second->worker->Terminate(std::move(termination));
}

std::vector<PodReport> Manager::Reports() const {
  std::vector<PodReport> reports;
  for (const auto& [uid, entry] : pods_) {
    if (entry->worker && entry->worker->runtime_only()) continue;
    reports.push_back(ReportOf(*entry));
  }
  return reports;
}

std::vector<std::shared_ptr<const pleg::RuntimePod>> Manager::Running() const {
  std::vector<std::shared_ptr<const pleg::RuntimePod>> running;
  for (auto& pod : s_.cache.All()) {
    if (pod->AnyRunning()) running.push_back(pod);
  }
  return running;
}

PodCensus Manager::Census() const {
  PodCensus census;
  const auto kind_of = [](const v1::Pod& pod) {
    return api::IsStatic(pod) ? PodCensus::kStatic : PodCensus::kFromApi;
  };
  for (const PodPtr& pod : ActivePods("")) ++census.active[kind_of(*pod)];
  for (const auto& [uid, entry] : pods_) {
    const PodCensus::Kind kind = kind_of(*entry->pod);
    if (!entry->removed) ++census.desired[kind];
    census.ephemeral_containers += entry->pod->spec().ephemeralcontainers_size();
    if (!entry->worker) continue;
    PodCensus::Lifecycle lifecycle = PodCensus::kTerminated;
    if (entry->worker->state() == PodWorker::State::kSync) lifecycle = PodCensus::kSync;
    if (entry->worker->state() == PodWorker::State::kTerminating)
      lifecycle = PodCensus::kTerminating;
    const PodCensus::Config config = entry->worker->runtime_only() ? PodCensus::kRuntimeOnly
                                     : entry->removed              ? PodCensus::kOrphan
                                                                   : PodCensus::kDesired;
    ++census.working[lifecycle][config][kind];
  }
  return census;
}

absl::Status Manager::CheckSyncing() const {
  const absl::Duration now = s_.loop.Monotonic();
  for (const auto& [uid, entry] : pods_) {
    if (!entry->worker) continue;
    const std::optional<absl::Duration> since = entry->worker->waiting_since();
    if (since && now - *since > kSyncLimit)
      return absl::UnavailableError(StrCat("pod ", api::PodKey(*entry->pod),
                                           " has not been synced for ",
                                           FormatGoDuration(now - *since)));
  }
  return absl::OkStatus();
}

// The Burstable class gets the sum of what its pods ask for.
void Manager::UpdateQosClasses() {
  if (!s_.settings.cgroups_per_qos || scope_ == nullptr) return;
  int64_t millis = 0;
  for (const PodPtr& pod : ActivePods("")) {
    if (api::GetQosClass(*pod) != api::QosClass::kBurstable) continue;
    const api::ResourceAmounts requests = api::PodRequests(*pod);
    const auto cpu = requests.find("cpu");
    if (cpu != requests.end()) millis += cpu->second.MilliValue();
  }
  const uint64_t shares = cgroups::SharesOf(millis);
  if (burstable_shares_ == shares) return;
  burstable_shares_ = shares;
  scope_->Spawn("class shares", SetBurstableShares(shares));
}

Task<void> Manager::SetBurstableShares(uint64_t shares) {
  cgroups::Manager* cgroups = &s_.cgroups;
  absl::Status status =
      co_await s_.loop.Blocking([cgroups, shares] { return cgroups->SetBurstableShares(shares); });
  if (!status.ok()) LOG_ERROR(status, "Failed to update the weight of the Burstable class");
}

}  // namespace cubelet::pods
