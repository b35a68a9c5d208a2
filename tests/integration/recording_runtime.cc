#include "integration/recording_runtime.h"

#include <utility>

namespace cubelet::integration {

using async::Task;

Task<absl::StatusOr<std::string>> RecordingRuntime::RunPodSandbox(criv1::PodSandboxConfig config,
                                                                  std::string handler) {
  criv1::RunPodSandboxRequest request;
  *request.mutable_config() = config;
  request.set_runtime_handler(handler);
  const size_t at = Add("RunPodSandbox", std::move(request));
  auto id = co_await runtime_.RunPodSandbox(std::move(config), std::move(handler));
  if (id.ok()) calls_[at].id = *id;
  co_return id;
}

Task<absl::Status> RecordingRuntime::StopPodSandbox(std::string sandbox_id) {
  criv1::StopPodSandboxRequest request;
  request.set_pod_sandbox_id(sandbox_id);
  Add("StopPodSandbox", std::move(request));
  return runtime_.StopPodSandbox(std::move(sandbox_id));
}

Task<absl::Status> RecordingRuntime::RemovePodSandbox(std::string sandbox_id) {
  criv1::RemovePodSandboxRequest request;
  request.set_pod_sandbox_id(sandbox_id);
  Add("RemovePodSandbox", std::move(request));
  return runtime_.RemovePodSandbox(std::move(sandbox_id));
}

Task<absl::StatusOr<std::string>> RecordingRuntime::CreateContainer(
    std::string sandbox_id, criv1::ContainerConfig config, criv1::PodSandboxConfig sandbox_config) {
  criv1::CreateContainerRequest request;
  request.set_pod_sandbox_id(sandbox_id);
  *request.mutable_config() = config;
  *request.mutable_sandbox_config() = sandbox_config;
  const size_t at = Add("CreateContainer", std::move(request));
  auto id = co_await runtime_.CreateContainer(std::move(sandbox_id), std::move(config),
                                              std::move(sandbox_config));
  if (id.ok()) calls_[at].id = *id;
  co_return id;
}

Task<absl::Status> RecordingRuntime::StartContainer(std::string container_id) {
  criv1::StartContainerRequest request;
  request.set_container_id(container_id);
  Add("StartContainer", std::move(request));
  return runtime_.StartContainer(std::move(container_id));
}

Task<absl::Status> RecordingRuntime::StopContainer(std::string container_id, absl::Duration grace) {
  criv1::StopContainerRequest request;
  request.set_container_id(container_id);
  request.set_timeout(absl::ToInt64Seconds(grace));
  Add("StopContainer", std::move(request));
  return runtime_.StopContainer(std::move(container_id), grace);
}

Task<absl::Status> RecordingRuntime::RemoveContainer(std::string container_id) {
  criv1::RemoveContainerRequest request;
  request.set_container_id(container_id);
  Add("RemoveContainer", std::move(request));
  return runtime_.RemoveContainer(std::move(container_id));
}

Task<absl::Status> RecordingRuntime::UpdateContainerResources(
    criv1::UpdateContainerResourcesRequest request) {
  Add("UpdateContainerResources", request);
  return runtime_.UpdateContainerResources(std::move(request));
}

Task<absl::Status> RecordingRuntime::ReopenContainerLog(std::string container_id) {
  criv1::ReopenContainerLogRequest request;
  request.set_container_id(container_id);
  Add("ReopenContainerLog", std::move(request));
  return runtime_.ReopenContainerLog(std::move(container_id));
}

Task<absl::StatusOr<criv1::ExecSyncResponse>> RecordingRuntime::ExecSync(
    std::string container_id, std::vector<std::string> command, absl::Duration timeout) {
  criv1::ExecSyncRequest request;
  request.set_container_id(container_id);
  for (const std::string& word : command) request.add_cmd(word);
  request.set_timeout(absl::ToInt64Seconds(absl::Ceil(timeout, absl::Seconds(1))));
  Add("ExecSync", std::move(request));
  return runtime_.ExecSync(std::move(container_id), std::move(command), timeout);
}

Task<absl::StatusOr<std::string>> RecordingRuntime::Exec(criv1::ExecRequest request) {
  Add("Exec", request);
  return runtime_.Exec(std::move(request));
}

Task<absl::StatusOr<std::string>> RecordingRuntime::Attach(criv1::AttachRequest request) {
  Add("Attach", request);
  return runtime_.Attach(std::move(request));
}

Task<absl::StatusOr<std::string>> RecordingRuntime::PortForward(criv1::PortForwardRequest request) {
  Add("PortForward", request);
  return runtime_.PortForward(std::move(request));
}

Task<absl::StatusOr<criv1::ImageStatusResponse>> RecordingRuntime::ImageStatus(
    criv1::ImageSpec image) {
  criv1::ImageStatusRequest request;
  *request.mutable_image() = image;
  Add("ImageStatus", std::move(request));
  return images_.ImageStatus(std::move(image));
}

Task<absl::StatusOr<std::string>> RecordingRuntime::PullImage(criv1::ImageSpec image,
                                                              criv1::AuthConfig auth,
                                                              criv1::PodSandboxConfig sandbox) {
  criv1::PullImageRequest request;
  *request.mutable_image() = image;
  if (auth.ByteSizeLong() > 0) *request.mutable_auth() = auth;
  *request.mutable_sandbox_config() = sandbox;
  Add("PullImage", std::move(request));
  return images_.PullImage(std::move(image), std::move(auth), std::move(sandbox));
}

Task<absl::Status> RecordingRuntime::RemoveImage(criv1::ImageSpec image) {
  criv1::RemoveImageRequest request;
  *request.mutable_image() = image;
  Add("RemoveImage", std::move(request));
  return images_.RemoveImage(std::move(image));
}

}  // namespace cubelet::integration
