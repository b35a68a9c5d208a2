#include "probes/worker.h"

#include <gtest/gtest.h>

namespace cubelet::probes {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

WorkerSpec Spec(Kind kind) { return {.kind = kind}; }

Sight Running() {
  return {.container = {.name = "c", .id = "one", .running = true, .started_at = kNow},
          .started = true};
}

// A worker that knows the running instance already.
WorkerState Known() { return {.container_id = "one"}; }

TEST(SpecOf, AbsentNumbersHaveDefaults) {
  v1::Probe probe;
  const WorkerSpec spec = SpecOf(Kind::kLiveness, probe);
  EXPECT_EQ(spec.initial_delay, absl::ZeroDuration());
  EXPECT_EQ(spec.period, absl::Seconds(10));
  EXPECT_EQ(spec.success_threshold, 1);
  EXPECT_EQ(spec.failure_threshold, 3);
  probe.set_periodseconds(-4);
  probe.set_initialdelayseconds(-1);
  EXPECT_EQ(SpecOf(Kind::kLiveness, probe).period, absl::Seconds(10));
  EXPECT_EQ(SpecOf(Kind::kLiveness, probe).initial_delay, absl::ZeroDuration());
  probe.set_periodseconds(2);
  probe.set_failurethreshold(7);
  probe.set_successthreshold(5);
  probe.set_initialdelayseconds(30);
  const WorkerSpec set = SpecOf(Kind::kReadiness, probe);
  EXPECT_EQ(set.period, absl::Seconds(2));
  EXPECT_EQ(set.failure_threshold, 7);
  EXPECT_EQ(set.success_threshold, 5);
  EXPECT_EQ(set.initial_delay, absl::Seconds(30));
}

TEST(Look, WhatANewInstanceBeginsWith) {
  const struct {
    Kind kind;
    bool survivor;
    bool started_sidecar;
    std::optional<Outcome> store;
  } cases[] = {
      {Kind::kReadiness, false, false, Outcome::kFailure},
      {Kind::kLiveness, false, false, Outcome::kSuccess},
      {Kind::kStartup, false, false, Outcome::kUnknown},
      {Kind::kReadiness, true, false, std::nullopt},
      {Kind::kLiveness, true, false, std::nullopt},
      {Kind::kStartup, true, false, std::nullopt},
      {Kind::kStartup, true, true, Outcome::kSuccess},
      {Kind::kReadiness, true, true, std::nullopt},
  };
  for (const auto& c : cases) {
    Sight sight = Running();
    sight.survivor = c.survivor;
    sight.started_sidecar = c.started_sidecar;
    WorkerState before{
        .container_id = "zero", .on_hold = true, .last = Outcome::kFailure, .streak = 2};
    const Decision decision = Look(Spec(c.kind), before, sight);
    EXPECT_EQ(decision.store, c.store) << KindName(c.kind);
    EXPECT_EQ(decision.state.container_id, "one");
    EXPECT_FALSE(decision.state.on_hold);
    EXPECT_EQ(decision.state.streak, 0);
    // Known from now on.
    EXPECT_EQ(Look(Spec(c.kind), decision.state, sight).store, std::nullopt);
  }
}

TEST(Look, WhoHasItsTurn) {
  const struct {
    Kind kind;
    bool started;
    Next next;
  } cases[] = {
      {Kind::kStartup, false, Next::kProbe},  {Kind::kStartup, true, Next::kWait},
      {Kind::kLiveness, false, Next::kWait},  {Kind::kLiveness, true, Next::kProbe},
      {Kind::kReadiness, false, Next::kWait}, {Kind::kReadiness, true, Next::kProbe},
  };
  for (const auto& c : cases) {
    Sight sight = Running();
    sight.started = c.started;
    EXPECT_EQ(Look(Spec(c.kind), Known(), sight).next, c.next) << KindName(c.kind);
  }
}

TEST(Look, WaitsWithoutAnInstance) {
  Sight sight = Running();
  sight.container = {.name = "c"};
  const Decision decision = Look(Spec(Kind::kReadiness), Known(), sight);
  EXPECT_EQ(decision.next, Next::kWait);
  EXPECT_EQ(decision.state.container_id, "one");
}

TEST(Look, WaitsWithoutAnAddressAndOnHold) {
  Sight sight = Running();
  sight.has_address = false;
  EXPECT_EQ(Look(Spec(Kind::kReadiness), Known(), sight).next, Next::kWait);
  WorkerState held = Known();
  held.on_hold = true;
  EXPECT_EQ(Look(Spec(Kind::kLiveness), held, Running()).next, Next::kWait);
}

TEST(Look, TheInitialDelayCountsFromTheStart) {
  WorkerSpec spec = Spec(Kind::kLiveness);
  spec.initial_delay = absl::Seconds(7);
  const Decision decision = Look(spec, Known(), Running());
  EXPECT_EQ(decision.next, Next::kProbe);
  EXPECT_EQ(decision.not_before, kNow + absl::Seconds(7));
}

TEST(Look, AnInstanceThatDoesNotRunIsNotReady) {
  Sight sight = Running();
  sight.container.running = false;
  for (Kind kind : {Kind::kStartup, Kind::kLiveness, Kind::kReadiness}) {
    const Decision decision = Look(Spec(kind), Known(), sight);
    EXPECT_EQ(decision.next, Next::kWait) << KindName(kind);
    // A failure kept from before it ran would have it killed once it does.
    EXPECT_EQ(decision.store,
              kind == Kind::kReadiness ? std::optional(Outcome::kFailure) : std::nullopt)
        << KindName(kind);
  }
  sight.container.ended_for_good = true;
  EXPECT_EQ(Look(Spec(Kind::kReadiness), Known(), sight).next, Next::kEnd);
}

TEST(Look, EndsWithThePod) {
  Sight sight = Running();
  sight.pod_terminal = true;
  EXPECT_EQ(Look(Spec(Kind::kReadiness), Known(), sight).next, Next::kEnd);
  sight = Running();
  sight.pod_deleting = true;
  EXPECT_EQ(Look(Spec(Kind::kLiveness), Known(), sight).next, Next::kEnd);
  EXPECT_EQ(Look(Spec(Kind::kStartup), Known(), sight).next, Next::kEnd);
  EXPECT_EQ(Look(Spec(Kind::kReadiness), Known(), sight).next, Next::kProbe);
}

// S and F are outcomes as they come; what is kept after each is written below it, "." for none.
TEST(Count, ThresholdsInARow) {
  const struct {
    Kind kind;
    int success, failure;
    const char* outcomes;
    const char* kept;
    bool on_hold;
  } cases[] = {
      {Kind::kReadiness, 1, 3, "SFFSFFF", "S..S..F", false},
      {Kind::kReadiness, 1, 3, "FFFFS", "..FFS", false},
      {Kind::kReadiness, 2, 1, "SSFS", ".SF.", false},
      {Kind::kReadiness, 3, 1, "SSFSSS", "..F..S", false},
      {Kind::kLiveness, 1, 1, "F", "F", true},
      {Kind::kLiveness, 1, 3, "SFFSFFF", "S..S..F", true},
      {Kind::kStartup, 1, 3, "FFS", "..S", true},
      {Kind::kStartup, 1, 3, "FFF", "..F", true},
  };
  for (const auto& c : cases) {
    WorkerSpec spec = Spec(c.kind);
    spec.success_threshold = c.success;
    spec.failure_threshold = c.failure;
    WorkerState state = Known();
    std::string kept;
    for (const char* outcome = c.outcomes; *outcome != 0; ++outcome) {
      Step step = Count(spec, state, *outcome == 'S' ? Outcome::kSuccess : Outcome::kFailure);
      state = step.state;
      kept += !step.store ? '.' : *step.store == Outcome::kSuccess ? 'S' : 'F';
    }
    EXPECT_EQ(kept, c.kept) << c.outcomes;
    EXPECT_EQ(state.on_hold, c.on_hold) << c.outcomes;
  }
}

TEST(NextTick, IsOnTheGrid) {
  const auto s = [](double seconds) { return absl::Seconds(seconds); };
  EXPECT_EQ(NextTick(s(5), s(10), s(0), {}), s(5));
  EXPECT_EQ(NextTick(s(5), s(10), s(5), {}), s(5));
  EXPECT_EQ(NextTick(s(5), s(10), s(5), s(5)), s(15));
  EXPECT_EQ(NextTick(s(5), s(10), s(5.1), {}), s(15));
  EXPECT_EQ(NextTick(s(5), s(10), s(15), s(5)), s(15));
  EXPECT_EQ(NextTick(s(5), s(10), s(31), s(5)), s(35));
  EXPECT_EQ(NextTick(s(5), s(10), s(16), s(16)), s(25));
  EXPECT_EQ(NextTick(s(5), s(10), s(0), s(16)), s(25));
}

TEST(StartDelay, OnlyWhileTheAgentIsYoungerThanThePeriod) {
  WorkerSpec spec = Spec(Kind::kReadiness);
  EXPECT_EQ(StartDelay(spec, absl::Seconds(3), 0.25), absl::Seconds(2.5));
  EXPECT_EQ(StartDelay(spec, absl::Seconds(10), 0.25), absl::ZeroDuration());
  EXPECT_EQ(StartDelay(spec, absl::Hours(3), 0.99), absl::ZeroDuration());
}

}  // namespace
}  // namespace cubelet::probes
