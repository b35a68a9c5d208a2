#include "fakes/faults.h"

#include <algorithm>
#include <utility>

namespace cubelet::fakes {
namespace {

bool IsList(const std::string& method) { return method.starts_with("List"); }

}  // namespace

void FaultPlan::Script(std::string method, Fault fault, int times) {
  std::deque<Fault>& queue = scripted_[std::move(method)];
  queue.insert(queue.end(), static_cast<size_t>(times), fault);
}

void FaultPlan::Quiet() {
  rates_ = {};
  methods_.clear();
  scripted_.clear();
}

const FaultRates& FaultPlan::RatesOf(const std::string& method) const {
  auto it = methods_.find(method);
  return it == methods_.end() ? rates_ : it->second;
}

Fault FaultPlan::ForCall(const std::string& method) {
  if (auto it = scripted_.find(method); it != scripted_.end() && !it->second.empty()) {
    Fault fault = std::move(it->second.front());
    it->second.pop_front();
    ++injected_;
    return fault;
  }
  const FaultRates& rates = RatesOf(method);
  Fault fault;
  if (Roll(rates.delay)) fault.delay = UpTo(rates.max_delay);
  if (Roll(rates.fail_before)) {
    fault.kind = Fault::Kind::kFailBefore;
  } else if (Roll(rates.fail_after)) {
    fault.kind = Fault::Kind::kFailAfter;
  } else if (IsList(method) && Roll(rates.stale_list)) {
    fault.kind = Fault::Kind::kStaleList;
  } else if (IsList(method) && Roll(rates.empty_list)) {
    fault.kind = Fault::Kind::kEmptyList;
  }
  return fault;
}

EventFault FaultPlan::ForEvent() {
  if (Roll(rates_.drop_event)) return EventFault::kDrop;
  if (Roll(rates_.duplicate_event)) return EventFault::kDuplicate;
  return EventFault::kNone;
}

Happening FaultPlan::BesideCall() {
  Happening happening;
  if (Roll(rates_.lose_process)) {
    happening.lose_process = true;
    happening.outage = UpTo(rates_.max_outage);
  }
  happening.kill_container = Roll(rates_.kill_container);
  happening.kill_sandbox = Roll(rates_.kill_sandbox);
  return happening;
}

bool FaultPlan::MayAnswerStale() const {
  const auto scripted = [](const auto& item) {
    return std::any_of(item.second.begin(), item.second.end(),
                       [](const Fault& fault) { return fault.kind == Fault::Kind::kStaleList; });
  };
  const auto likely = [](const auto& item) { return item.second.stale_list > 0; };
  return rates_.stale_list > 0 || std::any_of(methods_.begin(), methods_.end(), likely) ||
         std::any_of(scripted_.begin(), scripted_.end(), scripted);
}

uint64_t FaultPlan::Below(uint64_t limit) { return random_() % limit; }

// Draws nothing while the rate is zero, so that switching one fault on leaves the others' fate.
bool FaultPlan::Roll(double probability) {
  if (probability <= 0) return false;
  const bool hit = std::uniform_real_distribution<double>(0, 1)(random_) < probability;
  injected_ += hit ? 1 : 0;
  return hit;
}

absl::Duration FaultPlan::UpTo(absl::Duration limit) {
  return limit * std::uniform_real_distribution<double>(0, 1)(random_);
}

}  // namespace cubelet::fakes
