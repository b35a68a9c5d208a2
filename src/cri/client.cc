#include "cri/client.h"

#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <cmath>

#include "absl/strings/match.h"
#include "async/loop.h"
#include "async/signal.h"
#include "base/strings.h"
#include "cri/call.h"
#include "cri/event_stream.h"
#include "runtime/v1/api.grpc.pb.h"

namespace cubelet::cri {
namespace {

using async::Task;

// The largest answer taken: ListContainers of a thousand pods is well below it.
constexpr int kMaxMessageBytes = 16 << 20;

// A pull has no deadline: the runtime ends one that makes no progress.
constexpr absl::Duration kPullTimeout = absl::InfiniteDuration();

absl::Status CheckEndpoint(std::string_view endpoint) {
  if (absl::StartsWith(ToAbsl(endpoint), "unix:///")) return absl::OkStatus();
  return absl::InvalidArgumentError(
      StrCat("containerRuntimeEndpoint: ", GoQuote(endpoint),
             " is not of the form unix:///absolute/path of the runtime's socket"));
}

std::shared_ptr<grpc::Channel> Connect(const std::string& endpoint) {
  grpc::ChannelArguments args;
  args.SetMaxReceiveMessageSize(kMaxMessageBytes);
  args.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  args.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  args.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  args.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 200);
  args.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 200);
  args.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 3000);
  // Channels to one target share a connection unless told otherwise; the agent needs no more than
  // one.
  return grpc::CreateCustomChannel(endpoint, grpc::InsecureChannelCredentials(), args);
}

class GrpcClient final : public Client, public Runtime, public Images {
 public:
  GrpcClient(async::Loop& loop, ClientOptions options)
      : loop_(loop),
        timeout_(options.timeout),
        channel_(Connect(options.endpoint)),
        image_channel_(options.image_endpoint.empty() || options.image_endpoint == options.endpoint
                           ? channel_
                           : Connect(options.image_endpoint)),
        runtime_(criv1::RuntimeService::NewStub(channel_)),
        images_(criv1::ImageService::NewStub(image_channel_)) {}

  Runtime& runtime() override { return *this; }
  Images& images() override { return *this; }
  void SetObserver(CallObserver observer) override { observer_ = std::move(observer); }

  Task<absl::StatusOr<criv1::VersionResponse>> Version() override {
    criv1::VersionRequest request;
    request.set_version("0.1.0");
    return Call<criv1::VersionRequest, criv1::VersionResponse>("version", &RuntimeAsync::Version,
                                                               std::move(request), timeout_);
  }

  Task<absl::StatusOr<criv1::StatusResponse>> Status(bool verbose) override {
    criv1::StatusRequest request;
    request.set_verbose(verbose);
    return Call<criv1::StatusRequest, criv1::StatusResponse>("status", &RuntimeAsync::Status,
                                                             std::move(request), timeout_);
  }

  Task<absl::StatusOr<criv1::RuntimeConfigResponse>> RuntimeConfig() override {
    return Call<criv1::RuntimeConfigRequest, criv1::RuntimeConfigResponse>(
        "runtime_config", &RuntimeAsync::RuntimeConfig, {}, timeout_);
  }

  Task<absl::StatusOr<std::string>> RunPodSandbox(criv1::PodSandboxConfig config,
                                                  std::string handler) override {
    criv1::RunPodSandboxRequest request;
    *request.mutable_config() = std::move(config);
    request.set_runtime_handler(std::move(handler));
    // Sandboxes get twice the time: the network plugin runs inside the call.
    auto response = co_await Call<criv1::RunPodSandboxRequest, criv1::RunPodSandboxResponse>(
        "run_podsandbox", &RuntimeAsync::RunPodSandbox, std::move(request), 2 * timeout_);
    if (!response.ok()) co_return response.status();
    if (response->pod_sandbox_id().empty())
      co_return absl::InternalError("the runtime gave no id for the sandbox");
    co_return response->pod_sandbox_id();
  }

  Task<absl::Status> StopPodSandbox(std::string sandbox_id) override {
    criv1::StopPodSandboxRequest request;
    request.set_pod_sandbox_id(std::move(sandbox_id));
    auto response = co_await Call<criv1::StopPodSandboxRequest, criv1::StopPodSandboxResponse>(
        "stop_podsandbox", &RuntimeAsync::StopPodSandbox, std::move(request), timeout_);
    co_return response.status();
  }

  Task<absl::Status> RemovePodSandbox(std::string sandbox_id) override {
    criv1::RemovePodSandboxRequest request;
    request.set_pod_sandbox_id(std::move(sandbox_id));
    auto response = co_await Call<criv1::RemovePodSandboxRequest, criv1::RemovePodSandboxResponse>(
        "remove_podsandbox", &RuntimeAsync::RemovePodSandbox, std::move(request), timeout_);
    co_return response.status();
  }

  Task<absl::StatusOr<criv1::PodSandboxStatusResponse>> PodSandboxStatus(
      std::string sandbox_id) override {
    criv1::PodSandboxStatusRequest request;
    request.set_pod_sandbox_id(std::move(sandbox_id));
    return Call<criv1::PodSandboxStatusRequest, criv1::PodSandboxStatusResponse>(
        "podsandbox_status", &RuntimeAsync::PodSandboxStatus, std::move(request), timeout_);
  }

  Task<absl::StatusOr<criv1::ListPodSandboxResponse>> ListPodSandbox(
      criv1::PodSandboxFilter filter) override {
    criv1::ListPodSandboxRequest request;
    *request.mutable_filter() = std::move(filter);
    return Call<criv1::ListPodSandboxRequest, criv1::ListPodSandboxResponse>(
        "list_podsandbox", &RuntimeAsync::ListPodSandbox, std::move(request), timeout_);
  }

  Task<absl::StatusOr<std::string>> CreateContainer(
      std::string sandbox_id, criv1::ContainerConfig config,
      criv1::PodSandboxConfig sandbox_config) override {
    criv1::CreateContainerRequest request;
    request.set_pod_sandbox_id(std::move(sandbox_id));
    *request.mutable_config() = std::move(config);
    *request.mutable_sandbox_config() = std::move(sandbox_config);
    auto response = co_await Call<criv1::CreateContainerRequest, criv1::CreateContainerResponse>(
        "create_container", &RuntimeAsync::CreateContainer, std::move(request), timeout_);
    if (!response.ok()) co_return response.status();
    if (response->container_id().empty())
      co_return absl::InternalError("the runtime gave no id for the container");
    co_return response->container_id();
  }

  Task<absl::Status> StartContainer(std::string container_id) override {
    criv1::StartContainerRequest request;
    request.set_container_id(std::move(container_id));
    auto response = co_await Call<criv1::StartContainerRequest, criv1::StartContainerResponse>(
        "start_container", &RuntimeAsync::StartContainer, std::move(request), timeout_);
    co_return response.status();
  }

  Task<absl::Status> StopContainer(std::string container_id, absl::Duration grace) override {
    criv1::StopContainerRequest request;
    request.set_container_id(std::move(container_id));
    request.set_timeout(absl::ToInt64Seconds(grace));
    auto response = co_await Call<criv1::StopContainerRequest, criv1::StopContainerResponse>(
        "stop_container", &RuntimeAsync::StopContainer, std::move(request), timeout_ + grace);
    co_return response.status();
  }

  Task<absl::Status> RemoveContainer(std::string container_id) override {
    criv1::RemoveContainerRequest request;
    request.set_container_id(std::move(container_id));
    auto response = co_await Call<criv1::RemoveContainerRequest, criv1::RemoveContainerResponse>(
        "remove_container", &RuntimeAsync::RemoveContainer, std::move(request), timeout_);
    co_return response.status();
  }

  Task<absl::StatusOr<criv1::ListContainersResponse>> ListContainers(
      criv1::ContainerFilter filter) override {
    criv1::ListContainersRequest request;
    *request.mutable_filter() = std::move(filter);
    return Call<criv1::ListContainersRequest, criv1::ListContainersResponse>(
        "list_containers", &RuntimeAsync::ListContainers, std::move(request), timeout_);
  }

  Task<absl::StatusOr<criv1::ContainerStatusResponse>> ContainerStatus(
      std::string container_id) override {
    criv1::ContainerStatusRequest request;
    request.set_container_id(std::move(container_id));
    return Call<criv1::ContainerStatusRequest, criv1::ContainerStatusResponse>(
        "container_status", &RuntimeAsync::ContainerStatus, std::move(request), timeout_);
  }

  Task<absl::Status> UpdateContainerResources(
      criv1::UpdateContainerResourcesRequest request) override {
    auto response = co_await Call<criv1::UpdateContainerResourcesRequest,
                                  criv1::UpdateContainerResourcesResponse>(
        "update_container", &RuntimeAsync::UpdateContainerResources, std::move(request), timeout_);
    co_return response.status();
  }

  Task<absl::Status> ReopenContainerLog(std::string container_id) override {
    criv1::ReopenContainerLogRequest request;
    request.set_container_id(std::move(container_id));
    auto response =
        co_await Call<criv1::ReopenContainerLogRequest, criv1::ReopenContainerLogResponse>(
            "reopen_container_log", &RuntimeAsync::ReopenContainerLog, std::move(request),
            timeout_);
    co_return response.status();
  }

  Task<absl::StatusOr<criv1::ExecSyncResponse>> ExecSync(std::string container_id,
                                                         std::vector<std::string> command,
                                                         absl::Duration timeout) override {
    criv1::ExecSyncRequest request;
    request.set_container_id(std::move(container_id));
    for (std::string& word : command) request.add_cmd(std::move(word));
    request.set_timeout(static_cast<int64_t>(std::ceil(absl::ToDoubleSeconds(timeout))));
    // The runtime enforces the limit; the deadline is for a runtime that does not.
    const absl::Duration deadline =
        timeout > absl::ZeroDuration() ? timeout_ + timeout : absl::InfiniteDuration();
    return Call<criv1::ExecSyncRequest, criv1::ExecSyncResponse>(
        "exec_sync", &RuntimeAsync::ExecSync, std::move(request), deadline);
  }

  Task<absl::StatusOr<std::string>> Exec(criv1::ExecRequest request) override {
    auto response = co_await Call<criv1::ExecRequest, criv1::ExecResponse>(
        "exec", &RuntimeAsync::Exec, std::move(request), timeout_);
    if (!response.ok()) co_return response.status();
    co_return response->url();
  }

  Task<absl::StatusOr<std::string>> Attach(criv1::AttachRequest request) override {
    auto response = co_await Call<criv1::AttachRequest, criv1::AttachResponse>(
        "attach", &RuntimeAsync::Attach, std::move(request), timeout_);
    if (!response.ok()) co_return response.status();
    co_return response->url();
  }

  Task<absl::StatusOr<std::string>> PortForward(criv1::PortForwardRequest request) override {
    auto response = co_await Call<criv1::PortForwardRequest, criv1::PortForwardResponse>(
        "port_forward", &RuntimeAsync::PortForward, std::move(request), timeout_);
    if (!response.ok()) co_return response.status();
    co_return response->url();
  }

  Task<absl::StatusOr<std::unique_ptr<EventStream>>> WatchEvents() override {
    co_return OpenEventStream(loop_, *runtime_);
  }

  Task<absl::StatusOr<criv1::ListImagesResponse>> ListImages() override {
    return Call<criv1::ListImagesRequest, criv1::ListImagesResponse>(
        "list_images", &ImageAsync::ListImages, {}, timeout_);
  }

  Task<absl::StatusOr<criv1::ImageStatusResponse>> ImageStatus(criv1::ImageSpec image) override {
    criv1::ImageStatusRequest request;
    *request.mutable_image() = std::move(image);
    return Call<criv1::ImageStatusRequest, criv1::ImageStatusResponse>(
        "image_status", &ImageAsync::ImageStatus, std::move(request), timeout_);
  }

  Task<absl::StatusOr<std::string>> PullImage(criv1::ImageSpec image, criv1::AuthConfig auth,
                                              criv1::PodSandboxConfig sandbox) override {
    criv1::PullImageRequest request;
    *request.mutable_image() = std::move(image);
    if (auth.ByteSizeLong() > 0) *request.mutable_auth() = std::move(auth);
    *request.mutable_sandbox_config() = std::move(sandbox);
    auto response = co_await Call<criv1::PullImageRequest, criv1::PullImageResponse>(
        "pull_image", &ImageAsync::PullImage, std::move(request), kPullTimeout);
    if (!response.ok()) co_return response.status();
    if (response->image_ref().empty())
      co_return absl::InternalError("the runtime gave no reference for the pulled image");
    co_return response->image_ref();
  }

  Task<absl::Status> RemoveImage(criv1::ImageSpec image) override {
    criv1::RemoveImageRequest request;
    *request.mutable_image() = std::move(image);
    auto response = co_await Call<criv1::RemoveImageRequest, criv1::RemoveImageResponse>(
        "remove_image", &ImageAsync::RemoveImage, std::move(request), timeout_);
    co_return response.status();
  }

  Task<absl::StatusOr<criv1::ImageFsInfoResponse>> ImageFsInfo() override {
    return Call<criv1::ImageFsInfoRequest, criv1::ImageFsInfoResponse>(
        "image_fs_info", &ImageAsync::ImageFsInfo, {}, timeout_);
  }

 private:
  using RuntimeAsync = criv1::RuntimeService::StubInterface::async_interface;
  using ImageAsync = criv1::ImageService::StubInterface::async_interface;

  RuntimeAsync* AsyncStub(RuntimeAsync*) { return runtime_->async(); }
  ImageAsync* AsyncStub(ImageAsync*) { return images_->async(); }

  template <typename Request, typename Response, typename Stub>
  Task<absl::StatusOr<Response>> Call(const char* operation,
                                      void (Stub::*method)(grpc::ClientContext*, const Request*,
                                                           Response*,
                                                           std::function<void(grpc::Status)>),
                                      Request request, absl::Duration timeout) {
    Stub* stub = AsyncStub(static_cast<Stub*>(nullptr));
    StartCall<Request, Response> start = [stub, method](grpc::ClientContext* context,
                                                        const Request* sent, Response* received,
                                                        std::function<void(grpc::Status)> done) {
      (stub->*method)(context, sent, received, std::move(done));
    };
    const absl::Duration begun = loop_.Monotonic();
    absl::StatusOr<Response> response = co_await UnaryCall<Request, Response>(
        &loop_, std::move(start), std::move(request), timeout);
    if (observer_) observer_(operation, loop_.Monotonic() - begun, response.status());
    co_return response;
  }

  async::Loop& loop_;
  const absl::Duration timeout_;
  std::shared_ptr<grpc::Channel> channel_;
  std::shared_ptr<grpc::Channel> image_channel_;
  std::unique_ptr<criv1::RuntimeService::Stub> runtime_;
  std::unique_ptr<criv1::ImageService::Stub> images_;
  CallObserver observer_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Client>> Client::Create(async::Loop& loop, ClientOptions options) {
  if (absl::Status status = CheckEndpoint(options.endpoint); !status.ok()) return status;
  if (!options.image_endpoint.empty()) {
    if (absl::Status status = CheckEndpoint(options.image_endpoint); !status.ok()) return status;
  }
  return std::make_unique<GrpcClient>(loop, std::move(options));
}

}  // namespace cubelet::cri
