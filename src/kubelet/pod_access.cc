#include "kubelet/pod_access.h"

#include <utility>

#include "absl/strings/str_join.h"
#include "base/strings.h"
#include "cri/errors.h"

namespace cubelet::kubelet {
namespace {

using async::Task;
using server::ContainerView;
using server::PodView;
using server::StreamRequest;

// Of two pods with one name, the one that is not ending.
std::optional<PodView> FindPod(Agent& agent, const std::string& name_space,
                               const std::string& name) {
  std::optional<PodView> found;
  for (const pods::PodReport& report : agent.pods().Reports()) {
    const auto& metadata = report.pod->metadata();
    if (metadata.name() != name || metadata.namespace_() != name_space) continue;
    if (!found || !report.terminating) found = PodView{report.pod, report.status};
  }
  return found;
}

Task<absl::StatusOr<std::string>> OpenStream(cri::Runtime* runtime, StreamRequest wanted) {
  switch (wanted.kind) {
    case StreamRequest::Kind::kExec: {
      criv1::ExecRequest request;
      request.set_container_id(std::move(wanted.id));
      for (std::string& word : wanted.command) request.add_cmd(std::move(word));
      request.set_tty(wanted.tty);
      request.set_stdin(wanted.input);
      request.set_stdout(wanted.output);
      request.set_stderr(wanted.error);
      co_return co_await runtime->Exec(std::move(request));
    }
    case StreamRequest::Kind::kAttach: {
      criv1::AttachRequest request;
      request.set_container_id(std::move(wanted.id));
      request.set_tty(wanted.tty);
      request.set_stdin(wanted.input);
      request.set_stdout(wanted.output);
      request.set_stderr(wanted.error);
      co_return co_await runtime->Attach(std::move(request));
    }
    case StreamRequest::Kind::kPortForward:
      break;
  }
  criv1::PortForwardRequest request;
  request.set_pod_sandbox_id(std::move(wanted.id));
  for (const int32_t port : wanted.ports) request.add_port(port);
  co_return co_await runtime->PortForward(std::move(request));
}

Task<absl::StatusOr<std::string>> RunCommand(cri::Runtime* runtime, std::string id,
                                             std::vector<std::string> command) {
  absl::StatusOr<criv1::ExecSyncResponse> response =
      co_await runtime->ExecSync(std::move(id), command, absl::ZeroDuration());
  if (!response.ok())
    co_return absl::Status(response.status().code(), cri::RpcErrorText(response.status()));
  if (response->exit_code() != 0) {
    co_return absl::UnknownError(StrCat("command '", absl::StrJoin(command, " "), "' exited with ",
                                        response->exit_code(), ": ", response->stderr()));
  }
  co_return response->stdout() + response->stderr();
}

}  // namespace

void ServePodAccess(server::Backend& backend, const std::unique_ptr<Agent>& agent,
                    cri::Runtime& runtime) {
  const auto seen = [&agent](const std::string& uid) -> std::shared_ptr<const pleg::RuntimePod> {
    return agent ? agent->pods().Seen(uid) : nullptr;
  };
  backend.find_pod = [&agent](const std::string& name_space,
                              const std::string& name) -> std::optional<PodView> {
    if (!agent) return std::nullopt;
    return FindPod(*agent, name_space, name);
  };
  backend.find_container = [seen](const std::string& uid,
                                  const std::string& id) -> std::optional<ContainerView> {
    const auto pod = seen(uid);
    const pleg::ContainerRecord* record = pod ? pod->FindById(id) : nullptr;
    if (record == nullptr) return std::nullopt;
    return ContainerView{record->log_path, record->state == pleg::ContainerState::kRunning};
  };
  backend.running_container = [seen](const std::string& uid,
                                     const std::string& name) -> std::optional<std::string> {
    const auto pod = seen(uid);
    const pleg::ContainerRecord* record = pod ? pod->FindByName(name) : nullptr;
    if (record == nullptr || record->state != pleg::ContainerState::kRunning) return std::nullopt;
    return record->id;
  };
  backend.ready_sandbox = [seen](const std::string& uid) -> std::optional<std::string> {
    const auto pod = seen(uid);
    if (!pod || pod->sandboxes.empty() || !pod->sandboxes.front().ready) return std::nullopt;
    return pod->sandboxes.front().id;
  };
  backend.open_stream = [runtime = &runtime](StreamRequest request) {
    return OpenStream(runtime, std::move(request));
  };
  backend.run_command = [runtime = &runtime](std::string id, std::vector<std::string> command) {
    return RunCommand(runtime, std::move(id), std::move(command));
  };
}

}  // namespace cubelet::kubelet
