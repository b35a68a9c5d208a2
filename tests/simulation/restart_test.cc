// Faults that kubelets are known for, each by its name: what a lying, late or restarted runtime, a
// failing disk, a stuck mount or a restart in the wrong moment must not bring about.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>

#include "absl/strings/match.h"
#include "base/strings.h"
#include "os/files.h"
#include "simulation/invariants.h"
#include "simulation/node_state.h"
#include "simulation/pod_kinds.h"
#include "simulation/sim_node.h"

namespace cubelet::simulation {
namespace {

namespace fs = std::filesystem;

using fakes::Fault;
using fakes::FaultRates;
using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const PodKind& Kind(std::string_view name) {
  for (const PodKind& kind : PodKinds()) {
    if (kind.name == name) return kind;
  }
  std::abort();
}

class RestartTest : public ::testing::Test {
 protected:
  void Begin(SimNode::Options options = {}) {
    node_ = std::make_unique<SimNode>(std::move(options));
    PrepareRuntime(node_->runtime(), node_->loop());
    invariants_ = std::make_unique<Invariants>(*node_);
    node_->StartAgent();
  }
  void TearDown() override {
    if (!node_) return;
    EXPECT_THAT(invariants_->broken(), IsEmpty());
    if (HasFailure()) std::cout << node_->Diagnosis();
    invariants_.reset();
  }

  void Write(const std::string& name, std::string_view kind, int variant = 0) {
    invariants_->WriteManifest(name + ".yaml", name, Kind(kind),
                               MakeManifest(Kind(kind), name, variant));
  }
  void Remove(const std::string& name) { invariants_->RemoveManifest(name + ".yaml"); }

  void Run(absl::Duration duration) {
    const absl::Time end = node_->loop().Now() + duration;
    while (node_->loop().Now() < end) {
      node_->Step(end - node_->loop().Now());
      invariants_->Check();
    }
  }
  bool RunUntil(const std::function<bool()>& condition, absl::Duration limit = absl::Minutes(5)) {
    return node_->RunUntil(
        [&] {
          invariants_->Check();
          return condition();
        },
        limit);
  }

  // Everything becomes as the manifests ask for.
  void ExpectSettles(absl::Duration limit = absl::Minutes(10)) {
    const absl::Time end = node_->loop().Now() + limit;
    std::vector<std::string> unmet = Unmet(*node_, *invariants_, {});
    while (!unmet.empty() && node_->loop().Now() < end) {
      Run(absl::Seconds(1));
      unmet = Unmet(*node_, *invariants_, {});
    }
    EXPECT_THAT(unmet, IsEmpty());
  }

  void RestartAgent() {
    node_->KillAgent();
    node_->StartAgent();
  }
  size_t Runs(const std::string& uid, const std::string& container = "main") {
    return invariants_->Runs(uid, container);
  }
  size_t LogLines(std::string_view text) {
    const std::string all = node_->Diagnosis(SIZE_MAX);
    size_t count = 0;
    for (size_t at = all.find(text); at != std::string::npos; at = all.find(text, at + 1)) ++count;
    return count;
  }

  std::unique_ptr<SimNode> node_;
  std::unique_ptr<Invariants> invariants_;
};

// ---- The runtime lies, is late, or goes (users.md 1.3)

TEST_F(RestartTest, EmptyListsChangeNothing) {
  SimNode::Options options;
  options.runtime.offers_events = false;
  Begin(std::move(options));
  Write("a", "forever");
  Write("b", "sidecar");
  ExpectSettles();
  FaultRates rates;
  rates.empty_list = 1;
  node_->runtime().faults().SetRates(rates);
  const absl::Time end = node_->loop().Now() + absl::Minutes(2);
  while (node_->loop().Now() < end) {
    Run(absl::Seconds(1));
    ASSERT_EQ(node_->PhaseOf("a"), "Running");
    ASSERT_TRUE(node_->IsReady("b"));
  }
  node_->runtime().faults().Quiet();
  ExpectSettles();
  EXPECT_EQ(Runs(node_->UidOf("a")), 1u);
  EXPECT_EQ(Runs(node_->UidOf("b"), "side"), 1u);
}

TEST_F(RestartTest, EmptyFirstListDoesNotStartWhatRuns) {
  Begin();
  Write("a", "forever");
  ExpectSettles();
  const std::string uid = node_->UidOf("a");
  node_->KillAgent();
  node_->runtime().faults().Script("ListContainers", Fault::Empty(), 3);
  node_->StartAgent();
  ExpectSettles();
  EXPECT_EQ(Runs(uid), 1u);
}

TEST_F(RestartTest, FirstListWithoutSandboxesDoesNotStartWhatRuns) {
  Begin();
  Write("a", "forever");
  ExpectSettles();
  const std::string uid = node_->UidOf("a");
  node_->KillAgent();
  node_->runtime().faults().Script("ListPodSandbox", Fault::Empty(), 3);
  node_->StartAgent();
  ExpectSettles();
  EXPECT_EQ(Runs(uid), 1u);
}

TEST_F(RestartTest, ListsThatDoNotShowWhatWasJustMade) {
  Begin();
  FaultRates rates;
  rates.empty_list = 1;
  node_->runtime().faults().SetRates(rates);
  Write("a", "forever");
  Run(absl::Minutes(2));
  EXPECT_EQ(Runs(node_->UidOf("a")), 1u);
  node_->runtime().faults().Quiet();
  ExpectSettles();
  EXPECT_EQ(Runs(node_->UidOf("a")), 1u);
}

TEST_F(RestartTest, StartThatTakesEffectAfterItsDeadline) {
  Begin();
  node_->runtime().faults().Script("StartContainer", Fault::Late(absl::Minutes(3)));
  Write("a", "forever");
  Run(absl::Minutes(5));
  ExpectSettles();
  EXPECT_EQ(Runs(node_->UidOf("a")), 1u);
}

TEST_F(RestartTest, CreationThatTakesEffectAfterItsDeadline) {
  for (const char* method : {"CreateContainer", "RunPodSandbox"}) {
    SCOPED_TRACE(method);
    invariants_.reset();
    node_.reset();
    Begin();
    node_->runtime().faults().Script(method, Fault::Late(absl::Minutes(5)));
    Write("a", "forever");
    Run(absl::Minutes(7));
    ExpectSettles();
    EXPECT_EQ(Runs(node_->UidOf("a")), 1u);
  }
}

TEST_F(RestartTest, OneHungPodHoldsNoOtherUp) {
  Begin();
  node_->runtime().faults().Script("RunPodSandbox", Fault::Late(absl::InfiniteDuration()));
  Write("a", "forever");
  Run(absl::Seconds(5));
  Write("b", "forever");
  EXPECT_TRUE(RunUntil([&] { return node_->IsReady("b"); }, absl::Seconds(10)));
  EXPECT_FALSE(node_->IsReady("a"));
  ExpectSettles();
}

TEST_F(RestartTest, RuntimeRestartedUnderRunningPods) {
  Begin();
  for (const char* kind : {"forever", "sidecar", "probed", "volumes"})
    Write(std::string(1, kind[0]), kind);
  ExpectSettles();
  for (int i = 0; i < 3; ++i) {
    node_->runtime().GoDown();
    Run(absl::Seconds(20));
    node_->runtime().ComeBack();
    Run(absl::Minutes(1));
  }
  ExpectSettles();
  for (const auto& [file, wanted] : invariants_->wanted()) EXPECT_EQ(Runs(wanted.uid), 1u) << file;
}

TEST_F(RestartTest, RuntimeThatLostAllContainersGetsThemBack) {
  Begin();
  Write("a", "forever");
  Write("b", "sidecar");
  ExpectSettles();
  node_->runtime().GoDown();
  Run(absl::Seconds(10));
  std::vector<std::string> sandboxes, containers;
  for (const auto& [id, sandbox] : node_->runtime().sandboxes()) sandboxes.push_back(id);
  for (const auto& [id, container] : node_->runtime().containers()) containers.push_back(id);
  for (const std::string& id : containers) node_->runtime().KillContainer(id, 137, "Error");
  for (const std::string& id : sandboxes) node_->runtime().KillSandbox(id);
  node_->runtime().ComeBack();
  ExpectSettles();
  EXPECT_EQ(Runs(node_->UidOf("a")), 2u);
  EXPECT_EQ(node_->RestartCount("a", "main"), 1);
  EXPECT_EQ(Runs(node_->UidOf("b"), "init"), 2u) << "a new sandbox begins from the start";
}

TEST_F(RestartTest, EventsThatAreLostCostTimeOnly) {
  Begin();
  Write("a", "forever");
  ExpectSettles();
  FaultRates rates;
  rates.drop_event = 1;
  node_->runtime().faults().SetRates(rates);
  const std::string uid = node_->UidOf("a");
  node_->runtime().KillContainer(node_->runtime().LiveContainers(uid).front());
  EXPECT_TRUE(RunUntil([&] { return Runs(uid) == 2; }, absl::Minutes(6)));
  ExpectSettles();
}

// What an earlier agent had asked for takes effect when the next one has looked already.
TEST_F(RestartTest, PodThatAppearsAfterTheFirstListIsEnded) {
  SimNode::Options options;
  options.runtime.run_sandbox_takes = absl::Seconds(30);
  Begin(std::move(options));
  Write("a", "forever");
  Run(absl::Seconds(5));
  node_->KillAgent(SimNode::CallsUnderWay::kGoOn);
  Remove("a");
  node_->StartAgent();
  Run(absl::Seconds(10));
  EXPECT_THAT(node_->runtime().sandboxes(), IsEmpty());
  Run(absl::Seconds(30));
  ExpectSettles();
  EXPECT_THAT(node_->runtime().sandboxes(), IsEmpty());
}

// ---- Pods that are to end (users.md 1.5)

TEST_F(RestartTest, TerminationGoesOnAfterARestart) {
  Begin();
  Write("a", "hooks and sidecars");
  ExpectSettles();
  Remove("a");
  Run(absl::Seconds(2));  // in the middle of the preStop hook
  node_->KillAgent();
  Run(absl::Minutes(1));
  node_->StartAgent();
  ExpectSettles(absl::Minutes(2));
  EXPECT_THAT(node_->runtime().containers(), IsEmpty());
}

TEST_F(RestartTest, PodThatCompletedBeforeTheRestartGoesWithItsManifest) {
  Begin();
  Write("a", "once");
  ExpectSettles();
  RestartAgent();
  ExpectSettles();
  EXPECT_EQ(node_->PhaseOf("a"), "Succeeded");
  EXPECT_EQ(Runs(node_->UidOf("a")), 1u);
  Remove("a");
  ExpectSettles();
  EXPECT_THAT(node_->runtime().sandboxes(), IsEmpty());
}

TEST_F(RestartTest, PodDeletedAtAnyMomentOfItsEndLeavesNothing) {
  // Late answers make the moments long: the pod is let go in each of them.
  for (int moment = 0; moment < 40; ++moment) {
    SCOPED_TRACE(moment);
    invariants_.reset();
    node_.reset();
    SimNode::Options options;
    options.runtime.stop_sandbox_takes = absl::Milliseconds(300);
    Begin(std::move(options));
    FaultRates rates;
    rates.delay = 1;
    rates.max_delay = absl::Milliseconds(500);
    node_->runtime().faults().SetRates(rates);
    Write("a", "once");
    ASSERT_TRUE(RunUntil([&] { return node_->PhaseOf("a") == "Succeeded"; }));
    Run(absl::Milliseconds(100) * moment);
    Remove("a");
    ExpectSettles();
  }
}

TEST_F(RestartTest, StuckUnmountIsTriedAgain) {
  Begin();
  Write("a", "volumes");
  ExpectSettles();
  node_->SetFaults([](std::string_view operation, std::string_view) {
    return operation == "mounts.unmount" ? EBUSY : 0;
  });
  const std::string uid = node_->UidOf("a");
  Remove("a");
  Run(absl::Minutes(5));
  EXPECT_THAT(node_->runtime().LiveContainers(uid), IsEmpty());
  EXPECT_THAT(node_->mounter().mounts(), ::testing::Not(IsEmpty()));
  EXPECT_TRUE(fs::exists(node_->paths().PodVolumes(uid)));
  ASSERT_TRUE(node_->FindPod("a").has_value()) << "it is shown as long as it is not gone";
  EXPECT_THAT(node_->FindPod("a")->circumstances.sync_error,
              ::testing::HasSubstr("mounts.unmount"));
  EXPECT_LE(LogLines("Error syncing pod"), 2u) << "told once, not at every try";
  node_->SetFaults(nullptr);
  ExpectSettles(absl::Minutes(1));
}

TEST_F(RestartTest, ProcessThatDoesNotDieIsWaitedFor) {
  Begin();
  PodKind unkillable = Kind("stubborn");
  unkillable.spec =
      absl::StrContains(unkillable.spec, "say=%v")
          ? std::string(unkillable.spec).replace(unkillable.spec.find("say=%v"), 6, "unkillable")
          : unkillable.spec;
  invariants_->WriteManifest("a.yaml", "a", unkillable, MakeManifest(unkillable, "a", 0));
  ASSERT_TRUE(RunUntil([&] { return node_->IsReady("a"); }));
  const std::string uid = node_->UidOf("a");
  Remove("a");
  Run(absl::Minutes(20));
  ASSERT_THAT(node_->runtime().LiveContainers(uid), SizeIs(1));
  EXPECT_TRUE(fs::exists(node_->paths().Pod(uid)));
  EXPECT_TRUE(node_->cgroups().pods().contains(uid));
  node_->runtime().KillContainer(node_->runtime().LiveContainers(uid).front());
  ExpectSettles();
}

TEST_F(RestartTest, SameUidRemovedAndAddedAgain) {
  for (const absl::Duration pause :
       {absl::Milliseconds(1), absl::Milliseconds(1500), absl::Seconds(3), absl::Seconds(30)}) {
    SCOPED_TRACE(FormatGoDuration(pause));
    invariants_.reset();
    node_.reset();
    Begin();
    Write("a", "preStop sleep");
    ExpectSettles();
    const std::string uid = node_->UidOf("a");
    Remove("a");
    Run(pause);
    Write("a", "preStop sleep");
    ExpectSettles();
    EXPECT_EQ(node_->UidOf("a"), uid);
    EXPECT_THAT(node_->runtime().LiveContainers(uid), SizeIs(1));
  }
}

TEST_F(RestartTest, StaticPodReplacedWhileTerminating) {
  Begin();
  Write("a", "stubborn", 0);
  ExpectSettles();
  const std::string first = node_->UidOf("a");
  std::vector<std::string> uids;
  for (int variant = 1; variant <= 3; ++variant) {
    Write("a", "stubborn", variant);
    Run(absl::Milliseconds(1100));
    uids.push_back(invariants_->wanted().at("a.yaml").uid);
    EXPECT_THAT(node_->runtime().LiveContainers(first), SizeIs(1)) << "its grace period runs";
    EXPECT_THAT(node_->runtime().LiveContainers(uids.back()), IsEmpty());
  }
  ExpectSettles();
  EXPECT_EQ(Runs(uids[0]), 0u);
  EXPECT_EQ(Runs(uids[1]), 0u);
  EXPECT_EQ(Runs(uids[2]), 1u);
}

TEST_F(RestartTest, StaticPodReplacedWhileNoAgentRuns) {
  Begin();
  Write("a", "forever", 0);
  ExpectSettles();
  const std::string first = node_->UidOf("a");
  node_->KillAgent();
  Write("a", "forever", 1);
  node_->StartAgent();
  ExpectSettles();
  EXPECT_THAT(node_->runtime().LiveContainers(first), IsEmpty());
}

// It cannot be run again, and nothing in it has failed: it must not stay Pending for ever.
TEST_F(RestartTest, PodThatRunsOnceAndLosesItsSandboxFails) {
  Begin();
  Write("a", "once, with a sidecar");
  const std::string uid = invariants_->wanted().at("a.yaml").uid;
  ASSERT_TRUE(RunUntil([&] { return Runs(uid, "side") == 1; }));
  ASSERT_EQ(Runs(uid), 0u);
  node_->runtime().KillSandbox(node_->runtime().ReadySandboxes(uid).front());
  ASSERT_TRUE(RunUntil([&] { return node_->PhaseOf("a") == "Failed"; }));
  EXPECT_THAT(node_->FindPod("a")->status->message(), ::testing::HasSubstr("sandbox was lost"));
  RestartAgent();
  EXPECT_TRUE(RunUntil([&] { return node_->PhaseOf("a") == "Failed"; }));
  EXPECT_EQ(Runs(uid), 0u);
}

// ---- What is left of pods (users.md 1.6, 5.1 #72257)

class OrphanTest : public RestartTest {
 protected:
  // Something that some other kubelet has mounted below a pod's directory, with data behind it.
  std::string PlantMount() {
    const std::string target =
        node_->paths().PodVolume("0d1f3a2b-orphan", "kubernetes.io~csi", "data");
    fs::create_directories(target);
    std::ofstream(target + "/precious") << "data";
    EXPECT_TRUE(node_->mounter().Mount("remote", target, "nfs", "").ok());
    return target;
  }
};

TEST_F(OrphanTest, OrphanDirectoryWithALiveMountIsNeverDeleted) {
  Begin();
  node_->KillAgent();
  const std::string target = PlantMount();
  node_->StartAgent();
  Run(absl::Minutes(30));
  EXPECT_TRUE(fs::exists(target + "/precious"));
  EXPECT_EQ(LogLines("Cleaning up after earlier pods failed"), 1u) << "told once";
  ASSERT_TRUE(node_->mounter().Unmount(target).ok());
  Run(absl::Minutes(30));
  EXPECT_TRUE(fs::exists(target + "/precious")) << "what is not ours is only removed when empty";
  fs::remove(target + "/precious");
  ExpectSettles();
  EXPECT_FALSE(fs::exists(node_->paths().Pod("0d1f3a2b-orphan")));
}

TEST_F(OrphanTest, DataBehindAStuckSubPathIsNotDeleted) {
  Begin();
  Write("a", "volumes");
  ExpectSettles();
  const std::string uid = node_->UidOf("a");
  node_->KillAgent();
  Remove("a");
  const std::string target = node_->paths().PodSubPath(uid, "data", "main", 1);
  ASSERT_TRUE(node_->mounter().mounts().contains(target));
  std::ofstream(target + "/precious") << "data";  // stands for what is behind the mount
  node_->SetFaults([](std::string_view operation, std::string_view path) {
    return operation == "mounts.unmount" && absl::StrContains(ToAbsl(path), "volume-subpaths")
               ? EBUSY
               : 0;
  });
  node_->StartAgent();
  Run(absl::Minutes(10));
  EXPECT_TRUE(fs::exists(target + "/precious"));
  fs::remove(target + "/precious");
  node_->SetFaults(nullptr);
  ExpectSettles();
}

TEST_F(OrphanTest, OrphansAreCleanedUpWhenTheDiskWorksAgain) {
  Begin();
  Write("a", "volumes");
  ExpectSettles();
  const std::string uid = node_->UidOf("a");
  node_->KillAgent();
  Remove("a");
  node_->SetFaults([](std::string_view operation, std::string_view) {
    return operation == "unlink" || operation == "rmdir" ? EIO : 0;
  });
  node_->StartAgent();
  Run(absl::Minutes(5));
  EXPECT_TRUE(fs::exists(node_->paths().Pod(uid)));
  node_->SetFaults(nullptr);
  ExpectSettles();
}

// ---- The disk fails

TEST_F(RestartTest, ManifestThatCannotBeReadEndsNoPod) {
  Begin();
  Write("a", "forever");
  ExpectSettles();
  const std::string uid = node_->UidOf("a");
  for (const char* failing : {"stat", "open", "read", "list"}) {
    SCOPED_TRACE(failing);
    node_->SetFaults([failing](std::string_view operation, std::string_view path) {
      return operation == failing && path.starts_with("manifests") ? EIO : 0;
    });
    Write("b", "forever");  // has the directory looked at
    Run(absl::Minutes(2));
    Remove("b");
    Run(absl::Minutes(2));
    EXPECT_THAT(node_->runtime().LiveContainers(uid), SizeIs(1));
  }
  node_->SetFaults(nullptr);
  ExpectSettles();
  EXPECT_EQ(Runs(uid), 1u);
}

TEST_F(RestartTest, ManifestThatCannotBeReadAtTheStartEndsNoPod) {
  Begin();
  Write("a", "forever");
  Write("b", "forever");
  ExpectSettles();
  const std::string uid = node_->UidOf("a");
  node_->KillAgent();
  node_->SetFaults([](std::string_view operation, std::string_view path) {
    return operation == "open" && path == "manifests/a.yaml" ? EIO : 0;
  });
  node_->StartAgent();
  EXPECT_TRUE(RunUntil([&] { return node_->IsReady("b"); })) << "the others go on meanwhile";
  Run(absl::Minutes(5));
  EXPECT_THAT(node_->runtime().LiveContainers(uid), SizeIs(1));
  node_->SetFaults(nullptr);
  ExpectSettles();
  EXPECT_EQ(Runs(uid), 1u);
}

TEST_F(RestartTest, FullDiskDelaysAndLosesNothing) {
  Begin();
  Write("a", "volumes");
  ExpectSettles();
  node_->SetFaults([](std::string_view operation, std::string_view) {
    return operation == "write" || operation == "mkdir" || operation == "symlink" ? ENOSPC : 0;
  });
  Write("b", "volumes");
  Run(absl::Minutes(10));
  EXPECT_EQ(node_->PhaseOf("b"), "Pending");
  EXPECT_TRUE(node_->IsReady("a"));
  node_->SetFaults(nullptr);
  ExpectSettles();
  EXPECT_EQ(Runs(node_->UidOf("a")), 1u);
  EXPECT_EQ(Runs(node_->UidOf("b")), 1u);
}

TEST_F(RestartTest, LinkOfALogGoesWithItsContainerWhenTheDiskWorksAgain) {
  Begin();
  Write("a", "forever");
  ExpectSettles();
  node_->SetFaults(
      [](std::string_view operation, std::string_view) { return operation == "unlink" ? EIO : 0; });
  Remove("a");
  Run(absl::Minutes(2));
  node_->SetFaults(nullptr);
  ExpectSettles();
  EXPECT_TRUE(fs::is_empty(node_->paths().container_logs()));
}

// ---- Restarts (users.md 1.11)

TEST_F(RestartTest, ReadinessDoesNotFlip) {
  Begin();
  Write("a", "forever");
  Write("b", "sidecar");
  ExpectSettles();
  for (int i = 0; i < 3; ++i) {
    node_->KillAgent();
    Run(absl::Minutes(1));
    node_->StartAgent();
    const absl::Time end = node_->loop().Now() + absl::Minutes(1);
    while (node_->loop().Now() < end) {
      node_->Step(end - node_->loop().Now());
      for (const char* name : {"a", "b"}) {
        if (node_->PhaseOf(name) == "Running") ASSERT_TRUE(node_->IsReady(name)) << name;
      }
    }
  }
  ExpectSettles();
}

TEST_F(RestartTest, ContainersWithProbesRunOn) {
  Begin();
  Write("a", "probed");
  ExpectSettles();
  for (int i = 0; i < 3; ++i) {
    node_->KillAgent();
    Run(absl::Minutes(1));
    node_->StartAgent();
    Run(absl::Minutes(1));
  }
  ExpectSettles();
  EXPECT_EQ(Runs(node_->UidOf("a")), 1u);
}

TEST_F(RestartTest, BackOffOfACrashingContainerLeavesFewDeadOnes) {
  Begin();
  Write("a", "bad postStart");
  Run(absl::Minutes(60));
  size_t dead = 0;
  for (const auto& [id, container] : node_->runtime().containers()) dead += !container.running();
  EXPECT_GE(node_->RestartCount("a", "main"), 5);
  EXPECT_LE(dead, 2u);
}

TEST_F(RestartTest, ContainerThatFailsItsLivenessProbeBacksOff) {
  Begin();
  Write("a", "sick");
  ASSERT_TRUE(RunUntil([&] { return node_->WaitingReason("a", "main") == "CrashLoopBackOff"; }));
  Run(absl::Hours(1));
  const size_t runs = Runs(node_->UidOf("a"));
  EXPECT_GE(runs, 8u);
  // Every five minutes in the end; the instance that is killed does not count for its own
  // successor's back-off, so that they come in pairs (pod-lifecycle.md 7.4.1).
  EXPECT_LE(runs, 40u);
}

// The instance that an earlier agent had asked to be started runs, and ends, while the next one
// still believes it not to be started.
TEST_F(RestartTest, InitContainerStartedByAnEarlierAgentIsNotRunTwice) {
  for (const absl::Duration late : {absl::Milliseconds(500), absl::Seconds(3), absl::Seconds(15)}) {
    SCOPED_TRACE(FormatGoDuration(late));
    invariants_.reset();
    node_.reset();
    Begin();
    FaultRates rates;
    rates.drop_event = 1;
    node_->runtime().faults().SetRates(rates);
    node_->runtime().faults().Script("StartContainer", Fault::Late(late));
    Write("a", "init");
    const std::string uid = invariants_->wanted().at("a.yaml").uid;
    ASSERT_TRUE(RunUntil([&] { return invariants_->Created(uid, "init") == 1; }));
    Run(absl::Milliseconds(100));
    node_->KillAgent(SimNode::CallsUnderWay::kGoOn);
    node_->runtime().faults().Script("ImageStatus", Fault::Late(absl::Seconds(10)));
    node_->StartAgent();
    ExpectSettles();
    EXPECT_EQ(Runs(uid, "init"), 1u);
    EXPECT_EQ(Runs(uid), 1u);
  }
}

// Nothing happens to the pod any more that would bring a further turn.
TEST_F(RestartTest, DeadContainersThatCouldNotBeRemovedAreTriedAgain) {
  Begin();
  Write("a", "forever");
  ExpectSettles();
  const std::string uid = node_->UidOf("a");
  node_->SetFaults(
      [](std::string_view operation, std::string_view) { return operation == "unlink" ? EIO : 0; });
  for (int i = 0; i < 3; ++i) {
    node_->runtime().KillContainer(node_->runtime().LiveContainers(uid).front());
    Run(absl::Minutes(2));
  }
  EXPECT_GE(node_->runtime().containers().size(), 4u);
  node_->SetFaults(nullptr);
  Run(absl::Minutes(1));
  EXPECT_EQ(node_->runtime().containers().size(), 2u) << "the live one and the last dead one";
  ExpectSettles();
}

// ---- What pods try (users.md 5.1)

class HostileTest : public RestartTest {
 protected:
  void WriteText(const std::string& name, const std::string& spec) {
    node_->WriteManifest(
        name + ".yaml",
        StrCat("apiVersion: v1\nkind: Pod\nmetadata: {name: ", name, "}\nspec: ", spec, "\n"));
  }
  // Reasons of the events about a pod.
  std::vector<std::string> Reasons(const std::string& name) {
    std::vector<std::string> reasons;
    for (const RecordedEvents::Event& event : node_->events().events) {
      if (event.pod == StrCat("default/", name, "-sim")) reasons.push_back(event.reason);
    }
    return reasons;
  }
  std::string DataVolume(const std::string& uid) {
    return node_->paths().PodVolume(uid, "kubernetes.io~empty-dir", "data");
  }
};

// CVE-2017-1002101: a container makes its subPath a link to the host, then ends.
TEST_F(HostileTest, SubPathThatHasBecomeALinkOutOfTheVolume) {
  Begin();
  Write("a", "volumes");
  ExpectSettles();
  const std::string uid = node_->UidOf("a");
  fs::remove_all(DataVolume(uid) + "/a");
  fs::create_directory_symlink("/etc", DataVolume(uid) + "/a");
  node_->runtime().KillContainer(node_->runtime().LiveContainers(uid).front());
  Run(absl::Seconds(5));
  EXPECT_EQ(node_->WaitingReason("a", "main"), "CreateContainerConfigError");
  Run(absl::Minutes(2));
  EXPECT_EQ(Runs(uid), 1u);
  EXPECT_FALSE(fs::exists("/etc/b"));
  fs::remove(DataVolume(uid) + "/a");
  ExpectSettles();
}

// CVE-2017-1002102: a container replaces what the agent writes by links to the host.
TEST_F(HostileTest, LinksPlantedInVolumesLeadTheAgentNowhere) {
  Begin();
  Write("a", "volumes");
  ExpectSettles();
  const std::string uid = node_->UidOf("a");
  const std::string outside = node_->directory() + "/outside";
  fs::create_directories(outside + "/..data");
  std::ofstream(outside + "/precious") << "data";
  const std::string info = node_->paths().PodVolume(uid, "kubernetes.io~downward-api", "info");
  ASSERT_TRUE(fs::exists(info + "/labels"));
  fs::remove(info + "/..data");
  fs::create_directory_symlink(outside, info + "/..data");
  fs::create_directory_symlink(outside, DataVolume(uid) + "/link");
  RestartAgent();
  Run(absl::Minutes(1));
  Remove("a");
  ExpectSettles();
  EXPECT_TRUE(fs::exists(outside + "/precious"));
  EXPECT_FALSE(fs::exists(outside + "/labels"));
}

// CVE-2024-10220: repositories are never fetched.
TEST_F(HostileTest, GitRepoVolumesAreRefused) {
  Begin();
  WriteText("a",
            "{containers: [{name: main, image: busybox, volumeMounts: [{name: g, mountPath: "
            "/g}]}], volumes: [{name: g, gitRepo: {repository: 'https://example.org/r'}}]}");
  Run(absl::Minutes(2));
  EXPECT_EQ(node_->PhaseOf("a"), "Pending");
  EXPECT_THAT(Reasons("a"), Contains("FailedMount"));
  EXPECT_THAT(node_->runtime().containers(), IsEmpty());
}

// CVE-2025-4563: static pods name no objects of the API.
TEST_F(HostileTest, StaticPodsNameNoApiObjects) {
  Begin();
  const char* const kVolumes[] = {"secret: {secretName: s}", "configMap: {name: c}",
                                  "persistentVolumeClaim: {claimName: p}",
                                  "projected: {sources: [{serviceAccountToken: {path: t}}]}"};
  int number = 0;
  for (const char* volume : kVolumes) {
    WriteText(
        StrCat("a", number++),
        StrCat("{containers: [{name: main, image: busybox}], volumes: [{name: v, ", volume, "}]}"));
  }
  WriteText("env",
            "{containers: [{name: main, image: busybox, envFrom: [{secretRef: {name: s}}]}]}");
  Write("good", "forever");
  ExpectSettles();
  EXPECT_THAT(node_->agent().pods().Reports(), SizeIs(1));
  EXPECT_THAT(node_->agent().problems(), SizeIs(5));
}

TEST_F(HostileTest, NamesThatWouldLeadOutOfTheAgentsDirectory) {
  Begin();
  node_->WriteManifest("a.yaml",
                       "apiVersion: v1\nkind: Pod\nmetadata: {name: a, uid: ../../../etc}\nspec: "
                       "{containers: [{name: main, image: busybox}]}\n");
  node_->WriteManifest("b.yaml",
                       "apiVersion: v1\nkind: Pod\nmetadata: {name: ../b}\nspec: {containers: "
                       "[{name: main, image: busybox}]}\n");
  node_->WriteManifest("c.yaml",
                       "apiVersion: v1\nkind: Pod\nmetadata: {name: c}\nspec: {containers: [{name: "
                       "../main, image: busybox}]}\n");
  Run(absl::Minutes(1));
  EXPECT_THAT(node_->agent().pods().Reports(), IsEmpty());
  EXPECT_THAT(node_->agent().problems(), SizeIs(3));
}

TEST_F(HostileTest, DeeplyNestedManifestDisturbsNoOther) {
  Begin();
  node_->WriteManifest("a.yaml", std::string(200'000, '['));
  node_->WriteManifest("b.yaml", std::string(200'000, '{'));
  Write("good", "forever");
  ExpectSettles();
  EXPECT_THAT(node_->agent().problems(), SizeIs(2));
}

}  // namespace
}  // namespace cubelet::simulation
