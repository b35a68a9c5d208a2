// A runtime between an agent and the real one that writes down what it is asked, as the requests
// that would go over the wire. Listings, statuses and events pass by unrecorded, except those of
// images.
#pragma once

// First, as CRI's signals have the names of macros in <signal.h>.
#include "cri/types.h"
//
#include <google/protobuf/message.h>

#include <memory>
#include <string>
#include <vector>

#include "cri/runtime.h"

namespace cubelet::integration {

struct RecordedCall {
  std::string method;
  std::shared_ptr<google::protobuf::Message> request;
  std::string id;  // given by RunPodSandbox and CreateContainer
};

class RecordingRuntime final : public cri::Runtime, public cri::Images {
 public:
  RecordingRuntime(cri::Runtime& runtime, cri::Images& images)
      : runtime_(runtime), images_(images) {}

  // In the order in which they were begun.
  const std::vector<RecordedCall>& calls() const { return calls_; }

  async::Task<absl::StatusOr<criv1::VersionResponse>> Version() override {
    return runtime_.Version();
  }
  async::Task<absl::StatusOr<criv1::StatusResponse>> Status(bool verbose) override {
    return runtime_.Status(verbose);
  }
  async::Task<absl::StatusOr<criv1::RuntimeConfigResponse>> RuntimeConfig() override {
    return runtime_.RuntimeConfig();
  }
  async::Task<absl::StatusOr<criv1::PodSandboxStatusResponse>> PodSandboxStatus(
      std::string sandbox_id) override {
    return runtime_.PodSandboxStatus(std::move(sandbox_id));
  }
  async::Task<absl::StatusOr<criv1::ListPodSandboxResponse>> ListPodSandbox(
      criv1::PodSandboxFilter filter) override {
    return runtime_.ListPodSandbox(std::move(filter));
  }
  async::Task<absl::StatusOr<criv1::ListContainersResponse>> ListContainers(
      criv1::ContainerFilter filter) override {
    return runtime_.ListContainers(std::move(filter));
  }
  async::Task<absl::StatusOr<criv1::ContainerStatusResponse>> ContainerStatus(
      std::string container_id) override {
    return runtime_.ContainerStatus(std::move(container_id));
  }
  async::Task<absl::StatusOr<std::unique_ptr<cri::EventStream>>> WatchEvents() override {
    return runtime_.WatchEvents();
  }
  async::Task<absl::StatusOr<criv1::ListImagesResponse>> ListImages() override {
    return images_.ListImages();
  }
  async::Task<absl::StatusOr<criv1::ImageFsInfoResponse>> ImageFsInfo() override {
    return images_.ImageFsInfo();
  }

  async::Task<absl::StatusOr<std::string>> RunPodSandbox(criv1::PodSandboxConfig config,
                                                         std::string handler) override;
  async::Task<absl::Status> StopPodSandbox(std::string sandbox_id) override;
  async::Task<absl::Status> RemovePodSandbox(std::string sandbox_id) override;
  async::Task<absl::StatusOr<std::string>> CreateContainer(
      std::string sandbox_id, criv1::ContainerConfig config,
      criv1::PodSandboxConfig sandbox_config) override;
  async::Task<absl::Status> StartContainer(std::string container_id) override;
  async::Task<absl::Status> StopContainer(std::string container_id, absl::Duration grace) override;
  async::Task<absl::Status> RemoveContainer(std::string container_id) override;
  async::Task<absl::Status> UpdateContainerResources(
      criv1::UpdateContainerResourcesRequest request) override;
  async::Task<absl::Status> ReopenContainerLog(std::string container_id) override;
  async::Task<absl::StatusOr<criv1::ExecSyncResponse>> ExecSync(std::string container_id,
                                                                std::vector<std::string> command,
                                                                absl::Duration timeout) override;
  async::Task<absl::StatusOr<std::string>> Exec(criv1::ExecRequest request) override;
  async::Task<absl::StatusOr<std::string>> Attach(criv1::AttachRequest request) override;
  async::Task<absl::StatusOr<std::string>> PortForward(criv1::PortForwardRequest request) override;
  async::Task<absl::StatusOr<criv1::ImageStatusResponse>> ImageStatus(
      criv1::ImageSpec image) override;
  async::Task<absl::StatusOr<std::string>> PullImage(criv1::ImageSpec image, criv1::AuthConfig auth,
                                                     criv1::PodSandboxConfig sandbox) override;
  async::Task<absl::Status> RemoveImage(criv1::ImageSpec image) override;

 private:
  template <typename Request>
  size_t Add(const char* method, Request request) {
    calls_.push_back({method, std::make_shared<Request>(std::move(request)), ""});
    return calls_.size() - 1;
  }

  cri::Runtime& runtime_;
  cri::Images& images_;
  std::vector<RecordedCall> calls_;
};

}  // namespace cubelet::integration
