// Removes what the runtime and the log directory hold longer than anybody needs: dead containers,
// old sandboxes, logs and links (containers.md 6, constants.md 1.4). Choosing is pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "async/loop.h"
#include "async/task.h"
#include "cri/runtime.h"
#include "paths/paths.h"
#include "pleg/runtime_pod.h"

namespace cubelet::pods {

struct Garbage {
  std::vector<pleg::ContainerRecord> containers;
  std::vector<std::string> sandbox_ids;
};

// What may go of one pod. A pod that is kept keeps the newest `max_per_container` ended instances
// of each container (at least 1) and its newest sandbox; a sandbox that some container refers to
// stays as well. Of a pod that is gone everything that does not run may go.
Garbage ChooseGarbage(const pleg::RuntimePod& runtime, bool pod_is_gone, int max_per_container);

class Collector {
 public:
  Collector(async::Loop& loop, cri::Runtime& runtime, const paths::Paths& paths)
      : loop_(loop), runtime_(runtime), paths_(paths) {}

  // Removes an ended container with its logs (when `with_logs`) and its link. NOT_FOUND is success.
  async::Task<absl::Status> RemoveContainer(std::string name_space, std::string pod_name,
                                            pleg::ContainerRecord record, bool with_logs);

  // Stops and removes a sandbox.
  async::Task<absl::Status> RemoveSandbox(std::string id);

  // Removes the containers, then the sandboxes; goes on with others of a kind after a failure, but
  // touches no sandbox before all containers are gone. Gives the first failure.
  async::Task<absl::Status> Remove(std::string name_space, std::string pod_name, Garbage garbage);

  // Removes the log directory of a pod that is gone.
  async::Task<absl::Status> RemovePodLogs(std::string name_space, std::string pod_name,
                                          std::string uid);

  // Links in /var/log/containers whose log is gone.
  async::Task<absl::Status> RemoveDeadLinks();

  // Ids of containers that have a link in /var/log/containers.
  async::Task<std::vector<std::string>> LinkedContainers();

  // UIDs of pods that have a log directory, with their directories' names.
  struct PodLogDirectory {
    std::string name_space;
    std::string pod_name;
    std::string uid;
  };
  async::Task<std::vector<PodLogDirectory>> PodLogDirectories();

 private:
  async::Loop& loop_;
  cri::Runtime& runtime_;
  const paths::Paths& paths_;
};

}  // namespace cubelet::pods
