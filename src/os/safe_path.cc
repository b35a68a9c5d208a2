#include "os/safe_path.h"

#include <limits.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <deque>
#include <vector>

#include "absl/strings/str_split.h"
#include "base/status.h"
#include "base/strings.h"
#include "os/fault.h"

namespace cubelet::os {
namespace {

constexpr int kMaxLinks = 40;      // as the kernel allows
constexpr size_t kMaxDepth = 512;  // descriptors a walk by components may hold
constexpr int kMaxRetries = 16;    // of openat2, which gives up when something is renamed meanwhile

absl::Status LeadsOut(std::string_view path) {
  return absl::PermissionDeniedError(StrCat("open ", path, ": leads out of the directory"));
}

// The components of `path` but empty ones and ".".
std::deque<std::string> Split(std::string_view path) {
  std::deque<std::string> parts;
  for (absl::string_view part : absl::StrSplit(ToAbsl(path), '/', absl::SkipEmpty())) {
    if (part != ".") parts.emplace_back(part);
  }
  return parts;
}

absl::Status OpenError(std::string_view path, int error) {
  if (error == EXDEV) return LeadsOut(path);
  return ErrnoError(StrCat("open ", path), error);
}

uint64_t ResolveFlags(Links links) {
  switch (links) {
    case Links::kInside:
      return RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    case Links::kAsRoot:
      return RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    case Links::kNone:
      return RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS;
  }
}

// Resolves a path with one descriptor per level, so that ".." never asks the file system.
class ComponentWalk {
 public:
  ComponentWalk(int directory, std::string_view path, Links links)
      : path_(path), links_(links), todo_(Split(path)) {
    stack_.emplace_back(::fcntl(directory, F_DUPFD_CLOEXEC, 0));
  }

  // The O_PATH descriptor of what the path leads to.
  absl::StatusOr<UniqueFd> Run() {
    if (!stack_.back().valid()) return OpenError(path_, errno);
    while (!todo_.empty()) {
      const std::string part = std::move(todo_.front());
      todo_.pop_front();
      RETURN_IF_ERROR(part == ".." ? Up() : Down(part));
    }
    return std::move(stack_.back());
  }

 private:
  absl::Status Up() {
    if (stack_.size() > 1) {
      stack_.pop_back();
    } else if (links_ != Links::kAsRoot) {
      return LeadsOut(path_);
    }
    return absl::OkStatus();
  }

  absl::Status Down(const std::string& name) {
    if (stack_.size() > kMaxDepth) return OpenError(path_, ENAMETOOLONG);
    UniqueFd next(::openat(stack_.back().get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!next.valid()) return OpenError(path_, errno);
    struct stat info;
    if (::fstat(next.get(), &info) != 0) return OpenError(path_, errno);
    if (S_ISLNK(info.st_mode)) return Follow(next.get());
    stack_.push_back(std::move(next));
    return absl::OkStatus();
  }

  absl::Status Follow(int link) {
    if (links_ == Links::kNone || ++followed_ > kMaxLinks) return OpenError(path_, ELOOP);
    std::string target(PATH_MAX, '\0');
    const ssize_t length = ::readlinkat(link, "", target.data(), target.size());
    if (length < 0) return OpenError(path_, errno);
    target.resize(static_cast<size_t>(length));
    if (target.starts_with('/')) {
      if (links_ != Links::kAsRoot) return LeadsOut(path_);
      stack_.resize(1);
    }
    std::deque<std::string> parts = Split(target);
    todo_.insert(todo_.begin(), parts.begin(), parts.end());
    return absl::OkStatus();
  }

  const std::string path_;
  const Links links_;
  std::deque<std::string> todo_;
  std::vector<UniqueFd> stack_;
  int followed_ = 0;
};

}  // namespace

std::string DescriptorPath(int fd) { return StrCat("/proc/self/fd/", fd); }

namespace internal {

absl::StatusOr<UniqueFd> OpenBelowByComponents(int directory, std::string_view path, int flags,
                                               Links links) {
  ASSIGN_OR_RETURN(UniqueFd found, ComponentWalk(directory, path, links).Run());
  if ((flags & O_PATH) != 0 && (flags & O_DIRECTORY) == 0) return found;
  UniqueFd opened(::open(DescriptorPath(found.get()).c_str(), (flags & ~O_NOFOLLOW) | O_CLOEXEC));
  if (!opened.valid()) return OpenError(path, errno);
  return opened;
}

}  // namespace internal

absl::StatusOr<UniqueFd> OpenBelow(int directory, std::string_view path, int flags, Links links) {
  if (const int fault = InjectedFault("open", path); fault != 0) return OpenError(path, fault);
  // A leading slash would mean the root of the machine to openat2.
  const size_t start = path.find_first_not_of('/');
  const std::string relative(start == std::string_view::npos ? "." : path.substr(start));
  struct open_how how = {};
  how.flags = static_cast<uint64_t>(flags | O_CLOEXEC);
  how.resolve = ResolveFlags(links);
  for (int retry = 0; retry < kMaxRetries; ++retry) {
    const long fd = ::syscall(SYS_openat2, directory, relative.c_str(), &how, sizeof(how));
    if (fd >= 0) return UniqueFd(static_cast<int>(fd));
    if (errno == EAGAIN || errno == EINTR) continue;
    // EPERM: a filter of system calls that does not know openat2.
    if (errno == ENOSYS || errno == EPERM) break;
    return OpenError(path, errno);
  }
  return internal::OpenBelowByComponents(directory, relative, flags, links);
}

absl::StatusOr<UniqueFd> MakeDirectoriesBelow(int directory, std::string_view path, mode_t mode) {
  const std::deque<std::string> parts = Split(path);
  for (const std::string& part : parts) {
    if (part == "..") return LeadsOut(path);
  }
  ASSIGN_OR_RETURN(UniqueFd current,
                   OpenBelow(directory, ".", O_PATH | O_DIRECTORY, Links::kInside));
  // As far as it exists, links included; from there on each step is made or must be a directory.
  std::string prefix;
  size_t next = 0;
  for (; next < parts.size(); ++next) {
    const std::string longer = StrCat(prefix, next == 0 ? "" : "/", parts[next]);
    absl::StatusOr<UniqueFd> found =
        OpenBelow(directory, longer, O_PATH | O_DIRECTORY, Links::kInside);
    if (absl::IsNotFound(found.status())) break;
    RETURN_IF_ERROR(found.status());
    prefix = longer;
    current = *std::move(found);
  }
  for (; next < parts.size(); ++next) {
    const char* name = parts[next].c_str();
    int fault = InjectedFault("mkdir", path);
    if (fault == 0 && ::mkdirat(current.get(), name, mode & 0777) != 0 && errno != EEXIST)
      fault = errno;
    if (fault != 0) return ErrnoError(StrCat("mkdir ", path), fault);
    UniqueFd made(::openat(current.get(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!made.valid()) return OpenError(path, errno);
    if (::fchmod(made.get(), mode & 07777) != 0) return ErrnoError(StrCat("chmod ", path));
    current = std::move(made);
  }
  return current;
}

}  // namespace cubelet::os
