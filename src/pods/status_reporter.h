// Tells the API server what has become of its pods, and lets them go when they have ended
// (pod-lifecycle.md 11). One request at a time for each pod; what changes meanwhile is told next.
//
// A patch is made against the server's copy as the watch has brought it, or as the last patch has
// left it: nothing is asked for before it is told. The patch carries the pod's UID, so it cannot
// meet another pod of that name, and only what differs, so it cannot undo what others wrote.
#pragma once

#include <memory>
#include <string>

#include "absl/container/btree_map.h"
#include "absl/time/time.h"
#include "api/types.h"
#include "async/loop.h"
#include "async/scope.h"
#include "async/task.h"
#include "base/metrics.h"
#include "kube/client.h"
#include "pods/pod_report.h"

namespace cubelet::pods {

class StatusReporter {
 public:
  // `client` outlives the reporter; `scope` is closed before it dies.
  StatusReporter(async::Loop& loop, async::TaskScope& scope, kube::Client* client,
                 Metrics& metrics);
  ~StatusReporter();

  // The server's copy of a pod: where the statuses of `uid` go. For a static pod that is its
  // mirror, under the uid of the static pod.
  void ServerHas(const std::string& uid, PodPtr copy);
  void ServerLost(const std::string& uid);

  // The pod as this node sees it now.
  void Report(const PodReport& report);

  // Pods whose last status the server has not taken yet.
  size_t unsent() const;

 private:
  struct Entry;

  Entry* Find(const std::string& uid);
  Entry& Make(const std::string& uid);
  void ForgetUnlessStatic(const std::string& uid, const Entry& entry);
  void Wake(const std::string& uid, Entry& entry);
  async::Task<void> WakeAfter(std::string uid, absl::Duration wait);
  async::Task<void> Send(std::string uid);
  async::Task<absl::Status> SendOnce(std::string uid);
  static bool MayLetGo(const Entry& entry);
  async::Task<absl::Status> LetGo(PodPtr copy);

  async::Loop& loop_;
  async::TaskScope& scope_;
  kube::Client* const client_;
  Metrics& metrics_;
  absl::btree_map<std::string, std::unique_ptr<Entry>> entries_;
};

}  // namespace cubelet::pods
