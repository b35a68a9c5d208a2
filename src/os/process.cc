#include "os/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/clock.h"
#include "base/fd.h"
#include "base/status.h"
#include "base/strings.h"
#include "os/fault.h"
#include "os/files.h"

extern char** environ;

namespace cubelet::os {
namespace {

// How long a look takes at most where the kernel cannot tell of the end of a process (before 5.3).
constexpr absl::Duration kLookAgain = absl::Milliseconds(20);

class SpawnSettings {
 public:
  SpawnSettings() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
  }
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  // The three standard descriptors and no others; no signal blocked or ignored; its own group.
  void Prepare(int input, int output, int error_output) {
    ::posix_spawn_file_actions_adddup2(&actions_, input, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, error_output, STDERR_FILENO);
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    sigset_t none, all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }

  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// A descriptor to read `input` from: a file in memory, so that nobody has to feed a pipe.
absl::StatusOr<UniqueFd> InputFile(const std::string& input) {
  UniqueFd fd(::memfd_create("input", MFD_CLOEXEC));
  if (!fd.valid()) return ErrnoError("make a file in memory");
  RETURN_IF_ERROR(WriteAll(fd.get(), input, "a file in memory"));
  if (::lseek(fd.get(), 0, SEEK_SET) != 0) return ErrnoError("rewind a file in memory");
  // Descriptors 0 to 2 would be overwritten by their own redirection.
  UniqueFd high(::fcntl(fd.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (!high.valid()) return ErrnoError("copy a descriptor");
  return high;
}

absl::StatusOr<std::pair<UniqueFd, UniqueFd>> MakePipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return ErrnoError("make a pipe");
  const UniqueFd reader(ends[0]), writer(ends[1]);
  UniqueFd high_reader(::fcntl(ends[0], F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  UniqueFd high_writer(::fcntl(ends[1], F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (!high_reader.valid() || !high_writer.valid()) return ErrnoError("copy a descriptor");
  ::fcntl(high_reader.get(), F_SETFL, O_NONBLOCK);
  return std::pair(std::move(high_reader), std::move(high_writer));
}

class Child {
 public:
  Child(const ProcessRequest& request, UniqueFd output, UniqueFd error_output)
      : request_(request), outputs_{std::move(output), std::move(error_output)} {}
  ~Child() {
    if (running_) Kill();
  }

  absl::Status Start(const SpawnSettings& settings);
  absl::StatusOr<ProcessResult> Wait();

 private:
  void Kill();
  bool HasEnded();
  void Drain(int which);
  int PollTimeout(absl::Duration deadline) const;

  const ProcessRequest& request_;
  const SystemClock clock_;
  UniqueFd outputs_[2];
  UniqueFd pidfd_;
  pid_t pid_ = 0;
  bool running_ = false;
  ProcessResult result_;
};

absl::Status Child::Start(const SpawnSettings& settings) {
  std::vector<std::string> environment;
  if (request_.inherit_environment) {
    for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  }
  environment.insert(environment.end(), request_.environment.begin(), request_.environment.end());
  int fault = InjectedFault("exec", request_.arguments[0]);
  if (fault == 0) {
    fault = ::posix_spawnp(&pid_, request_.arguments[0].c_str(), settings.actions(),
                           settings.attributes(), Pointers(request_.arguments).data(),
                           Pointers(environment).data());
  }
  if (fault != 0) return ErrnoError(StrCat("run ", request_.arguments[0]), fault);
  running_ = true;
  pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  return absl::OkStatus();
}

void Child::Kill() {
  ::kill(-pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  running_ = false;
}

bool Child::HasEnded() {
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return false;
  running_ = false;
  result_.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  result_.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  return true;
}

// Reads what is there and keeps what fits.
void Child::Drain(int which) {
  std::string& kept = which == 0 ? result_.output : result_.error_output;
  char buffer[16 << 10];
  while (outputs_[which].valid()) {
    const ssize_t got = ::read(outputs_[which].get(), buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return outputs_[which].reset();
    const size_t room = request_.max_output_bytes - kept.size();
    kept.append(buffer, std::min(room, static_cast<size_t>(got)));
    if (static_cast<size_t>(got) > room) result_.truncated = true;
  }
}

int Child::PollTimeout(absl::Duration deadline) const {
  absl::Duration wait = deadline - clock_.Monotonic();
  if (!pidfd_.valid()) wait = std::min(wait, kLookAgain);
  if (wait == absl::InfiniteDuration()) return -1;
  const int64_t milliseconds = absl::ToInt64Milliseconds(absl::Ceil(wait, absl::Milliseconds(1)));
  return static_cast<int>(std::clamp<int64_t>(milliseconds, 0, 3'600'000));
}

absl::StatusOr<ProcessResult> Child::Wait() {
  const absl::Duration deadline = clock_.Monotonic() + request_.timeout;
  while (true) {
    const bool ended = HasEnded();
    Drain(0);
    Drain(1);
    // Grandchildren may hold the outputs open: the end of the program is the end.
    if (ended) return std::move(result_);
    if (clock_.Monotonic() >= deadline) {
      Kill();
      return absl::DeadlineExceededError(StrCat("run ", request_.arguments[0], ": killed after ",
                                                FormatGoDuration(request_.timeout)));
    }
    pollfd waits[3] = {
        {outputs_[0].get(), POLLIN, 0}, {outputs_[1].get(), POLLIN, 0}, {pidfd_.get(), POLLIN, 0}};
    ::poll(waits, 3, PollTimeout(deadline));
  }
}

}  // namespace

std::string ProcessResult::Describe() const {
  return signal != 0 ? StrCat("signal ", signal) : StrCat("exit status ", exit_code);
}

absl::StatusOr<ProcessResult> RunProcess(const ProcessRequest& request) {
  if (request.arguments.empty()) return absl::InvalidArgumentError("run a program: none is named");
  ASSIGN_OR_RETURN(UniqueFd input, InputFile(request.input));
  ASSIGN_OR_RETURN(auto output, MakePipe());
  ASSIGN_OR_RETURN(auto error_output, MakePipe());
  SpawnSettings settings;
  settings.Prepare(input.get(), output.second.get(), error_output.second.get());
  Child child(request, std::move(output.first), std::move(error_output.first));
  RETURN_IF_ERROR(child.Start(settings));
  output.second.reset();
  error_output.second.reset();
  return child.Wait();
}

}  // namespace cubelet::os
