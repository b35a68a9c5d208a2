#include "probes/worker.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace cubelet::probes {
namespace {

int OrDefault(int value, int otherwise) { return value > 0 ? value : otherwise; }

// What is held of an instance that no probe has looked at.
Outcome InitialOutcome(Kind kind) {
  switch (kind) {
    case Kind::kReadiness:
      return Outcome::kFailure;
    case Kind::kLiveness:
      return Outcome::kSuccess;
    case Kind::kStartup:
      return Outcome::kUnknown;
  }
  return Outcome::kUnknown;
}

// A survivor keeps what it was: nothing is held until the first probe has ended.
std::optional<Outcome> FirstOutcome(Kind kind, const Sight& sight) {
  if (!sight.survivor) return InitialOutcome(kind);
  if (kind == Kind::kStartup && sight.started_sidecar) return Outcome::kSuccess;
  return std::nullopt;
}

// Startup probes run until the container has started, the others from then on.
bool HasTurn(Kind kind, bool started) { return (kind == Kind::kStartup) != started; }

}  // namespace

WorkerSpec SpecOf(Kind kind, const v1::Probe& probe) {
  WorkerSpec spec;
  spec.kind = kind;
  spec.initial_delay = absl::Seconds(std::max(probe.initialdelayseconds(), 0));
  spec.period = absl::Seconds(OrDefault(probe.periodseconds(), 10));
  spec.success_threshold = OrDefault(probe.successthreshold(), 1);
  spec.failure_threshold = OrDefault(probe.failurethreshold(), 3);
  return spec;
}

Decision Look(const WorkerSpec& spec, WorkerState state, const Sight& sight) {
  Decision decision{.state = std::move(state)};
  const ContainerView& container = sight.container;
  if (sight.pod_terminal) {
    decision.next = Next::kEnd;
    return decision;
  }
  if (container.id.empty()) return decision;
  if (decision.state.container_id != container.id) {
    decision.state = WorkerState{.container_id = container.id};
    decision.store = FirstOutcome(spec.kind, sight);
  }
  if (!container.running) {
    if (spec.kind == Kind::kReadiness) decision.store = Outcome::kFailure;
    if (container.ended_for_good) decision.next = Next::kEnd;
    return decision;
  }
  if (decision.state.on_hold) return decision;
  if (sight.pod_deleting && spec.kind != Kind::kReadiness) {
    decision.next = Next::kEnd;
    return decision;
  }
  if (!HasTurn(spec.kind, sight.started) || !sight.has_address) return decision;
  decision.next = Next::kProbe;
  decision.not_before = container.started_at + spec.initial_delay;
  return decision;
}

Step Count(const WorkerSpec& spec, WorkerState state, Outcome outcome) {
  Step step{.state = std::move(state)};
  step.state.streak = step.state.last == outcome ? step.state.streak + 1 : 1;
  step.state.last = outcome;
  const int threshold =
      outcome == Outcome::kSuccess ? spec.success_threshold : spec.failure_threshold;
  if (step.state.streak < threshold) return step;
  step.store = outcome;
  // The container is about to be replaced, or has started: either way there is no more to find out.
  if (spec.kind == Kind::kStartup ||
      (spec.kind == Kind::kLiveness && outcome == Outcome::kFailure)) {
    step.state.on_hold = true;
    step.state.streak = 0;
  }
  return step;
}

absl::Duration NextTick(absl::Duration first, absl::Duration period, absl::Duration from,
                        std::optional<absl::Duration> last) {
  if (from <= first && (!last || *last < first)) return first;
  absl::Duration rest;
  int64_t ticks = absl::IDivDuration(std::max(from - first, absl::ZeroDuration()), period, &rest);
  if (rest > absl::ZeroDuration()) ++ticks;
  absl::Duration tick = first + ticks * period;
  if (last && tick <= *last) tick = NextTick(first, period, *last + absl::Nanoseconds(1), {});
  return tick;
}

absl::Duration StartDelay(const WorkerSpec& spec, absl::Duration uptime, double random) {
  return spec.period > uptime ? spec.period * random : absl::ZeroDuration();
}

}  // namespace cubelet::probes
