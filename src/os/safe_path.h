// Opening what others name inside a directory of ours, without being led out of it: by links, "..",
// or links swapped while we look. openat2(2) does the work; kernels without it (before 5.6) get the
// same from a walk component by component.
//
// Paths are relative to an open directory; a leading slash is the directory itself. Everything
// blocks.
#pragma once

#include <fcntl.h>
#include <sys/types.h>

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "base/fd.h"

namespace cubelet::os {

enum class Links {
  kInside,  // links are followed as long as they stay inside; an absolute one leads out
  kAsRoot,  // the directory is "/" for links and "..", as for a process that has it as root
  kNone,    // any link is an error
};

// Opens what exists at `path` below `directory`. `flags` are open(2)'s (O_PATH, O_RDONLY,
// O_DIRECTORY, ...; nothing that creates). Errors: NOT_FOUND; PERMISSION_DENIED "... leads out of
// the directory"; FAILED_PRECONDITION for a link where none is allowed, or a file on the way.
absl::StatusOr<UniqueFd> OpenBelow(int directory, std::string_view path, int flags, Links links);

// Makes the directories of `path` that are missing and opens the last one (O_PATH). What exists is
// resolved as by OpenBelow with kInside and keeps its mode; those that are made get exactly `mode`,
// and are made in the directory that was seen, wherever links have been put since.
absl::StatusOr<UniqueFd> MakeDirectoriesBelow(int directory, std::string_view path, mode_t mode);

// The name through which an open descriptor can be used as a path.
std::string DescriptorPath(int fd);

namespace internal {

// The same as OpenBelow with what every kernel has; for it and its test.
absl::StatusOr<UniqueFd> OpenBelowByComponents(int directory, std::string_view path, int flags,
                                               Links links);

}  // namespace internal

}  // namespace cubelet::os
