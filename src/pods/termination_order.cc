#include "pods/termination_order.h"

#include <algorithm>

#include "api/pod.h"

namespace cubelet::pods {

TerminationOrder::TerminationOrder(async::Loop& loop, const v1::Pod& pod,
                                   const std::vector<std::string>& running)
    : loop_(loop), changed_(loop), running_(running.begin(), running.end()) {
  std::vector<std::string> regular;
  for (const v1::Container& container : pod.spec().containers())
    regular.push_back(container.name());
  std::string behind;
  for (int i = pod.spec().initcontainers_size() - 1; i >= 0; --i) {
    const v1::Container& container = pod.spec().initcontainers(i);
    if (!api::IsSidecar(container)) continue;
    has_sidecars_ = true;
    std::vector<std::string> before = regular;
    if (!behind.empty()) before.push_back(behind);
    prerequisites_[container.name()] = std::move(before);
    behind = container.name();
  }
}

bool TerminationOrder::IsTurnOf(const std::string& container) const {
  const auto it = prerequisites_.find(container);
  if (it == prerequisites_.end()) return true;
  return std::none_of(it->second.begin(), it->second.end(),
                      [&](const std::string& name) { return running_.contains(name); });
}

async::Task<absl::Duration> TerminationOrder::WaitForTurn(std::string container,
                                                          absl::Duration limit) {
  const absl::Duration start = loop_.Monotonic();
  while (!IsTurnOf(container)) {
    const absl::Duration left = start + limit - loop_.Monotonic();
    if (left <= absl::ZeroDuration()) break;
    co_await changed_.WaitFor(left);
  }
  co_return loop_.Monotonic() - start;
}

void TerminationOrder::Ended(const std::string& container) {
  running_.erase(container);
  changed_.Notify();
}

}  // namespace cubelet::pods
