// A container runtime in memory, for tests, the simulator and benchmarks: sandboxes, containers,
// images and their processes on a loop of any kind, with containerd's semantics and error texts,
// faults on demand, and a journal of all that happened.
//
// It outlives the agent under test: destroying the agent's tasks in the middle of a call is what
// the end of its process looks like from here. Calls that are cancelled before they took effect do
// not take effect.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "async/loop.h"
#include "async/scope.h"
#include "async/signal.h"
#include "cri/runtime.h"
#include "fakes/event_feed.h"
#include "fakes/faults.h"
#include "fakes/image_store.h"
#include "fakes/journal.h"
#include "fakes/process.h"
#include "fakes/sim_state.h"

namespace cubelet::fakes {

struct SimOptions {
  uint64_t seed = 1;  // of ids and faults
  bool offers_events = true;
  bool offers_runtime_config = true;
  criv1::CgroupDriver cgroup_driver = criv1::CGROUPFS;
  std::string pod_network = "10.88.0.0/16";  // IPv4 range of the pods' addresses
  // Whether containers write their logs and termination messages to the real paths given to them.
  bool write_files = false;
  // Whether RemoveContainer and RemovePodSandbox kill what still runs, as runtimes do, instead of
  // refusing, which shows that somebody removes what it has not stopped.
  bool force_remove = false;
  absl::Duration run_sandbox_takes;
  absl::Duration create_takes;
  absl::Duration start_takes;
  absl::Duration stop_sandbox_takes;
  // When a caller gives up: twice that for RunPodSandbox, plus the grace period for StopContainer,
  // never for PullImage.
  absl::Duration call_timeout = absl::Minutes(2);
  size_t journal_limit = 100'000;  // 0: no journal
};

struct ExecCall {
  std::string container_id;
  std::string container_name;
  std::string pod_uid;
  std::vector<std::string> command;
};

struct ExecOutcome {
  int exit_code = 0;
  std::string out;
  std::string err;
  absl::Duration takes;  // longer than the caller's timeout: DEADLINE_EXCEEDED
  absl::Status status;   // not OK: the command could not be run
};

class SimRuntime final : public cri::Runtime, public cri::Images {
 public:
  explicit SimRuntime(async::Loop& loop, SimOptions options = {});
  ~SimRuntime() override;
  SimRuntime(const SimRuntime&) = delete;
  SimRuntime& operator=(const SimRuntime&) = delete;

  // ---- What containers do. The function is asked first, then the process set for the image, then
  // the container's command (ProcessOf).

  using ProcessFn = std::function<std::optional<Process>(const criv1::ContainerConfig& config,
                                                         const std::string& pod_uid)>;
  void SetProcesses(ProcessFn fn) { process_fn_ = std::move(fn); }
  void SetImageProcess(std::string_view image, Process process);

  // Outcome of commands in containers of that name; of any other: exit code 0, no output.
  void SetExec(std::string container_name, ExecOutcome outcome);

  // Asked before those; nothing: not of this function's.
  using ExecFn = std::function<std::optional<ExecOutcome>(const ExecCall& call)>;
  void SetExecHandler(ExecFn fn) { exec_fn_ = std::move(fn); }

  // The base of the URLs that Exec, Attach and PortForward give, as of a streaming server that
  // somebody else runs: "http://127.0.0.1:4000". Without it they are UNIMPLEMENTED.
  void SetStreamingServer(std::string url) { streaming_url_ = std::move(url); }

  ImageStore& image_store() { return image_store_; }

  // ---- What happens to it.

  // Ends a running container from outside (OOM, a signal from inside). False if it does not run.
  bool KillContainer(const std::string& id, int exit_code = 137,
                     const std::string& reason = "OOMKilled");

  // The sandbox' own process dies; its containers live on. False if it is not ready.
  bool KillSandbox(const std::string& id);

  // The runtime's process ends: calls under way and to come fail with UNAVAILABLE and streams end
  // until it comes back. Containers go on, as they do under containerd.
  void GoDown();
  void ComeBack();
  bool up() const { return up_; }

  // The process that asks dies: nothing more arrives from it, whatever its tasks still try. Of its
  // calls under way those that have not taken effect never will, unless they go on without it.
  enum class CallsUnderWay { kEnd, kGoOn };
  void CallerDies(CallsUnderWay calls);
  void CallerIsBack();

  // What Status reports.
  void SetReady(bool runtime_ready, bool network_ready, std::string message = "");

  // What ImageFsInfo reports.
  void SetImageFs(std::string mountpoint, uint64_t used_bytes, uint64_t inodes_used);

  FaultPlan& faults() { return faults_; }

  // ---- What it holds.

  Journal& journal() { return journal_; }
  const std::map<std::string, SimSandbox>& sandboxes() const { return sandboxes_; }
  const std::map<std::string, SimContainer>& containers() const { return containers_; }

  // Ids of the running instances of a container of a pod, of all its containers with name "".
  std::vector<std::string> LiveContainers(const std::string& pod_uid,
                                          const std::string& name = "") const;
  std::vector<std::string> ReadySandboxes(const std::string& pod_uid) const;

  // The newest instance, running or not; null if there is none.
  const SimContainer* FindContainer(const std::string& pod_uid, const std::string& name) const;

  // Usage of the running containers, all alike: for callers who need any numbers.
  criv1::ListContainerStatsResponse ContainerStats(const criv1::ContainerStatsFilter& filter) const;

  // ---- cri::Runtime and cri::Images.

  async::Task<absl::StatusOr<criv1::VersionResponse>> Version() override;
  async::Task<absl::StatusOr<criv1::StatusResponse>> Status(bool verbose) override;
  async::Task<absl::StatusOr<criv1::RuntimeConfigResponse>> RuntimeConfig() override;
  async::Task<absl::StatusOr<std::string>> RunPodSandbox(criv1::PodSandboxConfig config,
                                                         std::string handler) override;
  async::Task<absl::Status> StopPodSandbox(std::string sandbox_id) override;
  async::Task<absl::Status> RemovePodSandbox(std::string sandbox_id) override;
  async::Task<absl::StatusOr<criv1::PodSandboxStatusResponse>> PodSandboxStatus(
      std::string sandbox_id) override;
  async::Task<absl::StatusOr<criv1::ListPodSandboxResponse>> ListPodSandbox(
      criv1::PodSandboxFilter filter) override;
  async::Task<absl::StatusOr<std::string>> CreateContainer(
      std::string sandbox_id, criv1::ContainerConfig config,
      criv1::PodSandboxConfig sandbox_config) override;
  async::Task<absl::Status> StartContainer(std::string container_id) override;
  async::Task<absl::Status> StopContainer(std::string container_id, absl::Duration grace) override;
  async::Task<absl::Status> RemoveContainer(std::string container_id) override;
  async::Task<absl::StatusOr<criv1::ListContainersResponse>> ListContainers(
      criv1::ContainerFilter filter) override;
  async::Task<absl::StatusOr<criv1::ContainerStatusResponse>> ContainerStatus(
      std::string container_id) override;
  async::Task<absl::Status> UpdateContainerResources(
      criv1::UpdateContainerResourcesRequest request) override;
  async::Task<absl::Status> ReopenContainerLog(std::string container_id) override;
  async::Task<absl::StatusOr<criv1::ExecSyncResponse>> ExecSync(std::string container_id,
                                                                std::vector<std::string> command,
                                                                absl::Duration timeout) override;
  async::Task<absl::StatusOr<std::string>> Exec(criv1::ExecRequest request) override;
  async::Task<absl::StatusOr<std::string>> Attach(criv1::AttachRequest request) override;
  async::Task<absl::StatusOr<std::string>> PortForward(criv1::PortForwardRequest request) override;
  async::Task<absl::StatusOr<std::unique_ptr<cri::EventStream>>> WatchEvents() override;

  async::Task<absl::StatusOr<criv1::ListImagesResponse>> ListImages() override;
  async::Task<absl::StatusOr<criv1::ImageStatusResponse>> ImageStatus(
      criv1::ImageSpec image) override;
  async::Task<absl::StatusOr<std::string>> PullImage(criv1::ImageSpec image, criv1::AuthConfig auth,
                                                     criv1::PodSandboxConfig sandbox) override;
  async::Task<absl::Status> RemoveImage(criv1::ImageSpec image) override;
  async::Task<absl::StatusOr<criv1::ImageFsInfoResponse>> ImageFsInfo() override;

 private:
  // One call on its way through the runtime.
  struct Call {
    const char* method = "";
    std::string id;  // what it is about
    std::string pod_uid;
    std::string name;
    absl::Duration takes;
    absl::Duration deadline;
    // Done when the call arrives, before its time passes; its error ends the call.
    std::function<absl::Status()> on_arrival;
    // Whether the answer OK is given (and noted) by the caller, after more has happened.
    bool answered_later = false;
  };
  // Carries a call on when its caller dies during it.
  struct Survivor {
    SimRuntime* runtime;
    absl::Duration due;            // monotonic
    std::function<void()> effect;  // empty: nothing is left to do
    ~Survivor();
  };
  struct Snapshot {
    std::vector<criv1::PodSandbox> sandboxes;
    std::vector<criv1::Container> containers;
  };

  // Takes the call through faults and time to its effect. T is absl::Status or absl::StatusOr.
  template <typename T>
  async::Task<T> Serve(Call call, std::function<T(const Fault&)> effect);
  Call MakeCall(const char* method, std::string id = "") const;
  Call MakeContainerCall(const char* method, std::string container_id) const;
  Fault Arrive(const Call& call);
  absl::Status Answer(const Call& call, absl::Status status, std::string detail = "");
  void HappenBeside();
  absl::Status Unreachable() const;
  // Waits until `done` or until `timeout` has passed; false then. The error is that of a runtime
  // that went down meanwhile.
  async::Task<absl::StatusOr<bool>> WaitForExit(std::string container_id, absl::Duration timeout);

  async::Loop::TimerId Later(absl::Duration delay, std::function<void()> fn);
  void CancelTimers(SimContainer& container);
  std::string NewId();
  int64_t Stamp();
  void Note(const char* what, const std::string& id, const std::string& pod_uid,
            const std::string& name = "", std::string detail = "");
  void Remember();
  const Snapshot* StaleSnapshot();
  Snapshot CurrentSnapshot() const;
  void Emit(criv1::ContainerEventType type, const std::string& id, const std::string& sandbox_id);

  absl::StatusOr<std::string> AddSandbox(const criv1::PodSandboxConfig& config,
                                         const std::string& handler, const std::string& id);
  absl::StatusOr<std::string> TakeIp();
  bool StopContainersOf(const std::string& sandbox_id);
  void MarkStopped(SimSandbox& sandbox);
  absl::Status DropSandbox(const std::string& id);
  absl::StatusOr<std::string> AddContainer(const std::string& sandbox_id,
                                           const criv1::ContainerConfig& config,
                                           const criv1::PodSandboxConfig& sandbox_config,
                                           const std::string& id);
  Process ChooseProcess(const criv1::ContainerConfig& config, const std::string& pod_uid) const;
  absl::Status Start(SimContainer& container);
  absl::Status FailStart(SimContainer& container, const std::string& why);
  void SendStop(SimContainer& container);
  void Exit(const std::string& id, int exit_code, const std::string& reason);
  void WriteTerminationMessage(const SimContainer& container);
  absl::Status DropContainer(const std::string& id);
  ExecOutcome ChooseExec(const std::string& container_id,
                         const std::vector<std::string>& command) const;
  absl::StatusOr<SimContainer*> FindById(const std::string& container_id);
  // A new URL of the streaming server for what runs in a container.
  absl::StatusOr<std::string> StreamOf(const char* kind, const std::string& container_id);
  absl::StatusOr<std::string> NewStreamUrl(const char* kind);

  async::Loop& loop_;
  const SimOptions options_;
  std::mt19937_64 ids_;
  FaultPlan faults_;
  Journal journal_;
  ImageStore image_store_;
  EventFeed events_;
  async::Signal exited_;  // a container ended, or the runtime went down
  absl::flat_hash_set<async::Loop::TimerId> timers_;
  std::map<std::string, SimSandbox> sandboxes_;     // by id
  std::map<std::string, SimContainer> containers_;  // by id
  NameHold::Names sandbox_names_;
  NameHold::Names container_names_;
  std::set<uint32_t> ips_;  // taken, as offsets in the range
  PodNetwork network_;
  std::deque<Snapshot> history_;
  ProcessFn process_fn_;
  std::map<std::string, Process> image_processes_;  // by image id or complete reference
  std::map<std::string, ExecOutcome> execs_;
  ExecFn exec_fn_;
  std::string streaming_url_;
  async::Signal never_;
  bool caller_lives_ = true;
  CallsUnderWay calls_ = CallsUnderWay::kEnd;
  bool up_ = true;
  uint64_t life_ = 0;  // counts how often it went down
  int64_t last_stamp_ = 0;
  bool runtime_ready_ = true;
  bool network_ready_ = true;
  std::string not_ready_message_;
  criv1::FilesystemUsage image_fs_;
};

}  // namespace cubelet::fakes
