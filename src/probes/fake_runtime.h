// A runtime for the tests of this folder: commands run as the test says, everything else is not
// there.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "async/loop.h"
#include "cri/runtime.h"

namespace cubelet::probes {

class FakeRuntime final : public cri::Runtime {
 public:
  explicit FakeRuntime(async::Loop& loop) : loop_(loop) {}

  struct ExecCall {
    std::string container_id;
    std::vector<std::string> command;
    absl::Duration timeout;
    absl::Time at;
  };
  struct Answer {
    absl::StatusOr<criv1::ExecSyncResponse> response = criv1::ExecSyncResponse();
    absl::Duration after;
  };

  static Answer Exits(int code, std::string out = "", std::string err = "") {
    Answer answer;
    answer.response->set_exit_code(code);
    answer.response->set_stdout(std::move(out));
    answer.response->set_stderr(std::move(err));
    return answer;
  }

  std::function<Answer(const ExecCall&)> on_exec = [](const ExecCall&) { return Exits(0); };
  std::vector<ExecCall> execs;

  async::Task<absl::StatusOr<criv1::ExecSyncResponse>> ExecSync(std::string container_id,
                                                                std::vector<std::string> command,
                                                                absl::Duration timeout) override {
    execs.push_back({container_id, std::move(command), timeout, loop_.Now()});
    Answer answer = on_exec(execs.back());
    if (answer.after > absl::ZeroDuration()) co_await loop_.Sleep(answer.after);
    co_return std::move(answer.response);
  }

  async::Task<absl::StatusOr<std::string>> Exec(criv1::ExecRequest) override { return None(); }
  async::Task<absl::StatusOr<std::string>> Attach(criv1::AttachRequest) override { return None(); }
  async::Task<absl::StatusOr<std::string>> PortForward(criv1::PortForwardRequest) override {
    return None();
  }
  async::Task<absl::StatusOr<criv1::VersionResponse>> Version() override { return None(); }
  async::Task<absl::StatusOr<criv1::StatusResponse>> Status(bool) override { return None(); }
  async::Task<absl::StatusOr<criv1::RuntimeConfigResponse>> RuntimeConfig() override {
    return None();
  }
  async::Task<absl::StatusOr<std::string>> RunPodSandbox(criv1::PodSandboxConfig,
                                                         std::string) override {
    return None();
  }
  async::Task<absl::Status> StopPodSandbox(std::string) override { return Nothing(); }
  async::Task<absl::Status> RemovePodSandbox(std::string) override { return Nothing(); }
  async::Task<absl::StatusOr<criv1::PodSandboxStatusResponse>> PodSandboxStatus(
      std::string) override {
    return None();
  }
  async::Task<absl::StatusOr<criv1::ListPodSandboxResponse>> ListPodSandbox(
      criv1::PodSandboxFilter) override {
    return None();
  }
  async::Task<absl::StatusOr<std::string>> CreateContainer(std::string, criv1::ContainerConfig,
                                                           criv1::PodSandboxConfig) override {
    return None();
  }
  async::Task<absl::Status> StartContainer(std::string) override { return Nothing(); }
  async::Task<absl::Status> StopContainer(std::string, absl::Duration) override {
    return Nothing();
  }
  async::Task<absl::Status> RemoveContainer(std::string) override { return Nothing(); }
  async::Task<absl::StatusOr<criv1::ListContainersResponse>> ListContainers(
      criv1::ContainerFilter) override {
    return None();
  }
  async::Task<absl::StatusOr<criv1::ContainerStatusResponse>> ContainerStatus(
      std::string) override {
    return None();
  }
  async::Task<absl::Status> UpdateContainerResources(
      criv1::UpdateContainerResourcesRequest) override {
    return Nothing();
  }
  async::Task<absl::Status> ReopenContainerLog(std::string) override { return Nothing(); }
  async::Task<absl::StatusOr<std::unique_ptr<cri::EventStream>>> WatchEvents() override {
    return None();
  }

 private:
  static absl::Status NotThere() { return absl::UnimplementedError("not part of this runtime"); }
  static async::Task<absl::Status> Nothing() { co_return NotThere(); }
  // Becomes the task of whatever answer is asked for.
  struct NoAnswer {
    template <typename T>
    operator async::Task<absl::StatusOr<T>>() const {  // NOLINT: implicit by design
      return Fail<T>();
    }
    template <typename T>
    static async::Task<absl::StatusOr<T>> Fail() {
      co_return NotThere();
    }
  };
  static NoAnswer None() { return {}; }

  async::Loop& loop_;
};

}  // namespace cubelet::probes
