#include "node/runtime_health.h"

#include <algorithm>

#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"

namespace cubelet::node {
namespace {

using async::Task;

constexpr absl::Duration kAskWhileBad = absl::Seconds(5);
constexpr absl::Duration kAskAtFirst = absl::Milliseconds(100);
// What ends meanwhile shows in the failing calls themselves.
constexpr absl::Duration kAskWhileGood = absl::Seconds(15);
constexpr absl::Duration kDownAfter = absl::Seconds(30);
constexpr char kNotAskedYet[] = "container runtime status check may not have completed yet";
constexpr char kDown[] = "container runtime is down";

// "NetworkReady=false reason:NetworkPluginNotReady message:..."
std::string ConditionText(const criv1::RuntimeCondition& condition) {
  return StrCat(condition.type(), "=", condition.status() ? "true" : "false",
                " reason:", condition.reason(), " message:", condition.message());
}

absl::Status ConditionState(const criv1::StatusResponse& response, std::string_view type,
                            std::string_view prefix) {
  for (const criv1::RuntimeCondition& condition : response.status().conditions()) {
    if (condition.type() != type) continue;
    if (condition.status()) return absl::OkStatus();
    return absl::UnavailableError(StrCat(prefix, ConditionText(condition)));
  }
  return absl::UnavailableError(StrCat(prefix, "the runtime does not report ", type));
}

}  // namespace

absl::Duration AskAgainAfter(bool good, bool was_good, absl::Duration waited) {
  if (good) return kAskWhileGood;
  if (was_good) return kAskWhileBad;
  return std::clamp(waited / 20, kAskAtFirst, kAskWhileBad);
}

void RuntimeHealth::Start(async::TaskScope& scope) { scope.Spawn("runtime status", AskForever()); }

absl::Status RuntimeHealth::runtime() const {
  if (!answered_) return absl::UnavailableError(kNotAskedYet);
  if (loop_.Monotonic() - last_good_ > kDownAfter) return absl::UnavailableError(kDown);
  return condition_;
}

std::vector<std::string> RuntimeHealth::Problems() const {
  std::vector<std::string> problems;
  if (last_good_ == -absl::InfiniteDuration()) {
    problems.emplace_back(kNotAskedYet);
  } else if (loop_.Monotonic() - last_good_ > kDownAfter) {
    problems.emplace_back(kDown);
  }
  if (answered_ && !condition_.ok()) problems.emplace_back(Message(condition_));
  if (!network_.ok()) problems.emplace_back(Message(network_));
  return problems;
}

Task<void> RuntimeHealth::AskForever() {
  const absl::Duration started = loop_.Monotonic();
  bool failing = false;
  bool was_good = false;
  while (true) {
    auto response = co_await runtime_.Status(/*verbose=*/false);
    if (response.ok()) {
      if (failing) LOG_INFO("The container runtime answers again");
      Take(*response, failing);
    } else if (!failing) {
      LOG_ERROR(response.status(), "The container runtime does not answer");
    }
    failing = !response.ok();
    const bool good = response.ok() && condition_.ok() && network_.ok();
    was_good |= good;
    co_await loop_.Sleep(AskAgainAfter(good, was_good, loop_.Monotonic() - started));
  }
}

void RuntimeHealth::Take(const criv1::StatusResponse& response, bool was_away) {
  const absl::Status condition =
      ConditionState(response, "RuntimeReady", "container runtime not ready: ");
  const absl::Status network =
      ConditionState(response, "NetworkReady", "container runtime network not ready: ");
  const bool changed = was_away || !answered_ || condition != condition_ || network != network_;
  answered_ = true;
  condition_ = condition;
  network_ = network;
  if (condition.ok()) last_good_ = loop_.Monotonic();
  if (changed && !condition.ok()) LOG_ERROR(condition, "The container runtime is not ready");
  if (changed && !network.ok()) LOG_ERROR(network, "The network for pods is not ready");
  if (changed && on_change_) on_change_(response);
}

}  // namespace cubelet::node
