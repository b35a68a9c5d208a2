#include "e2e/runtime_view.h"

#include <algorithm>
#include <future>
#include <memory>
#include <thread>

#include "async/loop.h"
#include "async/scope.h"
#include "async/timeout.h"
#include "base/check.h"
#include "base/strings.h"
#include "containers/labels.h"
#include "cri/client.h"

namespace cubelet::e2e {
namespace {

using async::Task;

constexpr absl::Duration kLimit = absl::Seconds(20);

template <typename T>
Task<void> Answer(async::Loop* loop, Task<T> task, std::shared_ptr<std::promise<T>> answer) {
  answer->set_value(co_await async::WithTimeout(*loop, std::move(task), kLimit, "ask the runtime"));
}

}  // namespace

// A loop on a thread of its own, which all questions are asked on.
struct RuntimeView::Connection {
  explicit Connection(const std::string& socket) {
    auto created =
        cri::Client::Create(*loop, {.endpoint = StrCat("unix://", socket), .timeout = kLimit});
    CHECK(created.ok());
    client = *std::move(created);
    thread = std::thread([this] { loop->Run(); });
  }

  std::unique_ptr<async::Loop> loop = async::Loop::Real(1);
  async::TaskScope scope{*loop, "questions"};
  std::unique_ptr<cri::Client> client;
  std::thread thread;
};

// Connections last as long as the process, which ends without running destructors: gRPC 1.51 does
// not bear being taken down and brought up again and again.
RuntimeView::RuntimeView(const std::string& socket) {
  static auto* const connections = new std::vector<std::unique_ptr<Connection>>;
  connections->push_back(std::make_unique<Connection>(socket));
  connection_ = connections->back().get();
}

// `make` gives the task of one question; it is called on the loop.
template <typename T, typename Make>
T RuntimeView::Ask(Make make) const {
  auto answer = std::make_shared<std::promise<T>>();
  std::future<T> future = answer->get_future();
  connection_->loop->Post([connection = connection_, make, answer] {
    connection->scope.Spawn(
        "ask", Answer(connection->loop.get(), make(connection->client->runtime()), answer));
  });
  return future.get();
}

namespace {

std::string Label(const google::protobuf::Map<std::string, std::string>& labels, const char* key) {
  const auto it = labels.find(key);
  return it == labels.end() ? std::string() : it->second;
}

Container FromCri(const criv1::Container& from) {
  Container container;
  container.id = from.id();
  container.pod = Label(from.labels(), containers::kPodNameLabel);
  container.pod_uid = Label(from.labels(), containers::kPodUidLabel);
  container.sandbox = from.pod_sandbox_id();
  container.name = from.metadata().name();
  container.attempt = from.metadata().attempt();
  container.running = from.state() == criv1::CONTAINER_RUNNING;
  container.created = absl::FromUnixNanos(from.created_at());
  return container;
}

}  // namespace

absl::StatusOr<std::string> RuntimeView::Version() const {
  auto answer = Ask<absl::StatusOr<criv1::VersionResponse>>(
      [](cri::Runtime& runtime) { return runtime.Version(); });
  if (!answer.ok()) return answer.status();
  return answer->runtime_version();
}

absl::StatusOr<std::vector<Container>> RuntimeView::Containers() const {
  auto answer = Ask<absl::StatusOr<criv1::ListContainersResponse>>(
      [](cri::Runtime& runtime) { return runtime.ListContainers({}); });
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
      [id](cri::Runtime& runtime) { return runtime.ContainerStatus(id); });
  if (!answer.ok()) return answer.status();
  return answer->status();
}

absl::StatusOr<std::vector<std::string>> RuntimeView::Sandboxes() const {
  auto answer = Ask<absl::StatusOr<criv1::ListPodSandboxResponse>>(
      [](cri::Runtime& runtime) { return runtime.ListPodSandbox({}); });
  if (!answer.ok()) return answer.status();
  std::vector<std::string> ids;
  for (const criv1::PodSandbox& sandbox : answer->items()) ids.push_back(sandbox.id());
  return ids;
}

absl::StatusOr<std::string> RuntimeView::Exec(const std::string& container_id,
                                              std::vector<std::string> command) const {
  auto answer =
      Ask<absl::StatusOr<criv1::ExecSyncResponse>>([container_id, command](cri::Runtime& runtime) {
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
