// A whole node in virtual time: the agent on a simulated runtime, with real files in a directory of
// its own, that can be run step by step, killed at any of them, and started again.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "api/events.h"
#include "async/loop.h"
#include "async/scope.h"
#include "base/metrics.h"
#include "fakes/fake_cgroups.h"
#include "fakes/sim_runtime.h"
#include "kubelet/agent.h"
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
    // Changes the settings before each start of the agent.
    std::function<void(kubelet::AgentSettings&)> configure;
  };

  explicit SimNode(Options options);
  ~SimNode();

  // Manifests, by file name.
  void WriteManifest(const std::string& name, const std::string& yaml);
  void RemoveManifest(const std::string& name);

  void StartAgent();

  // Ends the agent where it stands, as kill -9 would: nothing of it runs any more.
  void KillAgent();
  bool agent_runs() const { return agent_ != nullptr; }

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

 private:
  kubelet::AgentSettings MakeSettings() const;

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
};

}  // namespace cubelet::simulation
