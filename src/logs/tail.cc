#include "logs/tail.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "base/status.h"

namespace cubelet::logs {
namespace {

constexpr int64_t kBlock = 64 << 10;

}  // namespace

absl::StatusOr<int64_t> FindTail(int fd, int64_t size, int64_t lines) {
  if (lines <= 0) return size;
  std::vector<char> block(static_cast<size_t>(std::min(kBlock, size)));
  int64_t end = size;
  int64_t newlines = 0;
  while (end > 0) {
    const int64_t begin = std::max<int64_t>(0, end - kBlock);
    const ssize_t got = ::pread(fd, block.data(), static_cast<size_t>(end - begin), begin);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoError("read the end of the log file");
    // It is shorter by now.
    if (got < end - begin) return begin;
    for (int64_t at = end - 1; at >= begin; --at) {
      const bool newline = block[static_cast<size_t>(at - begin)] == '\n';
      // What ends the last line begins none.
      if (at == size - 1) continue;
      if (newline && ++newlines == lines) return at + 1;
    }
    end = begin;
  }
  return 0;
}

}  // namespace cubelet::logs
