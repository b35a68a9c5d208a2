// Keeps the logs of running containers within containerLogMaxSize and containerLogMaxFiles
// (containers.md 7.2), also under a container that writes 100 MB/s.
//
// Nothing is polled: a one-shot inotify watch tells of the first write after the last look; from
// then on the log is looked at when, at the rate seen, it can have reached its limit. A log that
// nobody writes to costs nothing.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "async/loop.h"
#include "async/scope.h"
#include "async/signal.h"
#include "cri/runtime.h"
#include "os/inotify.h"

namespace cubelet::pods {

struct LogRotationOptions {
  int64_t max_bytes = 10 << 20;  // containerLogMaxSize; negative: never rotate
  int max_files = 5;             // containerLogMaxFiles, the live one among them; at least 2
  int max_workers = 1;           // containerLogMaxWorkers
  absl::Duration monitor_interval = absl::Seconds(10);  // containerLogMonitorInterval
};

// When to look at a log again that has grown from `old_bytes` to `new_bytes` in `elapsed`: before
// it reaches `max_bytes` at that rate, between 50 ms and `interval`. Pure.
absl::Duration NextLogCheck(int64_t old_bytes, int64_t new_bytes, absl::Duration elapsed,
                            int64_t max_bytes, absl::Duration interval);

class LogRotation {
 public:
  LogRotation(async::Loop& loop, async::TaskScope& scope, cri::Runtime& runtime,
              LogRotationOptions options);
  ~LogRotation();

  // A container runs and logs to `path`. Calling it again changes nothing.
  void Watch(const std::string& container_id, const std::string& path);

  // The container has ended: its log is left as it is.
  void Forget(const std::string& container_id);

 private:
  struct Log;
  async::Task<void> ReadEvents();
  async::Task<void> Check(std::string container_id);
  async::Task<absl::Status> Rotate(std::string container_id, std::string path);
  void Arm(Log& log);
  void Schedule(Log& log, absl::Duration delay);

  async::Loop& loop_;
  async::TaskScope& scope_;
  cri::Runtime& runtime_;
  const LogRotationOptions options_;
  std::optional<os::Inotify> inotify_;  // none before the first log, or when the kernel refuses
  bool reading_ = false;
  async::Semaphore workers_;
  absl::flat_hash_map<std::string, std::unique_ptr<Log>> logs_;  // by container id
  absl::flat_hash_map<int, std::string> by_watch_;
};

}  // namespace cubelet::pods
