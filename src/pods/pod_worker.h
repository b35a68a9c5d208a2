// Drives one pod through its life: one coroutine, asleep until woken. Awake it gathers what is
// wanted and what is seen, plans, carries the plan out, reports, and sleeps again until it is woken
// or until the next deadline of its own (pod-lifecycle.md 5.4, 6, 8).
//
//   sync ──(terminal phase, or Terminate)──▶ terminating ──(nothing runs)──▶ terminated ──▶
//   finished
//
// It only ever moves to the right. All of it can be begun again at any point: what has been done is
// seen in the runtime and on disk.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "async/signal.h"
#include "async/task.h"
#include "async/timeout.h"
#include "pods/collector.h"
#include "pods/plan_executor.h"
#include "pods/pod_services.h"
#include "status/status_input.h"

namespace cubelet::pods {

// What workers share to do their work with.
struct PodTools {
  Killer& killer;
  Collector& collector;
  SandboxStarter& sandboxes;
  PlanExecutor& executor;
};

// Why and how a pod is to end.
struct Termination {
  bool deleted = false;  // the pod is gone from its source: remove all it has left behind
  bool evicted = false;  // the same for its containers, its status stays
  std::optional<int64_t> grace_seconds;
  std::optional<status::StatusOverride> status;
};

class PodWorker {
 public:
  enum class State { kSync, kTerminating, kTerminated, kFinished };

  // `runtime_only`: nobody wants the pod, it is only known from the runtime.
  PodWorker(PodServices& services, PodTools tools, PodPtr pod, bool runtime_only);

  // Runs until the pod is finished.
  async::Task<void> Run();

  void Update(PodPtr pod);

  // Cannot be undone; a later call can only shorten the grace period.
  void Terminate(Termination termination);

  void Wake() { wakeup_.Ring(); }

  // Something that its volumes are made of has changed: they are set up again.
  void RefreshVolumes() {
    refresh_volumes_ = true;
    Wake();
  }

  // Called after each change of the status.
  void SetOnStatus(std::function<void()> on_status) { on_status_ = std::move(on_status); }

  const PodPtr& pod() const { return pod_; }
  const std::string& uid() const { return uid_; }
  State state() const { return state_; }
  bool terminating() const { return termination_requested_; }
  bool deleted() const { return termination_.deleted; }
  bool runtime_only() const { return runtime_only_; }

  // It was deleted and has left nothing behind. A worker that has finished may have been told of
  // its deletion too late for that.
  bool clean() const { return clean_; }

  // Nothing is left of it but what its deletion removes: no container runs, no volume is mounted,
  // its cgroup is gone, and its status says how it ended.
  bool ended() const { return ended_; }

  // Null before the first turn.
  const std::shared_ptr<const v1::PodStatus>& status() const { return status_; }

  // What the last turn failed with, "" when it did not.
  const std::string& sync_error() const { return sync_error_; }

  // Whether that was at what comes before containers: network, cgroup, volumes, sandbox.
  bool failed_before_containers() const { return failed_before_containers_; }

  // Monotonic time of the oldest wish for a turn that has not been met; absent when there is none.
  std::optional<absl::Duration> waiting_since() const { return waiting_since_; }

 private:
  // Each gives how long to sleep: zero goes on at once, InfiniteDuration waits for a ring.
  async::Task<absl::Duration> Turn();
  async::Task<absl::Duration> Sync();
  async::Task<absl::Duration> SyncTerminating();
  async::Task<absl::Duration> SyncTerminated();

  async::Task<absl::Status> Prepare();
  async::Task<absl::Duration> Carry(Plan plan);
  async::Task<absl::Status> CollectGarbage();
  async::Task<absl::Status> RemoveRemains(bool deleted);

  async::Task<void> ReadTerminationMessages();
  void CountEnded(const pleg::ContainerRecord& record);
  void Observe();
  void WatchLogs();
  void UpdateStatus(bool terminal);
  void FillHealth(status::StatusInput& input);
  const v1::PodStatus& LastStatus() const;
  std::optional<bool> PreviouslyStarted(const std::string& container) const;
  void StoreStatus(v1::PodStatus status);
  Plan MakePlan() const;
  bool RestartingAll() const;
  absl::Duration Retry(const absl::Status& error, bool before_containers = false);
  absl::Duration UntilDeadline() const;
  absl::Duration UntilLook();
  void BeginTermination();

  PodServices& s_;
  PodTools tools_;
  const std::string uid_;
  const bool runtime_only_;
  PodPtr pod_;
  PodPtr prepared_;  // the spec that cgroup, directories and volumes were made for
  State state_ = State::kSync;
  const absl::Duration made_;  // monotonic time

  bool termination_requested_ = false;
  Termination termination_;
  int64_t grace_seconds_ = 0;
  std::shared_ptr<async::Canceller> stop_;  // ends what a sync should not go on with

  std::shared_ptr<const v1::PodStatus> status_;
  std::function<void()> on_status_;
  std::map<std::string, status::StartFailure> start_failures_;
  std::map<std::string, std::string> termination_messages_;  // by container id
  std::map<std::string, std::string> image_volumes_;
  bool deadline_told_ = false;
  bool clean_ = false;
  bool ended_ = false;
  bool refresh_volumes_ = false;
  std::string sync_error_;
  bool failed_before_containers_ = false;
  bool look_again_ = false;  // the next turn asks the runtime whether or not it has told something
  absl::Duration look_delay_;

  async::Wakeup wakeup_;
  std::optional<absl::Duration> waiting_since_;
};

}  // namespace cubelet::pods
