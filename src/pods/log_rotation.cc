#include "pods/log_rotation.h"

#include <sys/inotify.h>

#include <algorithm>
#include <utility>

#include "async/readable.h"
#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"
#include "os/files.h"
#include "pods/log_files.h"

namespace cubelet::pods {
namespace {

using async::Task;

// Nobody can fill a disk in this time, and looking more often would cost more than it saves.
constexpr absl::Duration kShortestCheck = absl::Milliseconds(50);
// The first look after a quiet log was written to: its rate is not known yet.
constexpr absl::Duration kFirstCheck = absl::Milliseconds(100);
// Rotations that follow each other faster leave no time for compressing.
constexpr absl::Duration kTimeToCompress = absl::Seconds(10);

struct Rotated {
  absl::Status moved;
  absl::Status cleaned;  // old logs deleted and compressed
  std::string path;      // what the live log is called now
};

// Makes room and moves the live log away.
Rotated MoveLog(const std::string& path, size_t keep, bool compress, absl::Time now) {
  auto rotated = CleanRotated(path);
  if (!rotated.ok()) return {rotated.status(), absl::OkStatus(), ""};
  absl::Status cleaned = DeleteOldest(*rotated, keep);
  for (const std::string& old : *rotated) {
    if (!cleaned.ok()) break;
    if (compress && !old.ends_with(".gz")) cleaned = CompressLog(old);
  }
  const std::string name = RotatedName(path, *rotated, now, absl::LocalTimeZone());
  return {os::Rename(path, name), cleaned, name};
}

}  // namespace

struct LogRotation::Log {
  std::string container_id;
  std::string path;
  int watch = -1;
  async::Loop::TimerId timer = 0;
  bool checking = false;
  int64_t bytes = 0;
  absl::Duration seen;  // monotonic time of `bytes`
  absl::Duration rotated = -absl::InfiniteDuration();
  bool failing = false;
};

absl::Duration NextLogCheck(int64_t old_bytes, int64_t new_bytes, absl::Duration elapsed,
                            int64_t max_bytes, absl::Duration interval) {
  const double grown = static_cast<double>(new_bytes - old_bytes);
  const double left = static_cast<double>(max_bytes - new_bytes);
  if (grown <= 0 || elapsed <= absl::ZeroDuration()) return interval;
  // Half of the way, as a rate can rise.
  const absl::Duration next = elapsed * (left / grown) / 2;
  return std::clamp(next, kShortestCheck, std::max(interval, kShortestCheck));
}

LogRotation::LogRotation(async::Loop& loop, async::TaskScope& scope, cri::Runtime& runtime,
                         LogRotationOptions options)
    : loop_(loop),
      scope_(scope),
      runtime_(runtime),
      options_(options),
      workers_(loop, std::max(options.max_workers, 1)) {}

LogRotation::~LogRotation() {
  for (auto& [id, log] : logs_) loop_.CancelTimer(log->timer);
}

void LogRotation::Watch(const std::string& container_id, const std::string& path) {
  if (options_.max_bytes < 0 || path.empty() || logs_.contains(container_id)) return;
  if (!reading_) {
    absl::StatusOr<os::Inotify> inotify = os::Inotify::Create();
    if (!inotify.ok()) {
      LOG_ERROR(inotify.status(), "Logs are looked at only now and then",
                {{"every", options_.monitor_interval}});
    } else {
      inotify_.emplace(*std::move(inotify));
      scope_.Spawn("log writes", ReadEvents());
    }
    reading_ = true;
  }
  auto log = std::make_unique<Log>();
  log->container_id = container_id;
  log->path = path;
  log->seen = loop_.Monotonic();
  Log& added = *(logs_[container_id] = std::move(log));
  Arm(added);
  // What was written before the watch began.
  Schedule(added, kFirstCheck);
}

void LogRotation::Forget(const std::string& container_id) {
  const auto it = logs_.find(container_id);
  if (it == logs_.end()) return;
  loop_.CancelTimer(it->second->timer);
  if (it->second->watch >= 0) {
    by_watch_.erase(it->second->watch);
    (void)inotify_->Remove(it->second->watch);
  }
  logs_.erase(it);
}

void LogRotation::Arm(Log& log) {
  if (!inotify_) return;
  absl::StatusOr<int> watch = inotify_->Add(log.path, IN_MODIFY | IN_ONESHOT);
  log.watch = watch.ok() ? *watch : -1;
  if (watch.ok()) by_watch_[*watch] = log.container_id;
}

void LogRotation::Schedule(Log& log, absl::Duration delay) {
  loop_.CancelTimer(log.timer);
  log.timer = loop_.AddTimer(
      delay, [this, id = log.container_id] { scope_.Spawn("check log", Check(id)); });
}

Task<void> LogRotation::ReadEvents() {
  while (true) {
    absl::Status ready = co_await async::WaitReadable(&loop_, inotify_->fd());
    absl::StatusOr<std::vector<os::Inotify::Event>> events = inotify_->ReadEvents();
    if (!ready.ok() || !events.ok()) {
      LOG_ERROR(FirstError(ready, events.status()), "Watching logs failed");
      co_await loop_.Sleep(absl::Seconds(1));
      continue;
    }
    for (const os::Inotify::Event& event : *events) {
      const auto it = by_watch_.find(event.watch);
      if (it == by_watch_.end() || (event.mask & IN_MODIFY) == 0) continue;
      const auto log = logs_.find(it->second);
      by_watch_.erase(it);
      if (log == logs_.end()) continue;
      log->second->watch = -1;
      if (!log->second->checking) Schedule(*log->second, kFirstCheck);
    }
  }
}

Task<void> LogRotation::Check(std::string container_id) {
  auto it = logs_.find(container_id);
  if (it == logs_.end() || it->second->checking) co_return;
  it->second->checking = true;
  const std::string path = it->second->path;
  async::Semaphore::Permit permit = co_await workers_.Acquire();
  const absl::StatusOr<struct stat> file = os::Stat(path);
  absl::Status status;
  bool rotated = false;
  if (absl::IsNotFound(file.status())) {
    status = co_await runtime_.ReopenContainerLog(container_id);
    // It went without having been seen to end.
    if (absl::IsNotFound(status)) {
      Forget(container_id);
      co_return;
    }
  } else if (!file.ok()) {
    status = file.status();
  } else if (file->st_size >= options_.max_bytes) {
    rotated = true;
    status = co_await Rotate(container_id, path);
  }
  it = logs_.find(container_id);
  if (it == logs_.end()) co_return;
  Log& log = *it->second;
  log.checking = false;
  if (!status.ok() && !log.failing)
    LOG_ERROR(status, "Log cannot be rotated, trying on", {{"path", path}});
  if (status.ok() && log.failing) LOG_INFO("Log is rotated again", {{"path", path}});
  log.failing = !status.ok();
  const absl::Duration now = loop_.Monotonic();
  const int64_t bytes = file.ok() && !rotated ? static_cast<int64_t>(file->st_size) : 0;
  const int64_t grown_from = rotated ? 0 : log.bytes;
  const int64_t grown_to = rotated ? static_cast<int64_t>(file->st_size) - log.bytes : bytes;
  const absl::Duration elapsed = now - log.seen;
  const bool quiet = status.ok() && !rotated && grown_to == grown_from;
  // A rotated log starts anew, at the rate seen so far: all of the limit is ahead of it.
  const absl::Duration next =
      NextLogCheck(grown_from, grown_to, elapsed, options_.max_bytes + (rotated ? grown_to : 0),
                   options_.monitor_interval);
  log.bytes = bytes;
  log.seen = now;
  if (log.watch < 0 && quiet) Arm(log);
  // A quiet log with a watch waits for its next write. Without one it is looked at now and then.
  if (!status.ok() || log.watch < 0) {
    Schedule(log, status.ok() ? next : options_.monitor_interval);
  } else if (!quiet) {
    Schedule(log, next);
  }
}

Task<absl::Status> LogRotation::Rotate(std::string container_id, std::string path) {
  const auto it = logs_.find(container_id);
  const bool calm = it == logs_.end() || loop_.Monotonic() - it->second->rotated > kTimeToCompress;
  if (it != logs_.end()) it->second->rotated = loop_.Monotonic();
  const size_t keep = static_cast<size_t>(std::max(options_.max_files, 2) - 2);
  const absl::Time now = loop_.Now();
  const Rotated moved =
      co_await loop_.Blocking([path, keep, calm, now] { return MoveLog(path, keep, calm, now); });
  CO_RETURN_IF_ERROR(Annotate(moved.moved, StrCat("rotate log ", path)));
  // What cannot be compressed is no reason to let the log grow on.
  if (!moved.cleaned.ok())
    LOG_ERROR(moved.cleaned, "Rotated logs cannot be cleaned", {{"path", path}});
  absl::Status status = co_await runtime_.ReopenContainerLog(container_id);
  if (!status.ok()) {
    // The runtime goes on writing into the file it has open: it must keep its name.
    (void)co_await loop_.Blocking([path, name = moved.path] { return os::Rename(name, path); });
    co_return Annotate(status, StrCat("reopen log ", path));
  }
  co_return absl::OkStatus();
}

}  // namespace cubelet::pods
