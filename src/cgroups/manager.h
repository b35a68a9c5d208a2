// The cgroups the agent itself keeps: kubepods, one per class of service, one per pod. Containers'
// own cgroups are the runtime's.
//
// Calls write kernel files and may block: run them through async::Loop::Blocking. A manager holds
// no state that changes after its making, so calls may run on any thread; calls for one pod must
// not overlap.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "api/pod.h"

namespace cubelet::cgroups {

// What a cgroup is given; what is absent is left as it is.
struct Resources {
  std::optional<uint64_t> cpu_shares;   // 2..262144; on v2 turned into a weight (constants.md 4.4)
  std::optional<int64_t> cpu_quota_us;  // -1: none
  std::optional<uint64_t> cpu_period_us;
  std::optional<int64_t> memory_limit_bytes;
  std::optional<int64_t> pids_limit;               // -1: none
  std::map<std::string, int64_t> hugepage_limits;  // by page size as the kernel names it: "2MB"
};

struct PodCgroup {
  std::string uid;
  api::QosClass qos;
};

class Manager {
 public:
  virtual ~Manager() = default;

  // Whether the machine has the unified hierarchy (cgroup v2).
  virtual bool IsV2() const = 0;

  // "/kubepods/burstable/pod<uid>": what the runtime is given as cgroup_parent.
  virtual std::string PodPath(const std::string& uid, api::QosClass qos) const = 0;

  // Makes kubepods, burstable and besteffort, with the limits of `node` on kubepods. Idempotent.
  // Error: the cgroup root does not exist, or a controller that it misses, named.
  virtual absl::Status EnsureRoots(const Resources& node) = 0;

  // The weight of the Burstable class: the sum of its pods' cpu requests.
  virtual absl::Status SetBurstableShares(uint64_t cpu_shares) = 0;

  virtual bool PodExists(const std::string& uid, api::QosClass qos) const = 0;

  // Makes the pod's cgroup in every controller and applies `resources`. Idempotent.
  virtual absl::Status EnsurePod(const std::string& uid, api::QosClass qos,
                                 const Resources& resources) = 0;

  // Kills what still runs inside and removes the cgroup with all below it, in every class. OK when
  // there is none. Waits about a second at most for the kernel to let go, then UNAVAILABLE, which
  // names the directory that is still busy: call again.
  virtual absl::Status DestroyPod(const std::string& uid) = 0;

  virtual absl::StatusOr<std::vector<PodCgroup>> ListPods() const = 0;
};

struct Options {
  std::string cgroup_root = "/";  // cgroupRoot
  // Where the hierarchies are mounted; found in the mount table when empty.
  std::string mount_root = "/sys/fs/cgroup";
};

// The cgroupfs driver for the hierarchy this machine has. Error: neither v1 nor v2 found, or a
// controller that is needed is missing (v1: cpu, cpuacct, cpuset, memory; v2: cpu, cpuset, memory,
// pids, and hugetlb below a root that has it). On v1 hugetlb and pids may be missing until a limit
// asks for them.
absl::StatusOr<std::unique_ptr<Manager>> CreateCgroupfsManager(const Options& options);

// cpu shares of a request in millicores: 2..262144.
uint64_t SharesOf(int64_t cpu_millis);
// cpu.weight of shares, as the kubelet (not the runtime) computes it.
uint64_t WeightOf(uint64_t cpu_shares);
// cfs quota of a limit in millicores: 0 for none, at least 1000.
int64_t QuotaOf(int64_t cpu_millis, int64_t period_us);

// What a pod's cgroup gets (containers.md 4.8). `pids_limit` <= 0: none. `hugepage_sizes`: the
// node's ("2MB"), each gets a limit.
struct PodResourceOptions {
  bool enforce_cpu_limits = true;  // cpuCFSQuota
  uint64_t cpu_period_us = 100000;
  int64_t pids_limit = -1;
  std::vector<std::string> hugepage_sizes;
};
Resources PodResources(const v1::Pod& pod, const PodResourceOptions& options);

}  // namespace cubelet::cgroups
