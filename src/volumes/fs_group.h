// Giving a volume to the pod's group (volumes.md 5).
#pragma once

#include <sys/types.h>

#include <string>

#include "absl/status/status.h"

namespace cubelet::volumes {

// The mode a file (with its type, S_IFMT) gets: readable and, unless `read_only`, writable for the
// group; directories also pass the group on and can be entered.
mode_t FsGroupMode(mode_t mode, bool read_only);

// Walks the whole volume, giving everything to `group` and widening modes. Links are given too,
// what they lead to is not; mounts inside are left alone. Nothing is written where nothing changes.
// Blocks. Goes on after an error and returns the first.
absl::Status ApplyFsGroup(const std::string& volume, gid_t group, bool read_only);

}  // namespace cubelet::volumes
