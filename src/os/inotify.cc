#include "os/inotify.h"

#include <limits.h>
#include <unistd.h>

#include <cstring>

#include "base/status.h"
#include "base/strings.h"
#include "os/fault.h"

namespace cubelet::os {

absl::StatusOr<Inotify> Inotify::Create() {
  UniqueFd fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!fd.valid()) {
    const int error = errno;
    if (error == EMFILE)
      return absl::ResourceExhaustedError(
          "make an inotify instance: fs.inotify.max_user_instances is reached");
    return ErrnoError("make an inotify instance", error);
  }
  return Inotify(std::move(fd));
}

absl::StatusOr<int> Inotify::Add(const std::string& path, uint32_t mask) {
  int fault = InjectedFault("watch", path);
  int watch = -1;
  if (fault == 0) {
    watch = ::inotify_add_watch(fd_.get(), path.c_str(), mask);
    if (watch < 0) fault = errno;
  }
  if (fault == ENOSPC)
    return absl::ResourceExhaustedError(
        StrCat("watch ", path, ": fs.inotify.max_user_watches is reached"));
  if (fault != 0) return ErrnoError(StrCat("watch ", path), fault);
  return watch;
}

absl::Status Inotify::Remove(int watch) {
  if (::inotify_rm_watch(fd_.get(), watch) == 0 || errno == EINVAL) return absl::OkStatus();
  return ErrnoError(StrCat("end watch ", watch));
}

absl::StatusOr<std::vector<Inotify::Event>> Inotify::ReadEvents() {
  std::vector<Event> events;
  alignas(inotify_event) char buffer[64 * (sizeof(inotify_event) + NAME_MAX + 1)];
  while (true) {
    const ssize_t got = ::read(fd_.get(), buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return events;
    if (got < 0) return ErrnoError("read inotify events");
    for (size_t at = 0; at + sizeof(inotify_event) <= static_cast<size_t>(got);) {
      inotify_event header;
      std::memcpy(&header, buffer + at, sizeof(header));
      Event& event = events.emplace_back();
      event.watch = header.wd;
      event.mask = header.mask;
      event.cookie = header.cookie;
      // The name is padded with zeros.
      if (header.len > 0) event.name = buffer + at + sizeof(header);
      at += sizeof(header) + header.len;
    }
  }
}

}  // namespace cubelet::os
