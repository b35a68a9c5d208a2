#include "e2e/isolation.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_split.h"
#include "base/fd.h"
#include "base/status.h"
#include "base/strings.h"
#include "e2e/child_process.h"
#include "os/files.h"
#include "os/process.h"
#include "os/tree.h"

namespace cubelet::e2e {
namespace {

constexpr char kNodeAddress[] = "10.213.255.1";
constexpr int kUnableCode = 77;

absl::Status RunTool(std::vector<std::string> arguments) {
  os::ProcessRequest request;
  request.arguments = std::move(arguments);
  request.timeout = absl::Seconds(10);
  ASSIGN_OR_RETURN(const os::ProcessResult result, os::RunProcess(request));
  if (result.ok()) return absl::OkStatus();
  return absl::InternalError(
      StrCat(request.arguments[0], ": ", result.Describe(), ": ", result.error_output));
}

// The hierarchies' directories in which a cgroup of the name is made.
std::vector<std::string> CgroupDirectories() {
  const std::string root = "/sys/fs/cgroup";
  if (::access((root + "/cgroup.controllers").c_str(), F_OK) == 0) return {root};
  std::vector<std::string> directories;
  const auto names = os::ListDirectory(root);
  if (!names.ok()) return {};
  for (const std::string& name : *names) {
    if (name != "unified") directories.push_back(StrCat(root, "/", name));
  }
  return directories;
}

// On cgroup v2 a cgroup has the controllers that the one above gives it.
absl::Status GiveControllersOn(const std::string& directory) {
  const auto controllers = os::ReadFile(directory + "/cgroup.controllers");
  if (absl::IsNotFound(controllers.status())) return absl::OkStatus();
  RETURN_IF_ERROR(controllers.status());
  std::string wanted;
  for (const absl::string_view controller :
       absl::StrSplit(*controllers, absl::ByAnyChar(" \n"), absl::SkipEmpty()))
    StrAppend(&wanted, "+", controller, " ");
  const std::string path = directory + "/cgroup.subtree_control";
  ASSIGN_OR_RETURN(const UniqueFd file, os::Open(path, O_WRONLY));
  return os::WriteAll(file.get(), wanted, path);
}

// Mounts made here reach the pods' namespaces and nothing outside.
absl::Status MakeMountsOwn() {
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return ErrnoError("make mounts private");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_SHARED, nullptr) != 0)
    return ErrnoError("make mounts shared");
  if (::mount("proc", "/proc", "proc", 0, nullptr) != 0) return ErrnoError("mount /proc");
  return absl::OkStatus();
}

absl::Status MakeNetwork() {
  RETURN_IF_ERROR(RunTool({"ip", "link", "set", "lo", "up"}));
  return RunTool({"ip", "address", "add", StrCat(kNodeAddress, "/32"), "dev", "lo"});
}

// The first process of the namespace: reaps what is orphaned until the body has ended.
[[noreturn]] void ReapUntilEnd(pid_t body) {
  while (true) {
    int status = 0;
    const pid_t ended = ::wait(&status);
    if (ended == body) _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    if (ended < 0 && errno == ECHILD) _exit(1);
  }
}

[[noreturn]] void EnterAndRun(const World& world, const std::function<int(const World&)>& body) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  absl::Status status = ::unshare(CLONE_NEWNS | CLONE_NEWNET) == 0
                            ? absl::OkStatus()
                            : ErrnoError("leave the machine's namespaces");
  if (status.ok()) status = MakeMountsOwn();
  if (status.ok()) status = MakeNetwork();
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", std::string(Message(status)).c_str());
    _exit(kUnableCode);
  }
  const pid_t pid = ::fork();
  if (pid > 0) ReapUntilEnd(pid);
  const int code = pid == 0 ? body(world) : 1;
  std::fflush(nullptr);
  _exit(code);
}

// The exit code of `child`; SIGINT and SIGTERM end it.
int WaitFor(pid_t child, const sigset_t& signals) {
  int status = 0;
  while (::waitpid(child, &status, WNOHANG) == 0) {
    const int signal = ::sigwaitinfo(&signals, nullptr);
    if (signal == SIGINT || signal == SIGTERM) ::kill(child, SIGKILL);
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// The deepest first; control files are no obstacle.
void RemoveCgroup(const std::string& path) {
  const auto names = os::ListDirectory(path);
  if (!names.ok()) return;
  for (const std::string& name : *names) RemoveCgroup(StrCat(path, "/", name));
  // The last of its processes may just be ending.
  (void)Eventually(absl::Seconds(5), [&] { return os::RemoveDirectory(path).ok(); });
}

void RemoveCgroups(const std::string& prefix) {
  std::vector<std::string> parents = CgroupDirectories();
  // runc makes cgroups there, too, where the machine has both versions.
  parents.emplace_back("/sys/fs/cgroup/unified");
  for (const std::string& parent : parents) {
    const auto names = os::ListDirectory(parent);
    if (!names.ok()) continue;
    for (const std::string& name : *names) {
      if (name.starts_with(prefix)) RemoveCgroup(StrCat(parent, "/", name));
    }
  }
}

}  // namespace

absl::Status MakeCgroup(const std::string& name) {
  for (const std::string& parent : CgroupDirectories()) {
    RETURN_IF_ERROR(GiveControllersOn(parent));
    RETURN_IF_ERROR(os::MakeDirectories(StrCat(parent, "/", name), 0755));
  }
  return absl::OkStatus();
}

int RunIsolated(const std::string& name, bool keep, const std::function<int(const World&)>& body,
                const std::function<int(const std::string& why)>& unable) {
  if (::geteuid() != 0) return unable("needs root");
  std::string directory = StrCat("/tmp/cubelet-", name, ".XXXXXX");
  if (::mkdtemp(directory.data()) == nullptr) return unable("cannot make a directory in /tmp");
  const World world{directory, os::BaseName(directory), kNodeAddress};

  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGCHLD, SIGINT, SIGTERM}) sigaddset(&signals, signal);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  std::fflush(nullptr);
  if (::unshare(CLONE_NEWPID) != 0) return unable("cannot make a namespace of processes");
  const pid_t child = ::fork();
  if (child == 0) EnterAndRun(world, body);
  if (child < 0) return unable("cannot fork");
  const int code = WaitFor(child, signals);
  if (code == kUnableCode) {
    (void)os::RemoveDirectory(directory);
    return unable("cannot make namespaces of mounts and network");
  }

  // All processes and mounts are gone.
  RemoveCgroups(world.cgroup_prefix);
  if (code == 0 && !keep) {
    (void)os::RemoveTree(directory);
  } else {
    std::fprintf(stderr, "the node's files are in %s\n", directory.c_str());
  }
  return code;
}

}  // namespace cubelet::e2e
