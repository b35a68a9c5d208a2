// Changes of files as the kernel tells them. No loop in here: wait until fd() is readable
// (async/readable.h), then ReadEvents.
#pragma once

#include <sys/inotify.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/fd.h"

namespace cubelet::os {

class Inotify {
 public:
  struct Event {
    int watch = -1;       // as Add gave it; -1 with IN_Q_OVERFLOW: events were lost, look again
    uint32_t mask = 0;    // IN_CREATE, IN_MOVED_TO, ..., also IN_IGNORED when the watch is gone
    uint32_t cookie = 0;  // the same for the two halves of a rename
    std::string name;     // in the watched directory; "" when it is about the watched file itself
  };

  // Error: the user's limit of inotify instances is reached (RESOURCE_EXHAUSTED).
  static absl::StatusOr<Inotify> Create();

  // Watches `path` for the events of `mask`. A path that is watched already gets the new mask and
  // keeps its number.
  absl::StatusOr<int> Add(const std::string& path, uint32_t mask);

  // Ends a watch. OK when it has ended by itself.
  absl::Status Remove(int watch);

  // All events that have come; empty when there are none. Never waits.
  absl::StatusOr<std::vector<Event>> ReadEvents();

  int fd() const { return fd_.get(); }

 private:
  explicit Inotify(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace cubelet::os
