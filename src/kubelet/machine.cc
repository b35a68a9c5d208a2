#include "kubelet/machine.h"

#include <sys/statvfs.h>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "base/status.h"
#include "base/strings.h"
#include "node/addresses.h"
#include "os/files.h"
#include "os/machine.h"

namespace cubelet::kubelet {
namespace {

// Containers may not learn of, or be slowed by, the host's thermal events.
std::vector<std::string> ThermalThrottlePaths(int64_t cpu_count) {
  std::vector<std::string> paths;
  for (int64_t cpu = 0; cpu < cpu_count; ++cpu) {
    const std::string path = StrCat("/sys/devices/system/cpu/cpu", cpu, "/thermal_throttle");
    if (os::Stat(path).ok()) paths.push_back(path);
  }
  return paths;
}

bool SwapIsLimited(bool cgroup_v2) {
  if (!cgroup_v2) return os::Stat("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes").ok();
  auto own = os::ReadFile("/proc/self/cgroup", 64 << 10);
  if (!own.ok() || !absl::StartsWith(*own, "0::")) return false;
  const std::string path(absl::StripAsciiWhitespace(absl::string_view(*own).substr(3)));
  return os::Stat(StrCat("/sys/fs/cgroup", path == "/" ? "/init.scope" : path, "/memory.swap.max"))
      .ok();
}

bool IsYes(const std::string& path) {
  auto text = os::ReadFile(path, 64);
  return text.ok() && !text->empty() && (*text)[0] == 'Y';
}

}  // namespace

absl::StatusOr<Machine> ReadMachine(const config::Config& config) {
  Machine machine;
  machine.node_name = absl::AsciiStrToLower(absl::StripAsciiWhitespace(
      config.flags.hostname_override.empty() ? os::HostName() : config.flags.hostname_override));
  if (machine.node_name.empty())
    return absl::InvalidArgumentError("empty hostname is invalid: set one, or --hostname-override");
  ASSIGN_OR_RETURN(machine.node_ip, node::ParseNodeIp(config.flags.node_ip));
  ASSIGN_OR_RETURN(machine.node_ips, node::ReadNodeIps(machine.node_name, machine.node_ip));
  machine.primary_ipv6 = machine.node_ip.prefer_ipv6;
  ASSIGN_OR_RETURN(machine.cpu_count, os::CountCpus());
  ASSIGN_OR_RETURN(const os::MemoryFacts memory, os::ReadMemInfo());
  machine.memory_bytes = memory.total_bytes;
  machine.swap_bytes = memory.swap_total_bytes;
  ASSIGN_OR_RETURN(const std::vector<os::HugePageSize> pages, os::ReadHugePageSizes());
  for (const os::HugePageSize& size : pages)
    machine.hugepages.emplace_back(size.page_bytes, size.page_bytes * size.pages);
  ASSIGN_OR_RETURN(machine.max_tasks, os::ReadMaxTasks());
  struct statvfs filesystem;
  if (::statvfs(config.flags.root_dir.c_str(), &filesystem) == 0)
    machine.root_filesystem_bytes =
        static_cast<int64_t>(filesystem.f_blocks) * static_cast<int64_t>(filesystem.f_frsize);
  machine.cgroup_v2 = config::DetectHost().cgroup_v2;
  machine.swap_controller = SwapIsLimited(machine.cgroup_v2);
  machine.apparmor = IsYes("/sys/module/apparmor/parameters/enabled");
  machine.selinux = os::Stat("/sys/fs/selinux/enforce").ok();
  machine.kernel_release = os::KernelReleaseText();
  machine.thermal_throttle_paths = ThermalThrottlePaths(machine.cpu_count);
  return machine;
}

}  // namespace cubelet::kubelet
