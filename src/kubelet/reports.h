// What the agent tells those who ask over HTTP and on the status socket. Pure.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/types.h"
#include "pleg/runtime_pod.h"
#include "pods/manager.h"
#include "server/status_report.h"
#include "sources/source.h"

namespace cubelet::kubelet {

// The pods with their statuses in place: what /pods lists.
std::vector<PodPtr> PodsWithStatus(const std::vector<pods::PodReport>& reports);

// Pods as the runtime has them, with their running containers: what /runningpods/ lists.
std::vector<PodPtr> RunningPods(
    const std::vector<std::shared_ptr<const pleg::RuntimePod>>& running);

struct NodeReport {
  std::string node;
  std::string version;
  std::string runtime;
  absl::Time started;
  std::vector<std::string> problems;
};
server::StatusReport MakeStatusReport(const NodeReport& node,
                                      const std::vector<pods::PodReport>& pods,
                                      const sources::Problems& manifests);

}  // namespace cubelet::kubelet
