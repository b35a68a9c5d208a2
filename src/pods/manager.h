// All pods of the node: takes what the sources want, admits it, runs a worker for each, and clears
// away what nobody wants any more (pod-lifecycle.md 1.6, 1.7, 4.1, 5, 5.8).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "async/scope.h"
#include "async/task.h"
#include "pods/census.h"
#include "pods/mirror_pods.h"
#include "pods/pod_report.h"
#include "pods/pod_services.h"
#include "pods/pod_worker.h"
#include "pods/status_reporter.h"
#include "sources/merge.h"

namespace cubelet::pods {

struct Rejection {
  std::string reason;
  std::string message;
};

struct ManagerOptions {
  std::vector<std::string> sources;  // names of the configured ones: none is missing before cleanup
  absl::Duration crash_backoff_initial = absl::Seconds(10);
  absl::Duration crash_backoff_max = absl::Seconds(300);
  // Refuses a pod, given the others that are active.
  std::function<std::optional<Rejection>(PodPtr pod, std::vector<PodPtr> others)> admit;
};

// What speaks with the API server for the pods.
struct ApiSide {
  StatusReporter& reporter;
  MirrorPods& mirrors;
};

class Manager {
 public:
  // `api` is null where there is no API server; otherwise it outlives the manager.
  Manager(PodServices& services, ManagerOptions options, ApiSide* api);
  ~Manager();

  // Lists the runtime until that succeeds once; then workers run. Ends with the scope.
  void Start(async::TaskScope& scope);

  // The set of a source. Until it has been complete once, pods that nobody wants are left alone.
  void Deliver(const std::string& source, std::vector<PodPtr> pods, bool complete = true);

  // The runtime is there again, or has a network again: whoever waits tries at once.
  void WakeAll();

  // Something that the pod's volumes or variables are made of has changed.
  void RefreshVolumes(const std::string& uid);

  // Ends a pod ahead of its source's will (eviction, shutdown).
  void Terminate(const std::string& uid, Termination termination);

  std::vector<PodReport> Reports() const;

  // All pods that the runtime holds something of, and those of them that run.
  std::vector<std::shared_ptr<const pleg::RuntimePod>> Seen() const { return s_.cache.All(); }
  std::shared_ptr<const pleg::RuntimePod> Seen(const std::string& uid) const {
    return s_.cache.Get(uid);
  }
  std::vector<std::shared_ptr<const pleg::RuntimePod>> Running() const;

  PodCensus Census() const;

  // Every source has delivered and the runtime has been listed.
  bool Ready() const;

  // OK while pods are synced: no worker has been kept waiting for its turn for too long.
  absl::Status CheckSyncing() const;

  void SetOnStatus(std::function<void(const std::string& uid)> on_status);

 private:
  struct Tools;
  struct Entry;

  async::Task<void> Begin();
  async::Task<void> RunWorker(std::string uid);
  async::Task<void> LookAt(std::string uid);
  async::Task<void> CleanUp();
  async::Task<absl::Status> RemoveOrphans();
  async::Task<void> SetBurstableShares(uint64_t shares);

  void DeliverMirrors(const sources::Changes& changes);
  void DeliverCopies(const sources::Changes& changes);
  void MirrorChanged(const std::string& full_name, const PodPtr& mirror);
  void WantMirror(const std::string& full_name);
  void Tell(const std::string& uid);
  PodReport ReportOf(const Entry& entry) const;
  void Add(PodPtr pod);
  void Update(PodPtr pod);
  void Remove(const PodPtr& pod);
  void Reject(Entry& entry, const Rejection& rejection);
  void StartWorker(const std::string& uid, bool runtime_only);
  void StartNext(const std::string& full_name);
  void WorkerEnded(const std::string& uid);
  void RuntimeChanged(const std::string& uid);
  void EndStranger(const std::string& uid);
  void BecomeReady();
  void UpdateQosClasses();
  std::vector<PodPtr> ActivePods(const std::string& except_uid) const;

  PodServices& s_;
  const ManagerOptions options_;
  ApiSide* const api_;
  std::unique_ptr<Tools> tools_;
  async::TaskScope* scope_ = nullptr;
  std::function<void(const std::string&)> on_status_;

  std::map<std::string, sources::KnownPods> known_;  // by source
  std::set<std::string> delivered_;
  bool listed_ = false;
  bool ready_ = false;

  std::map<std::string, std::unique_ptr<Entry>> pods_;  // by uid
  // Static pods of one full name run one after another: uids in the order they came.
  std::map<std::string, std::vector<std::string>> queues_;
  std::set<std::string> looked_at_;  // uids without a worker that are asked about now
  std::optional<uint64_t> burstable_shares_;
};

}  // namespace cubelet::pods
