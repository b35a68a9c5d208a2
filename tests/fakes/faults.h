// What goes wrong in a simulated runtime: drawn from a seeded source at given rates, or written
// down beforehand for one call.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <random>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace cubelet::fakes {

// What happens to one call.
struct Fault {
  enum class Kind {
    kNone,
    kFailBefore,  // fails with `error`; nothing has happened
    kFailAfter,   // fails with `error` although everything has happened
    kStaleList,   // lists only: answers with what was true some changes ago
    kEmptyList,   // lists only: answers that there is nothing
  };
  Kind kind = Kind::kNone;
  absl::Duration delay;  // on top of what the call takes; longer than the caller's deadline: the
                         // caller gets DEADLINE_EXCEEDED, and it happens all the same
  absl::Status error;    // empty: UNAVAILABLE before, DEADLINE_EXCEEDED after

  static Fault Before(absl::Status error = absl::OkStatus()) {
    return {Kind::kFailBefore, absl::ZeroDuration(), std::move(error)};
  }
  static Fault After(absl::Status error = absl::OkStatus()) {
    return {Kind::kFailAfter, absl::ZeroDuration(), std::move(error)};
  }
  static Fault Late(absl::Duration delay) { return {Kind::kNone, delay, absl::OkStatus()}; }
  static Fault Stale() { return {Kind::kStaleList, absl::ZeroDuration(), absl::OkStatus()}; }
  static Fault Empty() { return {Kind::kEmptyList, absl::ZeroDuration(), absl::OkStatus()}; }
};

// Probabilities (0 to 1) of each call or event.
struct FaultRates {
  double delay = 0;
  absl::Duration max_delay = absl::Seconds(5);
  double fail_before = 0;
  double fail_after = 0;
  double stale_list = 0;
  double empty_list = 0;
  double drop_event = 0;
  double duplicate_event = 0;
  // Each call may also be the moment at which something else happens.
  double lose_process = 0;
  absl::Duration max_outage = absl::Seconds(30);
  double kill_container = 0;
  double kill_sandbox = 0;
};

enum class EventFault { kNone, kDrop, kDuplicate };

// What happens beside a call.
struct Happening {
  bool lose_process = false;
  absl::Duration outage;
  bool kill_container = false;
  bool kill_sandbox = false;
};

class FaultPlan {
 public:
  explicit FaultPlan(uint64_t seed) : random_(seed) {}

  void SetRates(FaultRates rates) { rates_ = rates; }
  const FaultRates& rates() const { return rates_; }

  // Rates of one method in place of the general ones ("CreateContainer").
  void SetRatesOf(std::string method, FaultRates rates) { methods_[std::move(method)] = rates; }

  // The next calls of `method` meet these faults, in order, whatever the rates say.
  void Script(std::string method, Fault fault, int times = 1);

  // Nothing goes wrong any more; scripted faults are dropped too.
  void Quiet();

  // Asked by the runtime.
  Fault ForCall(const std::string& method);
  EventFault ForEvent();
  Happening BesideCall();
  bool MayAnswerStale() const;
  uint64_t Below(uint64_t limit);  // a number in [0, limit); `limit` > 0

  // How many faults of any kind were given out.
  int injected() const { return injected_; }

 private:
  const FaultRates& RatesOf(const std::string& method) const;
  bool Roll(double probability);
  absl::Duration UpTo(absl::Duration limit);

  std::mt19937_64 random_;
  FaultRates rates_;
  std::map<std::string, FaultRates> methods_;
  std::map<std::string, std::deque<Fault>> scripted_;
  int injected_ = 0;
};

}  // namespace cubelet::fakes
