#include "e2e/child_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <ctime>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "base/fd.h"
#include "base/status.h"
#include "base/strings.h"
#include "os/files.h"

extern char** environ;

namespace cubelet::e2e {
namespace {

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ChildProcess>> ChildProcess::Start(
    std::vector<std::string> arguments, std::vector<std::string> environment,
    const std::string& log) {
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  ASSIGN_OR_RETURN(const UniqueFd output, os::Open(log, O_WRONLY | O_CREAT | O_APPEND, 0644));
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, output.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, output.get(), STDERR_FILENO);
  ::posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  pid_t pid = 0;
  const int fault = ::posix_spawnp(&pid, arguments[0].c_str(), &actions, nullptr,
                                   Pointers(arguments).data(), Pointers(environment).data());
  ::posix_spawn_file_actions_destroy(&actions);
  if (fault != 0) return ErrnoError(StrCat("run ", arguments[0]), fault);
  return std::unique_ptr<ChildProcess>(new ChildProcess(pid));
}

ChildProcess::~ChildProcess() {
  if (!running()) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool ChildProcess::running() {
  if (!ended_) ended_ = ::waitpid(pid_, &status_, WNOHANG) != 0;
  return !ended_;
}

absl::StatusOr<int> ChildProcess::End(int signal, absl::Duration limit) {
  if (running()) ::kill(pid_, signal);
  if (!Eventually(limit, [this] { return !running(); })) {
    ::kill(pid_, SIGKILL);
    ended_ = ::waitpid(pid_, &status_, 0) != 0;
    return absl::DeadlineExceededError(StrCat("process ", pid_, " did not end on signal ", signal));
  }
  return WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
}

absl::StatusOr<absl::Duration> ChildProcess::ProcessorTime() const {
  // The clock of a process counts in nanoseconds, /proc/<pid>/stat in hundredths of a second.
  clockid_t clock;
  timespec used{};
  if (const int fault = ::clock_getcpuclockid(pid_, &clock); fault != 0)
    return ErrnoError(StrCat("find the clock of process ", pid_), fault);
  if (::clock_gettime(clock, &used) != 0)
    return ErrnoError(StrCat("read the clock of process ", pid_));
  return absl::DurationFromTimespec(used);
}

absl::StatusOr<int64_t> ChildProcess::MemoryBytes(const std::string& kind) const {
  ASSIGN_OR_RETURN(const std::string text, os::ReadFile(StrCat("/proc/", pid_, "/smaps_rollup")));
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    int64_t kilobytes = 0;
    if (words.size() == 3 && words[0] == kind + ":" && absl::SimpleAtoi(words[1], &kilobytes))
      return kilobytes * 1024;
  }
  return absl::NotFoundError(StrCat("smaps_rollup has no ", kind));
}

absl::Duration AtMost(absl::Duration limit) {
  const char* factor = std::getenv("CUBELET_E2E_PATIENCE");
  double patience = 1;
  if (factor != nullptr && absl::SimpleAtod(factor, &patience) && patience > 1)
    return limit * patience;
  return limit;
}

absl::Duration Uptime() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return absl::DurationFromTimespec(now);
}

void Pause(absl::Duration duration) {
  const timespec time = absl::ToTimespec(duration);
  ::nanosleep(&time, nullptr);
}

}  // namespace cubelet::e2e
