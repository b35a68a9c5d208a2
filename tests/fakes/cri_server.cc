#include "fakes/cri_server.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "async/signal.h"
#include "base/check.h"
#include "fakes/cri_server_call.h"
#include "runtime/v1/api.grpc.pb.h"

namespace cubelet::fakes {
namespace {

using async::Task;
using Context = grpc::CallbackServerContext;
using Reactor = grpc::ServerUnaryReactor;

constexpr int kMaxMessageBytes = 16 << 20;

Reactor* NotServed(Context* context, const char* what) {
  Reactor* reactor = context->DefaultReactor();
  reactor->Finish(
      {grpc::StatusCode::UNIMPLEMENTED, StrCat("the fake runtime does not serve ", what)});
  return reactor;
}

// What the loop and gRPC's thread share of one event stream.
struct StreamState {
  explicit StreamState(async::Loop& loop) : written(loop) {}
  criv1::ContainerEventResponse event;
  // Below: the loop's.
  async::Signal written;
  bool writing = false;
  bool broken = false;
};

class EventReactor final
    : public TaskReactor<grpc::ServerWriteReactor<criv1::ContainerEventResponse>> {
 public:
  explicit EventReactor(std::shared_ptr<ServerCore> core)
      : TaskReactor(std::move(core)), state_(std::make_shared<StreamState>(core_->loop)) {}

  void Begin() {
    TaskReactor::Begin("GetContainerEvents",
                       [this] { return Send(core_.get(), state_, Finisher<EventReactor>(this)); });
  }

  void OnWriteDone(bool ok) override {
    core_->loop.Post([state = state_, ok] {
      state->writing = false;
      state->broken = !ok;
      state->written.Notify();
    });
  }

  void OnDone() override {
    core_->loop.Post([state = state_] {});  // the signal dies where it lives
    TaskReactor::OnDone();
  }

 private:
  static Task<void> Send(ServerCore* core, std::shared_ptr<StreamState> state,
                         Finisher<EventReactor> finisher) {
    auto stream = co_await core->runtime.WatchEvents();
    absl::Status end = stream.status();
    while (end.ok() && !state->broken) {
      auto event = co_await (*stream)->Next();
      end = event.status();
      if (!event.ok()) break;
      state->event = *std::move(event);
      state->writing = true;
      finisher.reactor()->StartWrite(&state->event);
      while (state->writing) co_await state->written.Wait();
    }
    finisher.Finish(end.ok() ? grpc::Status::CANCELLED : ToGrpcStatus(end));
  }

  std::shared_ptr<StreamState> state_;
};

class RuntimeServer final : public criv1::RuntimeService::CallbackService {
 public:
  explicit RuntimeServer(std::shared_ptr<ServerCore> core) : core_(std::move(core)) {}

  Reactor* Version(Context*, const criv1::VersionRequest*,
                   criv1::VersionResponse* response) override {
    return Answer<criv1::VersionResponse>("Version", response,
                                          [](SimRuntime& runtime) { return runtime.Version(); });
  }

  Reactor* Status(Context*, const criv1::StatusRequest* request,
                  criv1::StatusResponse* response) override {
    return Answer<criv1::StatusResponse>("Status", response, [request](SimRuntime& runtime) {
      return runtime.Status(request->verbose());
    });
  }

  Reactor* RuntimeConfig(Context*, const criv1::RuntimeConfigRequest*,
                         criv1::RuntimeConfigResponse* response) override {
    return Answer<criv1::RuntimeConfigResponse>(
        "RuntimeConfig", response, [](SimRuntime& runtime) { return runtime.RuntimeConfig(); });
  }

  Reactor* UpdateRuntimeConfig(Context* context, const criv1::UpdateRuntimeConfigRequest*,
                               criv1::UpdateRuntimeConfigResponse*) override {
    Reactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);  // the range of pods' addresses is an option here
    return reactor;
  }

  Reactor* RunPodSandbox(Context*, const criv1::RunPodSandboxRequest* request,
                         criv1::RunPodSandboxResponse* response) override {
    return ServeUnary<absl::StatusOr<std::string>>(
        core_, "RunPodSandbox",
        [request](SimRuntime& runtime) {
          return runtime.RunPodSandbox(request->config(), request->runtime_handler());
        },
        [response](absl::StatusOr<std::string>& id) { response->set_pod_sandbox_id(*id); });
  }

  Reactor* StopPodSandbox(Context*, const criv1::StopPodSandboxRequest* request,
                          criv1::StopPodSandboxResponse*) override {
    return Do("StopPodSandbox", [request](SimRuntime& runtime) {
      return runtime.StopPodSandbox(request->pod_sandbox_id());
    });
  }

  Reactor* RemovePodSandbox(Context*, const criv1::RemovePodSandboxRequest* request,
                            criv1::RemovePodSandboxResponse*) override {
    return Do("RemovePodSandbox", [request](SimRuntime& runtime) {
      return runtime.RemovePodSandbox(request->pod_sandbox_id());
    });
  }

  Reactor* PodSandboxStatus(Context*, const criv1::PodSandboxStatusRequest* request,
                            criv1::PodSandboxStatusResponse* response) override {
    return Answer<criv1::PodSandboxStatusResponse>(
        "PodSandboxStatus", response, [request](SimRuntime& runtime) {
          return runtime.PodSandboxStatus(request->pod_sandbox_id());
        });
  }

  Reactor* ListPodSandbox(Context*, const criv1::ListPodSandboxRequest* request,
                          criv1::ListPodSandboxResponse* response) override {
    return Answer<criv1::ListPodSandboxResponse>(
        "ListPodSandbox", response,
        [request](SimRuntime& runtime) { return runtime.ListPodSandbox(request->filter()); });
  }

  Reactor* CreateContainer(Context*, const criv1::CreateContainerRequest* request,
                           criv1::CreateContainerResponse* response) override {
    return ServeUnary<absl::StatusOr<std::string>>(
        core_, "CreateContainer",
        [request](SimRuntime& runtime) {
          return runtime.CreateContainer(request->pod_sandbox_id(), request->config(),
                                         request->sandbox_config());
        },
        [response](absl::StatusOr<std::string>& id) { response->set_container_id(*id); });
  }

  Reactor* StartContainer(Context*, const criv1::StartContainerRequest* request,
                          criv1::StartContainerResponse*) override {
    return Do("StartContainer", [request](SimRuntime& runtime) {
      return runtime.StartContainer(request->container_id());
    });
  }

  Reactor* StopContainer(Context*, const criv1::StopContainerRequest* request,
                         criv1::StopContainerResponse*) override {
    return Do("StopContainer", [request](SimRuntime& runtime) {
      return runtime.StopContainer(request->container_id(), absl::Seconds(request->timeout()));
    });
  }

  Reactor* RemoveContainer(Context*, const criv1::RemoveContainerRequest* request,
                           criv1::RemoveContainerResponse*) override {
    return Do("RemoveContainer", [request](SimRuntime& runtime) {
      return runtime.RemoveContainer(request->container_id());
    });
  }

  Reactor* ListContainers(Context*, const criv1::ListContainersRequest* request,
                          criv1::ListContainersResponse* response) override {
    return Answer<criv1::ListContainersResponse>(
        "ListContainers", response,
        [request](SimRuntime& runtime) { return runtime.ListContainers(request->filter()); });
  }

  Reactor* ContainerStatus(Context*, const criv1::ContainerStatusRequest* request,
                           criv1::ContainerStatusResponse* response) override {
    return Answer<criv1::ContainerStatusResponse>(
        "ContainerStatus", response, [request](SimRuntime& runtime) {
          return runtime.ContainerStatus(request->container_id());
        });
  }

  Reactor* UpdateContainerResources(Context*, const criv1::UpdateContainerResourcesRequest* request,
                                    criv1::UpdateContainerResourcesResponse*) override {
    return Do("UpdateContainerResources", [request](SimRuntime& runtime) {
      return runtime.UpdateContainerResources(*request);
    });
  }

  Reactor* ReopenContainerLog(Context*, const criv1::ReopenContainerLogRequest* request,
                              criv1::ReopenContainerLogResponse*) override {
    return Do("ReopenContainerLog", [request](SimRuntime& runtime) {
      return runtime.ReopenContainerLog(request->container_id());
    });
  }

  Reactor* ExecSync(Context*, const criv1::ExecSyncRequest* request,
                    criv1::ExecSyncResponse* response) override {
    return Answer<criv1::ExecSyncResponse>("ExecSync", response, [request](SimRuntime& runtime) {
      return runtime.ExecSync(request->container_id(),
                              {request->cmd().begin(), request->cmd().end()},
                              absl::Seconds(request->timeout()));
    });
  }

  Reactor* ContainerStats(Context*, const criv1::ContainerStatsRequest* request,
                          criv1::ContainerStatsResponse* response) override {
    return Answer<criv1::ContainerStatsResponse>(
        "ContainerStats", response,
        [request](SimRuntime& runtime) { return StatsOf(&runtime, request->container_id()); });
  }

  Reactor* ListContainerStats(Context*, const criv1::ListContainerStatsRequest* request,
                              criv1::ListContainerStatsResponse* response) override {
    return Answer<criv1::ListContainerStatsResponse>(
        "ListContainerStats", response,
        [request](SimRuntime& runtime) { return AllStats(&runtime, request->filter()); });
  }

  grpc::ServerWriteReactor<criv1::ContainerEventResponse>* GetContainerEvents(
      Context*, const criv1::GetEventsRequest*) override {
    auto* reactor = new EventReactor(core_);
    reactor->Begin();
    return reactor;
  }

  Reactor* Exec(Context*, const criv1::ExecRequest* request,
                criv1::ExecResponse* response) override {
    return ServeUnary<absl::StatusOr<std::string>>(
        core_, "Exec", [request](SimRuntime& runtime) { return runtime.Exec(*request); },
        [response](absl::StatusOr<std::string>& url) { response->set_url(*url); });
  }

  Reactor* Attach(Context*, const criv1::AttachRequest* request,
                  criv1::AttachResponse* response) override {
    return ServeUnary<absl::StatusOr<std::string>>(
        core_, "Attach", [request](SimRuntime& runtime) { return runtime.Attach(*request); },
        [response](absl::StatusOr<std::string>& url) { response->set_url(*url); });
  }

  Reactor* PortForward(Context*, const criv1::PortForwardRequest* request,
                       criv1::PortForwardResponse* response) override {
    return ServeUnary<absl::StatusOr<std::string>>(
        core_, "PortForward",
        [request](SimRuntime& runtime) { return runtime.PortForward(*request); },
        [response](absl::StatusOr<std::string>& url) { response->set_url(*url); });
  }
  Reactor* PodSandboxStats(Context* context, const criv1::PodSandboxStatsRequest*,
                           criv1::PodSandboxStatsResponse*) override {
    return NotServed(context, "statistics of sandboxes (PodSandboxStats)");
  }
  Reactor* ListPodSandboxStats(Context* context, const criv1::ListPodSandboxStatsRequest*,
                               criv1::ListPodSandboxStatsResponse*) override {
    return NotServed(context, "statistics of sandboxes (ListPodSandboxStats)");
  }
  Reactor* CheckpointContainer(Context* context, const criv1::CheckpointContainerRequest*,
                               criv1::CheckpointContainerResponse*) override {
    return NotServed(context, "checkpoints (CheckpointContainer)");
  }
  Reactor* UpdatePodSandboxResources(Context* context,
                                     const criv1::UpdatePodSandboxResourcesRequest*,
                                     criv1::UpdatePodSandboxResourcesResponse*) override {
    return NotServed(context, "resizing of sandboxes (UpdatePodSandboxResources)");
  }

 private:
  static Task<absl::StatusOr<criv1::ContainerStatsResponse>> StatsOf(SimRuntime* runtime,
                                                                     std::string id) {
    criv1::ContainerStatsFilter filter;
    filter.set_id(id);
    const criv1::ListContainerStatsResponse all = runtime->ContainerStats(filter);
    if (id.empty() || all.stats().empty())
      co_return absl::NotFoundError(StrCat("no running container ", GoQuote(id)));
    criv1::ContainerStatsResponse response;
    *response.mutable_stats() = all.stats(0);
    co_return response;
  }

  static Task<absl::StatusOr<criv1::ListContainerStatsResponse>> AllStats(
      SimRuntime* runtime, criv1::ContainerStatsFilter filter) {
    co_return runtime->ContainerStats(filter);
  }

  // A call whose response is what the runtime answers.
  template <typename Response>
  Reactor* Answer(const char* name, Response* response,
                  std::function<Task<absl::StatusOr<Response>>(SimRuntime&)> work) {
    return ServeUnary<absl::StatusOr<Response>>(
        core_, name, std::move(work),
        [response](absl::StatusOr<Response>& answer) { *response = *std::move(answer); });
  }

  // A call without a result.
  Reactor* Do(const char* name, std::function<Task<absl::Status>(SimRuntime&)> work) {
    return ServeUnary<absl::Status>(core_, name, std::move(work), [](absl::Status&) {});
  }

  std::shared_ptr<ServerCore> core_;
};

class ImageServer final : public criv1::ImageService::CallbackService {
 public:
  explicit ImageServer(std::shared_ptr<ServerCore> core) : core_(std::move(core)) {}

  Reactor* ListImages(Context*, const criv1::ListImagesRequest*,
                      criv1::ListImagesResponse* response) override {
    using Result = absl::StatusOr<criv1::ListImagesResponse>;
    return ServeUnary<Result>(
        core_, "ListImages", [](SimRuntime& runtime) { return runtime.ListImages(); },
        [response](Result& answer) { *response = *std::move(answer); });
  }

  Reactor* ImageStatus(Context*, const criv1::ImageStatusRequest* request,
                       criv1::ImageStatusResponse* response) override {
    using Result = absl::StatusOr<criv1::ImageStatusResponse>;
    return ServeUnary<Result>(
        core_, "ImageStatus",
        [request](SimRuntime& runtime) { return runtime.ImageStatus(request->image()); },
        [response](Result& answer) { *response = *std::move(answer); });
  }

  Reactor* PullImage(Context*, const criv1::PullImageRequest* request,
                     criv1::PullImageResponse* response) override {
    return ServeUnary<absl::StatusOr<std::string>>(
        core_, "PullImage",
        [request](SimRuntime& runtime) {
          return runtime.PullImage(request->image(), request->auth(), request->sandbox_config());
        },
        [response](absl::StatusOr<std::string>& ref) { response->set_image_ref(*ref); });
  }

  Reactor* RemoveImage(Context*, const criv1::RemoveImageRequest* request,
                       criv1::RemoveImageResponse*) override {
    return ServeUnary<absl::Status>(
        core_, "RemoveImage",
        [request](SimRuntime& runtime) { return runtime.RemoveImage(request->image()); },
        [](absl::Status&) {});
  }

  Reactor* ImageFsInfo(Context*, const criv1::ImageFsInfoRequest*,
                       criv1::ImageFsInfoResponse* response) override {
    using Result = absl::StatusOr<criv1::ImageFsInfoResponse>;
    return ServeUnary<Result>(
        core_, "ImageFsInfo", [](SimRuntime& runtime) { return runtime.ImageFsInfo(); },
        [response](Result& answer) { *response = *std::move(answer); });
  }

 private:
  std::shared_ptr<ServerCore> core_;
};

// A socket that a dead server has left is no reason not to start; another kind of file is.
void RemoveStaleSocket(const std::string& path) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) == 0 && S_ISSOCK(info.st_mode)) ::unlink(path.c_str());
}

}  // namespace

struct CriServer::Parts {
  Parts(async::Loop& loop, SimRuntime& sim)
      : core(std::make_shared<ServerCore>(loop, sim)), runtime(core), images(core) {}
  std::shared_ptr<ServerCore> core;
  RuntimeServer runtime;
  ImageServer images;
  std::unique_ptr<grpc::Server> server;
};

CriServer::CriServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

CriServer::~CriServer() { CHECK(parts_->server == nullptr); }

absl::StatusOr<std::unique_ptr<CriServer>> CriServer::Start(async::Loop& loop, SimRuntime& runtime,
                                                            const std::string& socket_path) {
  RemoveStaleSocket(socket_path);
  auto parts = std::make_unique<Parts>(loop, runtime);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(StrCat("unix:", socket_path), grpc::InsecureServerCredentials());
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.RegisterService(&parts->runtime);
  builder.RegisterService(&parts->images);
  parts->server = builder.BuildAndStart();
  if (parts->server == nullptr)
    return absl::UnavailableError(StrCat("listen on ", socket_path, ": gRPC could not bind it"));
  return std::unique_ptr<CriServer>(new CriServer(std::move(parts)));
}

Task<void> CriServer::Stop() {
  grpc::Server* server = parts_->server.get();
  // Waits for the ends of calls, which are tasks of the loop.
  co_await parts_->core->loop.Blocking([server] {
    server->Shutdown(gpr_inf_past(GPR_CLOCK_MONOTONIC));
    server->Wait();
    return true;
  });
  parts_->server.reset();
  co_await parts_->core->scope.Close();
  co_await parts_->core->loop.Sleep(absl::ZeroDuration());  // cancellations already posted
}

}  // namespace cubelet::fakes
