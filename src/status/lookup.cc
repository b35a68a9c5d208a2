#include "status/lookup.h"

#include <string>

namespace cubelet::status {

const v1::PodCondition* FindCondition(const v1::PodStatus& status, std::string_view type) {
  for (const v1::PodCondition& condition : status.conditions()) {
    if (condition.type() == type) return &condition;
  }
  return nullptr;
}

metav1::Time ToApiTime(absl::Time time) {
  metav1::Time out;
  out.set_seconds(time == absl::InfinitePast() ? 0 : absl::ToUnixSeconds(time));
  return out;
}

absl::Time FromApiTime(const metav1::Time& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

v1::ContainerState WaitingState(std::string_view reason, std::string_view message) {
  v1::ContainerState state;
  v1::ContainerStateWaiting* waiting = state.mutable_waiting();
  if (!reason.empty()) waiting->set_reason(std::string(reason));
  if (!message.empty()) waiting->set_message(std::string(message));
  return state;
}

v1::ContainerState LostState(std::string_view reason, std::string_view message) {
  v1::ContainerState state;
  v1::ContainerStateTerminated* terminated = state.mutable_terminated();
  terminated->set_exitcode(kUnknownExitCode);
  terminated->set_reason(std::string(reason));
  terminated->set_message(std::string(message));
  return state;
}

}  // namespace cubelet::status
