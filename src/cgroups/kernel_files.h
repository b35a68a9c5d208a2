// The kernel's names for the files of a cgroup and for its controllers. No other place spells them.
#pragma once

namespace cubelet::cgroups {

// ---- In every cgroup
inline constexpr char kProcs[] = "cgroup.procs";

// ---- Core files of v2
inline constexpr char kControllers[] = "cgroup.controllers";
inline constexpr char kSubtreeControl[] = "cgroup.subtree_control";
inline constexpr char kKill[] = "cgroup.kill";  // since 5.14

// ---- cpu
inline constexpr char kV1CpuShares[] = "cpu.shares";
inline constexpr char kV1CpuQuota[] = "cpu.cfs_quota_us";
inline constexpr char kV1CpuPeriod[] = "cpu.cfs_period_us";
inline constexpr char kV2CpuWeight[] = "cpu.weight";
inline constexpr char kV2CpuMax[] = "cpu.max";

// ---- cpuset
inline constexpr char kCpusetCpus[] = "cpuset.cpus";
inline constexpr char kCpusetMems[] = "cpuset.mems";

// ---- memory
inline constexpr char kV1MemoryLimit[] = "memory.limit_in_bytes";
inline constexpr char kV2MemoryMax[] = "memory.max";

// ---- pids
inline constexpr char kPidsMax[] = "pids.max";

// ---- hugetlb: "hugetlb.<size><ending>"; reservations have files of their own since 5.7
inline constexpr char kHugetlbPrefix[] = "hugetlb.";
inline constexpr char kV1HugetlbLimit[] = ".limit_in_bytes";
inline constexpr char kV1HugetlbReservedLimit[] = ".rsvd.limit_in_bytes";
inline constexpr char kV2HugetlbMax[] = ".max";
inline constexpr char kV2HugetlbReservedMax[] = ".rsvd.max";

// ---- freezer of v1
inline constexpr char kV1FreezerState[] = "freezer.state";
inline constexpr char kV1Thawed[] = "THAWED";

// ---- What v2 writes for "no limit"
inline constexpr char kMax[] = "max";

// ---- Controllers
inline constexpr char kCpu[] = "cpu";
inline constexpr char kCpuacct[] = "cpuacct";
inline constexpr char kCpuset[] = "cpuset";
inline constexpr char kMemory[] = "memory";
inline constexpr char kPids[] = "pids";
inline constexpr char kHugetlb[] = "hugetlb";
inline constexpr char kSystemd[] = "name=systemd";  // the service manager's tree of v1

}  // namespace cubelet::cgroups
