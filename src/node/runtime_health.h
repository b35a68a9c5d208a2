// Asks the runtime how it is: whether it can run pods and give them a network (node.md 2.3).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "async/loop.h"
#include "async/scope.h"
#include "async/task.h"
#include "cri/runtime.h"

namespace cubelet::node {

// How long to wait before the next question. Until all has been well for the first time
// (`was_good`), somebody waits for just that, since `waited`: a node that joins gets its network
// soon. Then asking adds at most a twentieth to that time. Pure.
absl::Duration AskAgainAfter(bool good, bool was_good, absl::Duration waited);

class RuntimeHealth {
 public:
  RuntimeHealth(async::Loop& loop, cri::Runtime& runtime) : loop_(loop), runtime_(runtime) {}

  // Called with the first answer, with each that differs from the last one in what it says of
  // runtime or network, and with the first one after an outage.
  void SetOnChange(std::function<void(const criv1::StatusResponse&)> on_change) {
    on_change_ = std::move(on_change);
  }

  // Asks every few seconds while something is wrong and seldom while all is well; at the beginning
  // often, until all is well for the first time.
  void Start(async::TaskScope& scope);

  // OK, or in the words of the node's Ready condition: `container runtime status check may not have
  // completed yet`, `container runtime is down`, `container runtime not ready: ...`.
  absl::Status runtime() const;

  // OK, or `network state unknown`, or `container runtime network not ready: ...`.
  absl::Status network() const { return network_; }

  // All that is wrong with runtime and network, as the Ready condition lists it: a runtime that is
  // not ready for long is also down. Empty when all is well.
  std::vector<std::string> Problems() const;

 private:
  async::Task<void> AskForever();
  void Take(const criv1::StatusResponse& response, bool was_away);

  async::Loop& loop_;
  cri::Runtime& runtime_;
  std::function<void(const criv1::StatusResponse&)> on_change_;
  absl::Status condition_ = absl::UnavailableError("runtime state unknown");
  absl::Status network_ = absl::UnavailableError("network state unknown");
  absl::Duration last_good_ = -absl::InfiniteDuration();
  bool answered_ = false;
};

}  // namespace cubelet::node
