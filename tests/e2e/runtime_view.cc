#include "e2e/runtime_view.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "async/loop.h"
#include "async/scope.h"
#include "async/timeout.h"
#include "base/strings.h"
#include "containers/labels.h"
#include "cri/client.h"

namespace cubelet::e2e {
namespace {

using async::Task;

constexpr absl::Duration kLimit = absl::Seconds(20);

template <typename T>
Task<void> AskAndStop(async::Loop* loop, std::unique_ptr<cri::Client> client, Task<T> task,
                      std::optional<T>* answer) {
  answer->emplace(co_await async::WithTimeout(*loop, std::move(task), kLimit, "ask the runtime"));
  client.reset();
  loop->Stop();
}

// A loop and a connection for one question: `make` gives the task for a client.
template <typename T, typename Make>
T Ask(const std::string& socket, Make make) {
  std::unique_ptr<async::Loop> loop = async::Loop::Real(1);
  auto client =
      cri::Client::Create(*loop, {.endpoint = StrCat("unix://", socket), .timeout = kLimit});
  if (!client.ok()) return client.status();
  std::optional<T> answer;
  async::TaskScope scope(*loop, "question");
  Task<T> task = make((*client)->runtime());
  scope.Spawn("ask", AskAndStop(loop.get(), *std::move(client), std::move(task), &answer));
  loop->Run();
  return *std::move(answer);
}

std::string Label(const google::protobuf::Map<std::string, std::string>& labels, const char* key) {
  const auto it = labels.find(key);
  return it == labels.end() ? std::string() : it->second;
}

Container FromCri(const criv1::Container& from) {
  Container container;
  container.id = from.id();
  container.pod = Label(from.labels(), containers::kPodNameLabel);
  container.pod_uid = Label(from.labels(), containers::kPodUidLabel);
  container.name = from.metadata().name();
  container.attempt = from.metadata().attempt();
  container.running = from.state() == criv1::CONTAINER_RUNNING;
  container.created = absl::FromUnixNanos(from.created_at());
  return container;
}

}  // namespace

absl::Status RuntimeView::Check() const {
  return Ask<absl::StatusOr<criv1::VersionResponse>>(
             socket_, [](cri::Runtime& runtime) { return runtime.Version(); })
      .status();
}

absl::StatusOr<std::vector<Container>> RuntimeView::Containers() const {
  auto answer = Ask<absl::StatusOr<criv1::ListContainersResponse>>(
      socket_, [](cri::Runtime& runtime) { return runtime.ListContainers({}); });
  if (!answer.ok()) return answer.status();
  std::vector<Container> containers;
  for (const criv1::Container& container : answer->containers())
    containers.push_back(FromCri(container));
  std::sort(containers.begin(), containers.end(),
            [](const Container& a, const Container& b) { return a.created < b.created; });
  return containers;
}

absl::StatusOr<criv1::ContainerStatus> RuntimeView::ContainerStatus(const std::string& id) const {
  auto answer = Ask<absl::StatusOr<criv1::ContainerStatusResponse>>(
      socket_, [&](cri::Runtime& runtime) { return runtime.ContainerStatus(id); });
  if (!answer.ok()) return answer.status();
  return answer->status();
}

absl::StatusOr<std::vector<std::string>> RuntimeView::Sandboxes() const {
  auto answer = Ask<absl::StatusOr<criv1::ListPodSandboxResponse>>(
      socket_, [](cri::Runtime& runtime) { return runtime.ListPodSandbox({}); });
  if (!answer.ok()) return answer.status();
  std::vector<std::string> ids;
  for (const criv1::PodSandbox& sandbox : answer->items()) ids.push_back(sandbox.id());
  return ids;
}

absl::StatusOr<std::string> RuntimeView::Exec(const std::string& container_id,
                                              std::vector<std::string> command) const {
  auto answer = Ask<absl::StatusOr<criv1::ExecSyncResponse>>(socket_, [&](cri::Runtime& runtime) {
    return runtime.ExecSync(container_id, command, absl::Seconds(10));
  });
  if (!answer.ok()) return answer.status();
  if (answer->exit_code() != 0) {
    return absl::InternalError(
        StrCat("exit code ", answer->exit_code(), ": ", answer->stdout(), answer->stderr()));
  }
  return answer->stdout();
}

}  // namespace cubelet::e2e
