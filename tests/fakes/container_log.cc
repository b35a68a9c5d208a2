#include "fakes/container_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

#include "base/clock.h"
#include "base/status.h"
#include "base/strings.h"

namespace cubelet::fakes {

absl::Status ContainerLog::Open(std::string path) {
  const int fd = ::open(path.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0640);
  if (fd < 0) return ErrnoError(StrCat("open log file ", path));
  fd_.reset(fd);
  path_ = std::move(path);
  return absl::OkStatus();
}

void ContainerLog::Write(absl::Time at, std::string_view text, bool to_stderr) {
  if (!fd_.valid()) return;
  std::string lines;
  while (true) {
    const size_t end = text.find('\n');
    StrAppend(&lines, FormatTimeNano(at), to_stderr ? " stderr F " : " stdout F ",
              text.substr(0, end), "\n");
    if (end == std::string_view::npos || end + 1 == text.size()) break;
    text.remove_prefix(end + 1);
  }
  [[maybe_unused]] const ssize_t written = ::write(fd_.get(), lines.data(), lines.size());
}

}  // namespace cubelet::fakes
