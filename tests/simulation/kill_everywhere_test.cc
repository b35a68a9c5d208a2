// Some lives of pods, with the agent killed at every step of them and in the middle of every
// operation on files, mounts and cgroups, and with every such operation failing once: each must
// end as if nothing had happened. CUBELET_AT=<number> tries that step or operation alone.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <memory>

#include "absl/strings/numbers.h"
#include "base/strings.h"
#include "simulation/invariants.h"
#include "simulation/node_state.h"
#include "simulation/pod_kinds.h"
#include "simulation/sim_node.h"

namespace cubelet::simulation {
namespace {

using CallsUnderWay = SimNode::CallsUnderWay;

constexpr absl::Duration kSettleLimit = absl::Minutes(20);
constexpr int kMaxFailures = 3;

const PodKind& Kind(std::string_view name) {
  for (const PodKind& kind : PodKinds()) {
    if (kind.name == name) return kind;
  }
  std::abort();
}

void Write(Invariants& manifests, std::string_view kind, int variant) {
  manifests.WriteManifest("p.yaml", "p", Kind(kind), MakeManifest(Kind(kind), "p", variant));
}

void Remove(Invariants& manifests) { manifests.RemoveManifest("p.yaml"); }

// What is done to the manifests, one thing after the other, each when all has settled.
struct Scenario {
  std::string name;
  std::vector<std::function<void(Invariants&)>> acts;
};

std::vector<Scenario> Scenarios() {
  const auto write = [](std::string kind, int variant = 0) {
    return [kind = std::move(kind), variant](Invariants& m) { Write(m, kind, variant); };
  };
  return {
      {"Start", {write("sidecar")}},
      {"GracefulEnd", {write("hooks and sidecars"), Remove}},
      {"CrashAndBackOff", {write("crashing")}},
      {"Replacement", {write("forever"), write("forever", 1)}},
      {"RunsOnce", {write("once, with a sidecar"), Remove}},
      {"Volumes", {write("volumes"), Remove}},
  };
}

// What goes wrong in one run.
struct Trouble {
  uint64_t step = 0;  // the agent is killed after this step, 0: it is not
  CallsUnderWay calls = CallsUnderWay::kEnd;
  uint64_t operation = 0;  // the agent dies at this operation, or it fails; 0: no such thing
  int error = 0;           // that it fails with, 0: the agent dies
  absl::Duration pause;    // until the next agent
};

class Attempt {
 public:
  Attempt(const Scenario& scenario, const Trouble& trouble)
      : scenario_(scenario), trouble_(trouble) {
    SimNode::Options options;
    options.watches = false;
    // Calls take time, so that they can be cut off.
    options.runtime.run_sandbox_takes = absl::Milliseconds(200);
    options.runtime.create_takes = absl::Milliseconds(100);
    options.runtime.start_takes = absl::Milliseconds(100);
    options.runtime.stop_sandbox_takes = absl::Milliseconds(100);
    node_ = std::make_unique<SimNode>(std::move(options));
    PrepareRuntime(node_->runtime(), node_->loop());
    invariants_ = std::make_unique<Invariants>(*node_);
  }

  // What was not as it must be.
  std::vector<std::string> Do() {
    if (trouble_.operation > 0 && trouble_.error == 0) node_->DieAtOperation(trouble_.operation);
    if (trouble_.error != 0) {
      node_->SetFaults([this](std::string_view, std::string_view) {
        return node_->operations() == trouble_.operation ? trouble_.error : 0;
      });
    }
    std::vector<std::string> unmet;
    for (const auto& act : scenario_.acts) {
      act(*invariants_);
      unmet = Settle();
      if (!unmet.empty() || !invariants_->broken().empty()) break;
      for (const auto& [file, wanted] : invariants_->wanted()) CheckRuns(wanted, unmet);
    }
    unmet.insert(unmet.begin(), invariants_->broken().begin(), invariants_->broken().end());
    return unmet;
  }

  uint64_t steps() const { return steps_; }
  SimNode& node() { return *node_; }

 private:
  std::vector<std::string> Settle() {
    const absl::Time limit = node_->loop().Now() + kSettleLimit;
    absl::Time look_at = node_->loop().Now() + absl::Seconds(1);
    std::vector<std::string> unmet;
    do {
      while (node_->loop().Now() < look_at && invariants_->broken().empty()) Step(look_at);
      look_at += absl::Seconds(1);
      unmet = Unmet(*node_, *invariants_, {});
    } while (!unmet.empty() && node_->loop().Now() < limit && invariants_->broken().empty());
    return unmet;
  }

  void Step(absl::Time until) {
    if (!node_->agent_runs()) {
      if (node_->lives() > 0) node_->Step(trouble_.pause);
      node_->TryStartAgent();
    }
    node_->Step(until - node_->loop().Now());
    if (++steps_ == trouble_.step && node_->agent_runs()) node_->KillAgent(trouble_.calls);
    invariants_->Check();
  }

  // Nobody has killed a container: the ones that do not crash have run exactly once.
  void CheckRuns(const Invariants::Wanted& wanted, std::vector<std::string>& unmet) {
    if (wanted.kind.end == End::kRestarting) return;
    for (const char* container : {"init", "second", "side", "main"}) {
      const size_t created = invariants_->Created(wanted.uid, container);
      const size_t runs = invariants_->Runs(wanted.uid, container);
      const int restarts = node_->RestartCount(wanted.pod_name, container);
      if (created > 0 && runs != 1) unmet.push_back(StrCat(container, " has run ", runs, " times"));
      if (created == 1 && restarts != 0)
        unmet.push_back(StrCat(container, " has ", restarts, " restarts"));
    }
  }

  const Scenario scenario_;
  const Trouble trouble_;
  std::unique_ptr<SimNode> node_;
  std::unique_ptr<Invariants> invariants_;
  uint64_t steps_ = 0;
};

class KillEverywhereTest : public ::testing::TestWithParam<Scenario> {
 protected:
  // How long the scenario is when nothing goes wrong, in steps and in operations.
  std::pair<uint64_t, uint64_t> Measure() {
    Attempt attempt(GetParam(), {});
    const std::vector<std::string> failures = attempt.Do();
    EXPECT_TRUE(failures.empty()) << failures.front() << "\n" << attempt.node().Diagnosis();
    return {attempt.steps(), attempt.node().operations()};
  }

  // False when no more should be tried.
  bool Try(uint64_t at, const Trouble& trouble) {
    static const char* const only = std::getenv("CUBELET_AT");
    if (only != nullptr && only != std::to_string(at)) return true;
    Attempt attempt(GetParam(), trouble);
    const std::vector<std::string> failures = attempt.Do();
    if (failures.empty()) return true;
    for (const std::string& failure : failures)
      ADD_FAILURE() << "replay with CUBELET_AT=" << at << ": " << failure;
    std::cout << attempt.node().Diagnosis();
    return ++failed_ < kMaxFailures;
  }

 private:
  int failed_ = 0;
};

TEST_P(KillEverywhereTest, KilledAtEveryStep) {
  const uint64_t steps = Measure().first;
  for (uint64_t step = 1; step <= steps; ++step) {
    for (const CallsUnderWay calls : {CallsUnderWay::kEnd, CallsUnderWay::kGoOn}) {
      Trouble trouble;
      trouble.step = step;
      trouble.calls = calls;
      // At once, or when the calls that go on have come to their end.
      trouble.pause = step % 2 == 0 ? absl::ZeroDuration() : absl::Seconds(5);
      if (!Try(step, trouble)) return;
    }
  }
  RecordProperty("steps", std::to_string(steps));
}

TEST_P(KillEverywhereTest, DiesInTheMiddleOfEveryOperation) {
  const uint64_t operations = Measure().second;
  for (uint64_t operation = 1; operation <= operations; ++operation) {
    Trouble trouble;
    trouble.operation = operation;
    if (!Try(operation, trouble)) return;
  }
  RecordProperty("operations", std::to_string(operations));
}

TEST_P(KillEverywhereTest, EveryOperationFailsOnce) {
  const uint64_t operations = Measure().second;
  for (uint64_t operation = 1; operation <= operations; ++operation) {
    Trouble trouble;
    trouble.operation = operation;
    trouble.error = operation % 2 == 0 ? EIO : ENOSPC;
    if (!Try(operation, trouble)) return;
  }
}

INSTANTIATE_TEST_SUITE_P(, KillEverywhereTest, ::testing::ValuesIn(Scenarios()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace cubelet::simulation
