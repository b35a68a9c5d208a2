// Waiting for a descriptor that others write to (inotify, netlink, a pipe).
#pragma once

#include "absl/status/status.h"
#include "async/loop.h"
#include "async/task.h"

namespace cubelet::async {

// Returns once `fd` is readable (or has ended or failed, which reading it will tell). `fd` stays
// the caller's and must stay open meanwhile. On a virtual loop the descriptor is looked at once in
// a virtual second, as nothing there waits for the world. Error: the descriptor cannot be waited
// for (a regular file).
Task<absl::Status> WaitReadable(Loop* loop, int fd);

}  // namespace cubelet::async
