// Where the last lines of a file begin.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"

namespace cubelet::logs {

// The offset of the last `lines` lines of the open file, which is `size` bytes long, read from its
// end in blocks. A last line without a newline counts. Blocks. Error: the file cannot be read.
absl::StatusOr<int64_t> FindTail(int fd, int64_t size, int64_t lines);

}  // namespace cubelet::logs
