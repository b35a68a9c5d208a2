// POST /run/{namespace}/{pod}[/{uid}]/{container}?cmd=...: runs a command to its end and answers
// with what it wrote (node.md 17.9).
#include "absl/strings/str_split.h"
#include "base/strings.h"
#include "server/endpoint.h"
#include "server/pod_path.h"

namespace cubelet::server {

async::Task<Response> ServeRun(const Services* services, Request request) {
  const std::optional<PodPath> path = ParseContainerPath(request.path, /*with_uid=*/true);
  if (!path) co_return NoSuchPath();
  const Backend& backend = services->backend;
  const std::optional<PodView> pod = backend.find_pod(path->name_space, path->pod);
  if (!pod) co_return Text(404, "pod does not exist");
  const std::string& uid = pod->pod->metadata().uid();
  std::optional<std::string> id;
  if (path->uid.empty() || path->uid == uid) id = backend.running_container(uid, path->container);
  if (!id) co_return Text(500, StrCat("container not found (", GoQuote(path->container), ")"));
  std::vector<std::string> command = absl::StrSplit(First(request.query, "cmd"), ' ');
  absl::StatusOr<std::string> output =
      co_await backend.run_command(*std::move(id), std::move(command));
  if (!output.ok()) co_return Text(500, std::string(Message(output.status())));
  co_return Response{200, "application/json", *std::move(output)};
}

}  // namespace cubelet::server
