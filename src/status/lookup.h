// Small things that every part of the status needs: finding by name, times, states.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/time/time.h"
#include "api/types.h"

namespace cubelet::status {

inline constexpr char kTrue[] = "True";
inline constexpr char kFalse[] = "False";
inline constexpr char kPending[] = "Pending";
inline constexpr char kRunning[] = "Running";
inline constexpr char kSucceeded[] = "Succeeded";
inline constexpr char kFailed[] = "Failed";

// Exit code of an instance that ended unseen.
inline constexpr int32_t kUnknownExitCode = 137;
inline constexpr char kStatusUnknown[] = "ContainerStatusUnknown";
inline constexpr char kLostMessage[] =
    "The container could not be located when the pod was terminated";

inline bool IsTerminalPhase(std::string_view phase) {
  return phase == kSucceeded || phase == kFailed;
}

// By name; null when there is none.
template <typename List>
const v1::ContainerStatus* FindStatus(const List& statuses, std::string_view name) {
  for (const v1::ContainerStatus& status : statuses) {
    if (status.name() == name) return &status;
  }
  return nullptr;
}

const v1::PodCondition* FindCondition(const v1::PodStatus& status, std::string_view type);

// Whole seconds, as the API keeps times. What has never happened is the epoch.
metav1::Time ToApiTime(absl::Time time);
absl::Time FromApiTime(const metav1::Time& time);

v1::ContainerState WaitingState(std::string_view reason, std::string_view message = {});
// Ended unseen, exit code 137.
v1::ContainerState LostState(std::string_view reason, std::string_view message);

}  // namespace cubelet::status
