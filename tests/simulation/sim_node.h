// A whole node in virtual time: the agent on a simulated runtime, with real files in a directory of
// its own, that can be run step by step, killed at any of them or in the middle of one, and started
// again. One at a time in a process: log clock, fault hook and working directory are its own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "api/events.h"
#include "async/loop.h"
#include "async/scope.h"
#include "base/metrics.h"
#include "fakes/fake_cgroups.h"
#include "fakes/sim_runtime.h"
#include "kubelet/agent.h"
#include "os/fault.h"
#include "volumes/fake_mounter.h"

namespace cubelet::simulation {

class RecordedEvents final : public api::EventRecorder {
 public:
  struct Event {
    std::string pod;  // "<namespace>/<name>"
    std::string field_path;
    bool warning = false;
    std::string reason;
    std::string message;
  };
  void Record(const api::ObjectReference& object, api::EventType type, std::string reason,
              std::string message) override {
    events.push_back({object.name_space + "/" + object.name, object.field_path,
                      type == api::EventType::kWarning, std::move(reason), std::move(message)});
  }
  std::vector<Event> events;
};

class SimNode {
 public:
  struct Options {
    uint64_t seed = 1;
    fakes::SimOptions runtime;
    // Whether files can be watched. For each watch that ends the kernel keeps the process waiting
    // for some milliseconds of real time: too long for those who end thousands.
    bool watches = true;
    // Changes the settings before each start of the agent.
    std::function<void(kubelet::AgentSettings&)> configure;
    // Gives each agent something else than the node itself to deal with, for tests that listen in.
    std::function<kubelet::Seams(const kubelet::Seams&)> wrap;
  };
  using CallsUnderWay = fakes::SimRuntime::CallsUnderWay;

  explicit SimNode(Options options);
  ~SimNode();

  // Manifests, by file name.
  void WriteManifest(const std::string& name, const std::string& yaml);
  void RemoveManifest(const std::string& name);

  // The pod that the agent makes of a manifest; its error is what keeps the manifest from being
  // one.
  absl::StatusOr<PodPtr> ParseManifest(const std::string& name, const std::string& yaml) const;

  void StartAgent();

  // The same where it may fail: false, and no agent runs, when it gives up or dies while it begins.
  bool TryStartAgent();

  // Ends the agent where it stands, as kill -9 would: nothing of it runs any more, nothing that its
  // tasks still try while they are dropped reaches the runtime or the disk.
  void KillAgent(CallsUnderWay calls = CallsUnderWay::kEnd);
  bool agent_runs() const { return agent_ != nullptr; }
  uint64_t lives() const { return lives_; }  // how often an agent was begun

  // Operations of the agent on files, mounts ("mounts.unmount", ...) and cgroups
  // ("cgroups.destroy", ...) are asked for an errno to fail with, 0 for none.
  void SetFaults(os::FaultHook faults) { faults_ = std::move(faults); }

  // The agent dies at its `count`-th operation from now on, 1 being the next: neither this one nor
  // any later one happens. 0 calls it off.
  void DieAtOperation(uint64_t count) { die_at_ = count == 0 ? 0 : operations_ + count; }
  uint64_t operations() const { return operations_; }

  void Run(absl::Duration duration);

  // One step; false when nothing happens within `limit` (the clock has moved by it).
  bool Step(absl::Duration limit);

  // Runs until the condition holds, at most `limit`; whether it does.
  bool RunUntil(const std::function<bool()>& condition, absl::Duration limit = absl::Minutes(5));

  async::Loop& loop() { return *loop_; }
  fakes::SimRuntime& runtime() { return *runtime_; }
  kubelet::Agent& agent() { return *agent_; }
  fakes::FakeCgroups& cgroups() { return cgroups_; }
  volumes::FakeMounter& mounter() { return mounter_; }
  RecordedEvents& events() { return events_; }
  const paths::Paths& paths() const { return *paths_; }
  const std::string& directory() const { return directory_; }

  // The pod of that name (as in the manifest, without the node's name); absent when unknown.
  std::optional<pods::PodReport> FindPod(const std::string& name);
  std::string PhaseOf(const std::string& name);
  bool IsReady(const std::string& name);
  // "" when it has none of that name.
  std::string WaitingReason(const std::string& name, const std::string& container);
  int RestartCount(const std::string& name, const std::string& container);
  std::string UidOf(const std::string& name);

  // Writes what is done to the node into the runtime's journal.
  void Note(const std::string& what);

  // What happened last, for whoever has to find out why a test failed: the runtime's journal and
  // the agent's log.
  std::string Diagnosis(size_t lines = 200) const;

 private:
  kubelet::AgentSettings MakeSettings() const;
  int OnOperation(std::string_view operation, std::string_view path);
  absl::Status OnCall(const std::string& call, const std::string& path);
  bool Turn(absl::Time until);

  Options options_;
  std::string directory_;
  std::shared_ptr<const paths::Paths> paths_;
  std::unique_ptr<async::Loop> loop_;
  std::unique_ptr<fakes::SimRuntime> runtime_;
  fakes::FakeCgroups cgroups_;
  volumes::FakeMounter mounter_;
  RecordedEvents events_;
  Metrics metrics_;
  std::unique_ptr<kubelet::Agent> agent_;
  async::TaskScope scope_;

  os::FaultHook faults_;
  uint64_t lives_ = 0;
  uint64_t operations_ = 0;
  uint64_t die_at_ = 0;
  bool turning_ = false;  // what happens now is the agent's doing
  bool dead_ = false;     // it has died, its tasks are still to be dropped
};

}  // namespace cubelet::simulation
