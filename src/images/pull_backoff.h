// How long a failed pull is not tried again: 10 s, doubling up to 5 minutes, kept for each pod and
// image (containers.md 5.2.1). A value: it takes the time and holds no timer.
#pragma once

#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"

namespace cubelet::images {

class PullBackoff {
 public:
  PullBackoff(absl::Duration initial, absl::Duration max) : initial_(initial), max_(max) {}

  struct Hold {
    absl::Duration left;         // until the next try is due
    std::string previous_error;  // "<reason>: <message>" of the failure, "" when not known
  };

  // Set while the pull must wait. `now` is monotonic here and below.
  std::optional<Hold> Check(const std::string& uid, const std::string& image,
                            absl::Duration now) const;

  // A pull begins: what failed before it is no longer the latest news.
  void Started(const std::string& uid, const std::string& image);

  // A pull failed: the delay doubles. A failure more than twice the longest delay after the last
  // one starts anew.
  void Failed(const std::string& uid, const std::string& image, std::string error,
              absl::Duration now);

  // Drops what has expired. A success alone does not reset the delay: an image that can be pulled
  // every other time is still held back.
  void Expire(absl::Duration now);

  void ForgetPod(const std::string& uid) { pods_.erase(uid); }

  size_t pods() const { return pods_.size(); }

 private:
  struct Entry {
    absl::Duration delay;
    absl::Duration failed_at;
    std::string error;
  };
  bool Expired(const Entry& entry, absl::Duration now) const {
    return now - entry.failed_at > 2 * max_;
  }

  const absl::Duration initial_;
  const absl::Duration max_;
  // By pod uid, then by image as written in the spec.
  absl::flat_hash_map<std::string, absl::flat_hash_map<std::string, Entry>> pods_;
};

}  // namespace cubelet::images
