// SimRuntime::Serve. Internal to the simulated runtime.
#pragma once

#include <utility>

#include "fakes/sim_runtime.h"

namespace cubelet::fakes {

inline const absl::Status& StatusIn(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& StatusIn(const absl::StatusOr<T>& result) {
  return result.status();
}

template <typename T>
async::Task<T> SimRuntime::Serve(Call call, std::function<T(const Fault&)> effect) {
  if (!caller_lives_) co_await never_.Wait();
  const Fault fault = Arrive(call);
  const uint64_t life = life_;
  if (!up_) {
    co_await loop_.Sleep(absl::ZeroDuration());
    co_return Answer(call, Unreachable());
  }
  const bool fails_before = fault.kind == Fault::Kind::kFailBefore;
  if (!fails_before && call.on_arrival) {
    if (absl::Status refused = call.on_arrival(); !refused.ok()) {
      co_await loop_.Sleep(absl::ZeroDuration());
      co_return Answer(call, refused);
    }
  }
  const absl::Duration takes = call.takes + fault.delay;
  if (takes >= call.deadline) {
    if (!fails_before && takes != absl::InfiniteDuration()) {
      Later(takes, [this, life, fault, effect] {
        if (life_ == life) (void)effect(fault);
      });
    }
    co_await loop_.Sleep(call.deadline);
    co_return Answer(call, absl::DeadlineExceededError("context deadline exceeded"),
                     takes == absl::InfiniteDuration() ? "never answered" : "answered too late");
  }
  Survivor survivor{this, loop_.Monotonic() + takes, nullptr};
  if (!fails_before) {
    survivor.effect = [this, life, fault, effect] {
      if (life_ == life) (void)effect(fault);
    };
  }
  co_await loop_.Sleep(takes);
  survivor.effect = nullptr;
  if (life_ != life) co_return Answer(call, Unreachable(), "went down during the call");
  if (fails_before) {
    co_return Answer(
        call, fault.error.ok() ? absl::UnavailableError("fault before the call") : fault.error);
  }
  T result = effect(fault);
  if (fault.kind == Fault::Kind::kFailAfter) {
    const bool worked = StatusIn(result).ok();
    co_return Answer(
        call,
        fault.error.ok() ? absl::DeadlineExceededError("context deadline exceeded") : fault.error,
        worked ? "but it has happened" : "");
  }
  if (!call.answered_later || !StatusIn(result).ok()) (void)Answer(call, StatusIn(result));
  co_return result;
}

}  // namespace cubelet::fakes
