// Probes of running containers: when each is due, what its results amount to, and what they mean
// for `started` and `ready` (probes.md). One timer per probe that can run, none for one that waits;
// a coroutine exists only while a probe is being executed.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "api/events.h"
#include "api/types.h"
#include "async/loop.h"
#include "async/scope.h"
#include "cri/runtime.h"

namespace cubelet {
class Metrics;
}

namespace cubelet::probes {

enum class Kind { kStartup, kLiveness, kReadiness };
enum class Outcome { kUnknown, kSuccess, kFailure };

struct Decision;  // of worker.h
struct Report;    // of prober.h

const char* KindName(Kind kind);  // "Startup", "Liveness", "Readiness"

// A container as the pod's worker sees it now.
struct ContainerView {
  std::string name;
  std::string id;  // runtime's id without scheme; "" when it has no instance yet
  bool running = false;
  absl::Time started_at = absl::InfinitePast();
  // It has ended and will not be started again: its probes end.
  bool ended_for_good = false;
};

struct PodView {
  std::vector<ContainerView> containers;  // regular ones and sidecars
  std::string pod_ip;                     // "" when not known yet
  bool terminal = false;                  // phase Succeeded or Failed
};

class Manager {
 public:
  // `started_at` is when this agent started (wall time): containers that run since longer than ten
  // seconds before keep what they were (probes.md 3.3, 6.1). All given must outlive the manager,
  // `scope` must be closed before it dies.
  Manager(async::Loop& loop, async::TaskScope& scope, cri::Runtime& runtime,
          api::EventRecorder& recorder, absl::Time started_at);
  ~Manager();
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  // Called when the end of a probe changed what the pod's state or plan depends on: readiness or
  // startup of a container, or its liveness for the worse. Never called from within a call to here.
  void SetOnChange(std::function<void(const std::string& uid, Kind kind)> on_change);

  // Where probes are counted (probes.md 8); nowhere before.
  void SetMetrics(Metrics* metrics);

  // Makes the pod's probes (once per uid; later calls change nothing).
  void Add(PodPtr pod);

  // Tells what the worker sees; probes of new instances start, of ended ones stop. May come before
  // Add, which then begins with it.
  void Observe(const std::string& uid, PodView view);

  // The pod is being terminated: no more liveness and startup probes of regular containers.
  void StopLivenessAndStartup(const std::string& uid);

  // Forgets the pod and ends its probes.
  void Remove(const std::string& uid);

  // The outcome kept for that instance of the container. It begins as a failure of readiness, a
  // success of liveness and an unknown startup; none without such a probe, and for an instance
  // older than this agent until the first probe has reported.
  std::optional<Outcome> Result(const std::string& container_id, Kind kind) const;

  // By container name: what the startup or readiness probe that the container waits for has said
  // when it last failed; none for probes that succeeded last.
  std::map<std::string, std::string> Failures(const std::string& uid) const;

  struct Health {
    bool started = false;
    bool ready = false;
  };
  // `started` and `ready` of a regular container or sidecar, both false unless it is running
  // (probes.md 6.1). `previous_started` is what the status said last, `pod_was_ready` its Ready
  // condition at the API server, for containers that are older than this agent; absent when no
  // status is known. A started container that is not known to be ready is probed for readiness at
  // once, out of turn (1.6).
  Health HealthOf(const v1::Pod& pod, const v1::Container& container, const ContainerView& view,
                  std::optional<bool> previous_started, std::optional<bool> pod_was_ready);

 private:
  struct Worker;
  struct PodProbes;
  struct Finished;

  // ---- The workers of a pod
  void MakeWorkers(PodProbes& pod, const v1::Container& container, bool sidecar);
  Worker* FindWorker(const std::string& uid, const std::string& container, Kind kind) const;
  Worker* FindWorker(const std::string& uid, uint64_t worker_id, PodProbes*& pod) const;
  bool HasWorker(const std::string& uid, const v1::Container& container, Kind kind) const;
  void EndWorker(const PodProbes& pod, Worker& worker);
  void ConsiderAll(PodProbes& pod);

  // ---- One worker
  // Looks, and sets the timer for the first tick at or after `from` if there is something to probe.
  // False when the worker has come to its end.
  bool Consider(PodProbes& pod, Worker& worker, absl::Duration from);
  Decision Decide(PodProbes& pod, Worker& worker);
  void OnTick(const std::string& uid, uint64_t worker_id);
  void ProbeNow(PodProbes& pod, Worker& worker);
  void Start(PodProbes& pod, Worker& worker);
  void Stop(Worker& worker);
  async::Task<void> Execute(std::string uid, uint64_t worker_id, std::string container_id);
  bool Finish(PodProbes& pod, Worker& worker, const Finished& finished);
  void Tell(const PodProbes& pod, Worker& worker, const Report& report, absl::Duration duration);
  bool TakeIn(Worker& worker, Outcome outcome);

  // ---- What is known of instances
  bool IsSurvivor(const ContainerView& view) const;
  bool IsStarted(const std::string& uid, const v1::Container& container,
                 const ContainerView& view) const;
  void Store(const std::string& container_id, Kind kind, Outcome outcome);
  void Forget(const std::string& container_id, Kind kind);
  void ForgetStarted(const PodView& before, const PodView& now);

  async::Loop& loop_;
  async::TaskScope& scope_;
  cri::Runtime& runtime_;
  api::EventRecorder& recorder_;
  const absl::Time started_at_;
  Metrics* metrics_ = nullptr;
  std::function<void(const std::string& uid, Kind kind)> on_change_;
  absl::flat_hash_map<std::string, std::unique_ptr<PodProbes>> pods_;
  // By container id; one slot per kind.
  absl::flat_hash_map<std::string, std::array<std::optional<Outcome>, 3>> results_;
  // Instances older than this agent whose status said that they had started.
  absl::flat_hash_set<std::string> started_before_;
  uint64_t last_worker_id_ = 0;
};

}  // namespace cubelet::probes
