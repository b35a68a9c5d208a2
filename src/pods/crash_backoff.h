// How long a container that keeps ending waits before its next start (pod-lifecycle.md 7.4). Pure
// but for what it remembers; it takes the time and holds no timer.
#pragma once

#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "api/types.h"

namespace cubelet::pods {

class CrashBackoff {
 public:
  // `max` is crashLoopBackOff.maxContainerRestartPeriod or 300 s; `initial` at most `max`.
  CrashBackoff(absl::Duration initial, absl::Duration max)
      : initial_(initial < max ? initial : max), max_(max) {}

  // Equal for one container of one pod as long as its image and resources stay as they are.
  static std::string Key(const v1::Pod& pod, const v1::Container& container);

  struct Wait {
    absl::Duration delay;  // the whole delay, as messages name it
    absl::Time until;
  };
  // The newest instance ended at `finished_at`: absent when it may be started at `now`.
  std::optional<Wait> Check(const std::string& key, absl::Time finished_at, absl::Time now) const;

  // It is being started at `now`: the next delay is twice as long, or the first one again when the
  // last start was long ago.
  void Next(const std::string& key, absl::Time finished_at, absl::Time now);

  // Forgets what no container has used for twice the longest delay.
  void Collect(absl::Time now);

 private:
  struct Entry {
    absl::Duration delay;
    absl::Time updated;
  };
  const absl::Duration initial_;
  const absl::Duration max_;
  absl::flat_hash_map<std::string, Entry> entries_;
};

}  // namespace cubelet::pods
