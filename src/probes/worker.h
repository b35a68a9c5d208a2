// The state of one probe of one container, and how it moves: pure functions that Manager calls when
// something is seen and when a probe has ended (probes.md 4).
#pragma once

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "api/types.h"
#include "probes/manager.h"

namespace cubelet::probes {

// The numbers of a probe, with the API's defaults where they are absent or out of range.
struct WorkerSpec {
  Kind kind = Kind::kReadiness;
  absl::Duration initial_delay;
  absl::Duration period = absl::Seconds(10);
  int success_threshold = 1;
  int failure_threshold = 3;
};
WorkerSpec SpecOf(Kind kind, const v1::Probe& probe);

struct WorkerState {
  std::string container_id;  // the instance all of this is about; "" before the first
  bool on_hold = false;      // nothing more until the instance is replaced
  Outcome last = Outcome::kUnknown;
  int streak = 0;  // how often `last` came in a row
};

// What there is to see when a worker looks.
struct Sight {
  ContainerView container;    // an id of "": there is no instance yet
  bool pod_terminal = false;  // phase Succeeded or Failed
  bool pod_deleting = false;  // the worker's own pod object has a deletionTimestamp
  bool started = false;       // status.started of the instance
  bool has_address = true;    // what is to be probed can be addressed
  // The instance is running since before this agent, long enough for another one to have probed it.
  bool survivor = false;
  // A sidecar that had started when this agent did.
  bool started_sidecar = false;
};

enum class Next { kWait, kProbe, kEnd };

struct Decision {
  WorkerState state;
  Next next = Next::kWait;
  absl::Time not_before = absl::InfinitePast();  // kProbe: when the initial delay is over
  std::optional<Outcome> store;                  // the outcome to keep for the instance
};

// What a worker does about what it sees. kWait ends when something else is seen; it takes no timer.
//
// Two departures from probes.md keep a container from being killed for what another instance, or
// this one before it ran, has done: a new instance begins with a count of its own (4.10), and one
// that is not running fails readiness only (4.5).
Decision Look(const WorkerSpec& spec, WorkerState state, const Sight& sight);

struct Step {
  WorkerState state;
  std::optional<Outcome> store;  // the outcome to keep, once the threshold is reached
};

// Counts the outcome of a probe that was carried out.
Step Count(const WorkerSpec& spec, WorkerState state, Outcome outcome);

// The time of the first tick at or after `from` that is also after `last`, of ticks every `period`
// from `first` on. Times are monotonic.
absl::Duration NextTick(absl::Duration first, absl::Duration period, absl::Duration from,
                        std::optional<absl::Duration> last);

// How long a new worker waits before its first tick: a part (`random`, in [0, 1)) of the period
// while the agent is younger than that, nothing later.
absl::Duration StartDelay(const WorkerSpec& spec, absl::Duration uptime, double random);

}  // namespace cubelet::probes
