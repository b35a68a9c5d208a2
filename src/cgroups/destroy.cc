#include "cgroups/destroy.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/numbers.h"
#include "base/fd.h"
#include "base/status.h"
#include "base/strings.h"
#include "cgroups/driver.h"
#include "cgroups/hierarchy.h"
#include "cgroups/kernel_files.h"
#include "os/fault.h"
#include "os/files.h"
#include "os/tree.h"

namespace cubelet::cgroups {
namespace {

// 1 + 2 + 4 + ... + 512 ms: about a second.
constexpr int kFirstWaitMs = 1;
constexpr int kLastWaitMs = 512;

// A list of all processes that a kernel can have.
constexpr size_t kMaxProcsBytes = 64 << 20;

// Waits on a thread of the pool, where the loop's time does not reach; the kernel tells nobody when
// a v1 cgroup is empty.
void Wait(int milliseconds) { ::poll(nullptr, 0, milliseconds); }

absl::Status KillProcesses(int directory, const std::string& path) {
  const UniqueFd fd(::openat(directory, kProcs, O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return ErrnoError(StrCat("open ", path));
  ASSIGN_OR_RETURN(const std::string text, os::ReadAll(fd.get(), kMaxProcsBytes, path));
  for (const std::string& word : Words(text)) {
    pid_t pid = 0;
    // 0 stands for a process of another pid namespace: as an argument it would mean our own group.
    if (!absl::SimpleAtoi(word, &pid) || pid <= 1 || pid == ::getpid())
      return absl::FailedPreconditionError(
          StrCat("kill what runs in ", path, ": process ", word, " is not ours to kill"));
    if (::kill(pid, SIGKILL) != 0 && errno != ESRCH)
      return ErrnoError(StrCat("kill process ", pid, " of ", path));
  }
  return absl::OkStatus();
}

// A frozen process does not die before it is thawed.
absl::Status Thaw(int directory, const std::string& path) {
  const UniqueFd fd(::openat(directory, kV1FreezerState, O_WRONLY | O_CLOEXEC));
  if (!fd.valid()) return ErrnoError(StrCat("open ", path));
  return os::WriteAll(fd.get(), kV1Thawed, path);
}

absl::Status KillInside(const std::string& directory) {
  const absl::Status killed = WriteValue(directory, kKill, "1");
  if (!absl::IsNotFound(killed)) return killed;
  return os::WalkTree(directory, os::MountsInside::kSkip,
                      [](const os::TreeEntry& entry, std::string_view path) {
                        const std::string_view name = entry.name;
                        if (name == kProcs)
                          return KillProcesses(entry.directory_fd, std::string(path));
                        if (name == kV1FreezerState)
                          return Thaw(entry.directory_fd, std::string(path));
                        return absl::OkStatus();
                      });
}

absl::Status RemovalError(int error, std::string_view path) {
  if (error == 0 || error == ENOENT) return absl::OkStatus();
  if (error != EBUSY) return ErrnoError(StrCat("rmdir ", path), error);
  return absl::UnavailableError(StrCat("rmdir ", path, ": ", std::strerror(error)));
}

bool IsBusy(const absl::Status& status) { return absl::IsUnavailable(status); }

// Removes one cgroup without anything below it. The kernel takes its files away with it.
absl::Status RemoveCgroup(int parent, const char* name, std::string_view path) {
  int error = os::InjectedFault("rmdir", path);
  if (error == 0 && ::unlinkat(parent, name, AT_REMOVEDIR) != 0) error = errno;
  return RemovalError(error, path);
}

// Removes the cgroup and those below it, the deepest first. Most are empty when this is called, so
// that is tried before the tree is walked.
absl::Status RemoveTree(const std::string& directory) {
  const absl::Status status = RemoveCgroup(AT_FDCWD, directory.c_str(), directory);
  if (!IsBusy(status)) return status;
  return os::WalkTree(
      directory, os::MountsInside::kSkip, [](const os::TreeEntry& entry, std::string_view path) {
        return S_ISDIR(entry.mode) ? RemoveCgroup(entry.directory_fd, entry.name, path)
                                   : absl::OkStatus();
      });
}

// One round over all directories; the first error, of which being busy is the least.
absl::Status RemoveOnce(const std::vector<std::string>& directories) {
  absl::Status busy;
  for (const std::string& directory : directories) {
    const absl::Status status = RemoveTree(directory);
    if (!status.ok() && !IsBusy(status)) return status;
    busy = FirstError(busy, status);
  }
  return busy;
}

}  // namespace

absl::Status DestroyCgroup(const std::vector<std::string>& directories) {
  absl::Status status = RemoveOnce(directories);
  for (int wait_ms = kFirstWaitMs; IsBusy(status) && wait_ms <= kLastWaitMs; wait_ms *= 2) {
    // In each round, as what is being killed may fork until it is dead.
    for (const std::string& directory : directories) {
      ASSIGN_OR_RETURN(const bool exists, os::Exists(directory));
      if (exists) RETURN_IF_ERROR(KillInside(directory));
    }
    Wait(wait_ms);
    status = RemoveOnce(directories);
  }
  return status;
}

}  // namespace cubelet::cgroups
