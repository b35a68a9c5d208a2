#include "pods/crash_backoff.h"

#include <algorithm>

#include "api/codec.h"
#include "base/strings.h"

namespace cubelet::pods {
namespace {

// A delay is forgotten when the container has run this long since it was last raised.
constexpr absl::Duration kForgetAfter = absl::Seconds(600);

}  // namespace

std::string CrashBackoff::Key(const v1::Pod& pod, const v1::Container& container) {
  return StrCat(pod.metadata().uid(), "/", container.name(), "/", container.image(), "/",
                api::Serialize(api::ToJson(container.resources())));
}

std::optional<CrashBackoff::Wait> CrashBackoff::Check(const std::string& key,
                                                      absl::Time finished_at,
                                                      absl::Time now) const {
  const auto it = entries_.find(key);
  if (it == entries_.end() || finished_at - it->second.updated > kForgetAfter) return std::nullopt;
  if (now - finished_at >= it->second.delay) return std::nullopt;
  return Wait{it->second.delay, finished_at + it->second.delay};
}

void CrashBackoff::Next(const std::string& key, absl::Time finished_at, absl::Time now) {
  auto [it, added] = entries_.try_emplace(key, Entry{initial_, now});
  if (added) return;
  Entry& entry = it->second;
  entry.delay =
      finished_at - entry.updated > kForgetAfter ? initial_ : std::min(2 * entry.delay, max_);
  entry.updated = now;
}

void CrashBackoff::Collect(absl::Time now) {
  absl::erase_if(entries_,
                 [&](const auto& item) { return now - item.second.updated > 2 * kForgetAfter; });
}

}  // namespace cubelet::pods
