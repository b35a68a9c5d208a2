#include "server/health.h"

#include <poll.h>

#include <algorithm>

namespace cubelet::server {
namespace {

constexpr absl::Duration kLeastSyncLoopLimit = absl::Minutes(5);
constexpr absl::Duration kLogLimit = absl::Minutes(2);

}  // namespace

absl::Status CheckSyncLoop(absl::Duration now, absl::Duration last, absl::Duration sync_frequency) {
  if (last == -absl::InfiniteDuration()) return absl::OkStatus();
  if (now - last > std::max(2 * sync_frequency, kLeastSyncLoopLimit))
    return absl::UnavailableError("sync Loop took longer than expected");
  return absl::OkStatus();
}

absl::Status LogCheck::Check(absl::Duration now) {
  pollfd entry{fd_, POLLOUT, 0};
  const bool writable =
      ::poll(&entry, 1, 0) == 1 && (entry.revents & (POLLERR | POLLHUP | POLLNVAL)) == 0;
  if (writable) {
    blocked_since_.reset();
    return absl::OkStatus();
  }
  if (!blocked_since_) blocked_since_ = now;
  if (now - *blocked_since_ < kLogLimit) return absl::OkStatus();
  return absl::UnavailableError("logging blocked");
}

}  // namespace cubelet::server
