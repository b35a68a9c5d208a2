#include "images/pull_backoff.h"

#include <algorithm>
#include <utility>

namespace cubelet::images {

std::optional<PullBackoff::Hold> PullBackoff::Check(const std::string& uid,
                                                    const std::string& image,
                                                    absl::Duration now) const {
  auto pod = pods_.find(uid);
  if (pod == pods_.end()) return std::nullopt;
  auto it = pod->second.find(image);
  if (it == pod->second.end() || Expired(it->second, now)) return std::nullopt;
  const absl::Duration left = it->second.failed_at + it->second.delay - now;
  if (left <= absl::ZeroDuration()) return std::nullopt;
  return Hold{left, it->second.error};
}

void PullBackoff::Started(const std::string& uid, const std::string& image) {
  auto pod = pods_.find(uid);
  if (pod == pods_.end()) return;
  auto it = pod->second.find(image);
  if (it != pod->second.end()) it->second.error.clear();
}

void PullBackoff::Failed(const std::string& uid, const std::string& image, std::string error,
                         absl::Duration now) {
  auto& images = pods_[uid];
  auto it = images.find(image);
  if (it == images.end() || Expired(it->second, now)) {
    images[image] = Entry{initial_, now, std::move(error)};
    return;
  }
  it->second.delay = std::min(it->second.delay * 2, max_);
  it->second.failed_at = now;
  it->second.error = std::move(error);
}

void PullBackoff::Expire(absl::Duration now) {
  for (auto pod = pods_.begin(); pod != pods_.end();) {
    absl::erase_if(pod->second, [&](const auto& item) { return Expired(item.second, now); });
    auto next = std::next(pod);
    if (pod->second.empty()) pods_.erase(pod);
    pod = next;
  }
}

}  // namespace cubelet::images
