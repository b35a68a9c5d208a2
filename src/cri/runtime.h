// The container runtime as the agent sees it: CRI runtime.v1. One of the few seams at the edge of
// the process; made real by cri::Client over gRPC, and by the simulator's runtime in tests.
//
// Every call ends within its deadline. An error carries the runtime's own code and message;
// UNAVAILABLE means the runtime was not reached, DEADLINE_EXCEEDED that nobody knows whether the
// call took effect. Request messages are taken by value; answers are whatever the runtime says and
// are not to be trusted.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "async/task.h"
#include "cri/types.h"

namespace cubelet::cri {

// The runtime's own event stream. Next waits for one event; any error ends the stream.
class EventStream {
 public:
  virtual ~EventStream() = default;
  virtual async::Task<absl::StatusOr<criv1::ContainerEventResponse>> Next() = 0;
};

class Runtime {
 public:
  virtual ~Runtime() = default;

  virtual async::Task<absl::StatusOr<criv1::VersionResponse>> Version() = 0;
  virtual async::Task<absl::StatusOr<criv1::StatusResponse>> Status(bool verbose) = 0;

  // UNIMPLEMENTED before containerd 2.0.
  virtual async::Task<absl::StatusOr<criv1::RuntimeConfigResponse>> RuntimeConfig() = 0;

  // Gives the sandbox id. `handler` "" is the runtime's default.
  virtual async::Task<absl::StatusOr<std::string>> RunPodSandbox(criv1::PodSandboxConfig config,
                                                                 std::string handler) = 0;
  virtual async::Task<absl::Status> StopPodSandbox(std::string sandbox_id) = 0;
  virtual async::Task<absl::Status> RemovePodSandbox(std::string sandbox_id) = 0;
  virtual async::Task<absl::StatusOr<criv1::PodSandboxStatusResponse>> PodSandboxStatus(
      std::string sandbox_id) = 0;
  virtual async::Task<absl::StatusOr<criv1::ListPodSandboxResponse>> ListPodSandbox(
      criv1::PodSandboxFilter filter) = 0;

  // Gives the container id.
  virtual async::Task<absl::StatusOr<std::string>> CreateContainer(
      std::string sandbox_id, criv1::ContainerConfig config,
      criv1::PodSandboxConfig sandbox_config) = 0;
  virtual async::Task<absl::Status> StartContainer(std::string container_id) = 0;

  // Sends the stop signal and, after `grace` (whole seconds), SIGKILL.
  virtual async::Task<absl::Status> StopContainer(std::string container_id,
                                                  absl::Duration grace) = 0;
  virtual async::Task<absl::Status> RemoveContainer(std::string container_id) = 0;
  virtual async::Task<absl::StatusOr<criv1::ListContainersResponse>> ListContainers(
      criv1::ContainerFilter filter) = 0;
  virtual async::Task<absl::StatusOr<criv1::ContainerStatusResponse>> ContainerStatus(
      std::string container_id) = 0;
  virtual async::Task<absl::Status> UpdateContainerResources(
      criv1::UpdateContainerResourcesRequest request) = 0;
  virtual async::Task<absl::Status> ReopenContainerLog(std::string container_id) = 0;

  // Runs a command in the container; `timeout` 0 means none. A command that runs longer gives
  // DEADLINE_EXCEEDED.
  virtual async::Task<absl::StatusOr<criv1::ExecSyncResponse>> ExecSync(
      std::string container_id, std::vector<std::string> command, absl::Duration timeout) = 0;

  // Prepare a stream into a running container, or to ports of a ready sandbox. Each gives the URL
  // of the runtime's streaming server at which an upgraded connection starts it, once.
  virtual async::Task<absl::StatusOr<std::string>> Exec(criv1::ExecRequest request) = 0;
  virtual async::Task<absl::StatusOr<std::string>> Attach(criv1::AttachRequest request) = 0;
  virtual async::Task<absl::StatusOr<std::string>> PortForward(
      criv1::PortForwardRequest request) = 0;

  // UNIMPLEMENTED before containerd 1.7.
  virtual async::Task<absl::StatusOr<std::unique_ptr<EventStream>>> WatchEvents() = 0;
};

class Images {
 public:
  virtual ~Images() = default;

  virtual async::Task<absl::StatusOr<criv1::ListImagesResponse>> ListImages() = 0;

  // An answer without `image` means the image is not present.
  virtual async::Task<absl::StatusOr<criv1::ImageStatusResponse>> ImageStatus(
      criv1::ImageSpec image) = 0;

  // Gives the reference of the pulled image. Has no deadline of its own: the runtime ends a pull
  // without progress.
  virtual async::Task<absl::StatusOr<std::string>> PullImage(criv1::ImageSpec image,
                                                             criv1::AuthConfig auth,
                                                             criv1::PodSandboxConfig sandbox) = 0;
  virtual async::Task<absl::Status> RemoveImage(criv1::ImageSpec image) = 0;
  virtual async::Task<absl::StatusOr<criv1::ImageFsInfoResponse>> ImageFsInfo() = 0;
};

}  // namespace cubelet::cri
