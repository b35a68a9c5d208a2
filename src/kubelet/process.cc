#include "kubelet/process.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"
#include "os/files.h"

namespace cubelet::kubelet {
namespace {

// Kernel files take the value in one write.
absl::Status WriteKernelFile(const std::string& path, int64_t value) {
  ASSIGN_OR_RETURN(const UniqueFd file, os::Open(path, O_WRONLY));
  return os::WriteAll(file.get(), StrCat(value), path);
}

void SetOomScore(int32_t score) {
  absl::Status status = WriteKernelFile("/proc/self/oom_score_adj", score);
  if (!status.ok()) LOG_WARNING("The OOM score cannot be set", {{"err", Message(status)}});
}

void SetMaxOpenFiles(int64_t files) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t wanted = static_cast<rlim_t>(files);
  limit.rlim_max = std::max(limit.rlim_max, wanted);
  limit.rlim_cur = wanted;
  if (::setrlimit(RLIMIT_NOFILE, &limit) == 0) return;
  // Without the right to raise the hard limit, what there is has to do.
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::min(limit.rlim_max, wanted);
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

const std::vector<KernelSetting>& KernelSettings() {
  static const std::vector<KernelSetting> settings = {
      {"vm/overcommit_memory", 1},
      {"vm/panic_on_oom", 0},
      {"kernel/panic", 10},
      {"kernel/panic_on_oops", 1},
      {"kernel/keys/root_maxkeys", 1000000},
      {"kernel/keys/root_maxbytes", 25000000},
  };
  return settings;
}

absl::Status ApplyKernelSettings(const std::string& proc_sys, bool protect) {
  std::vector<std::string> wrong;
  for (const KernelSetting& setting : KernelSettings()) {
    const std::string path = os::JoinPath(proc_sys, setting.name);
    absl::StatusOr<std::string> text = os::ReadFile(path, 64);
    int64_t value = 0;
    if (!text.ok() || !absl::SimpleAtoi(absl::StripAsciiWhitespace(*text), &value)) {
      if (protect) wrong.push_back(StrCat("cannot read kernel flag: ", setting.name));
      continue;
    }
    if (value == setting.value) continue;
    if (protect) {
      wrong.push_back(StrCat("invalid kernel flag: ", setting.name,
                             ", expected value: ", setting.value, ", actual value: ", value));
      continue;
    }
    absl::Status status = WriteKernelFile(path, setting.value);
    if (!status.ok())
      LOG_WARNING("A kernel flag cannot be set",
                  {{"flag", setting.name}, {"value", setting.value}, {"err", Message(status)}});
  }
  if (wrong.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      wrong.size() == 1 ? wrong.front() : StrCat("[", absl::StrJoin(wrong, ", "), "]"));
}

bool HasActiveSwap(std::string_view proc_swaps) {
  const std::vector<absl::string_view> lines =
      absl::StrSplit(ToAbsl(proc_swaps), '\n', absl::SkipWhitespace());
  return lines.size() > 1;  // the first one names the columns
}

absl::Status CheckCgroupVersion(const config::Config& config, bool cgroup_v2) {
  if (cgroup_v2 || !config.kubelet.failcgroupv1()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "this node has cgroup v1, and failCgroupV1 is true: use cgroup v2, or set failCgroupV1 to "
      "false");
}

absl::Status PrepareProcess(const config::Config& config) {
  if (config.kubelet.failswapon()) {
    absl::StatusOr<std::string> swaps = os::ReadFile("/proc/swaps");
    if (swaps.ok() && HasActiveSwap(*swaps))
      return absl::FailedPreconditionError(
          "running with swap on is not supported, please disable swap or set --fail-swap-on flag "
          "to false");
  }
  SetMaxOpenFiles(config.kubelet.maxopenfiles());
  SetOomScore(config.kubelet.oomscoreadj());
  return ApplyKernelSettings("/proc/sys", config.kubelet.protectkerneldefaults());
}

}  // namespace cubelet::kubelet
