// /exec/{namespace}/{pod}[/{uid}]/{container}?command=...: a command in a container with its
// streams (node.md 17.7, 17.8).
#include "base/strings.h"
#include "server/endpoint.h"
#include "server/pod_path.h"
#include "server/runtime_stream.h"
#include "server/stream_query.h"

namespace cubelet::server {

async::Task<Response> ServeExec(const Services* services, Request request) {
  const std::optional<PodPath> path = ParseContainerPath(request.path, /*with_uid=*/true);
  if (!path) co_return NoSuchPath();
  StreamRequest stream;
  stream.kind = StreamRequest::Kind::kExec;
  const absl::Status streams = ReadStreams(request.query, &stream);
  if (!streams.ok()) co_return Text(400, std::string(Message(streams)));
  const std::optional<PodView> pod = services->backend.find_pod(path->name_space, path->pod);
  if (!pod) co_return Text(404, "pod does not exist");
  const std::string& uid = pod->pod->metadata().uid();
  std::optional<std::string> id;
  if (path->uid.empty() || path->uid == uid)
    id = services->backend.running_container(uid, path->container);
  if (!id) co_return Text(500, StrCat("container not found (", GoQuote(path->container), ")"));
  stream.id = *std::move(id);
  for (const auto& [name, value] : request.query) {
    if (name == "command") stream.command.push_back(value);
  }
  co_return co_await OpenStream(services, std::move(request), std::move(stream));
}

}  // namespace cubelet::server
