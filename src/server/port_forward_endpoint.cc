// /portForward/{namespace}/{pod}[/{uid}]: connections to ports of a pod (node.md 17.7, 17.8).
#include "base/strings.h"
#include "server/endpoint.h"
#include "server/pod_path.h"
#include "server/runtime_stream.h"
#include "server/stream_query.h"

namespace cubelet::server {

async::Task<Response> ServePortForward(const Services* services, Request request) {
  const std::optional<PodPath> path = ParsePodPath(request.path);
  if (!path) co_return NoSuchPath();
  StreamRequest stream;
  stream.kind = StreamRequest::Kind::kPortForward;
  absl::StatusOr<std::vector<int32_t>> ports = ReadPorts(request);
  if (!ports.ok()) co_return Text(400, std::string(Message(ports.status())));
  stream.ports = *std::move(ports);
  const std::optional<PodView> pod = services->backend.find_pod(path->name_space, path->pod);
  if (!pod) co_return Text(404, "pod does not exist");
  const std::string& uid = pod->pod->metadata().uid();
  if (!path->uid.empty() && path->uid != uid) co_return Text(404, "pod not found");
  std::optional<std::string> sandbox = services->backend.ready_sandbox(uid);
  if (!sandbox) co_return Text(500, StrCat("pod not found (", GoQuote(FullName(*path)), ")"));
  stream.id = *std::move(sandbox);
  co_return co_await OpenStream(services, std::move(request), std::move(stream));
}

}  // namespace cubelet::server
