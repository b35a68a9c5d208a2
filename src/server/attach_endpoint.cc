// /attach/{namespace}/{pod}[/{uid}]/{container}: the streams of a container's own process (node.md
// 17.7, 17.8).
#include "base/strings.h"
#include "server/endpoint.h"
#include "server/pod_path.h"
#include "server/runtime_stream.h"
#include "server/stream_query.h"

namespace cubelet::server {
namespace {

// Whether the container has a terminal, whatever the client thinks.
bool HasTerminal(const v1::Pod& pod, const std::string& name) {
  for (const auto& container : pod.spec().containers()) {
    if (container.name() == name) return container.tty();
  }
  for (const auto& container : pod.spec().initcontainers()) {
    if (container.name() == name) return container.tty();
  }
  for (const auto& container : pod.spec().ephemeralcontainers()) {
    const auto& common = container.ephemeralcontainercommon();
    if (common.name() == name) return common.tty();
  }
  return false;
}

}  // namespace

async::Task<Response> ServeAttach(const Services* services, Request request) {
  const std::optional<PodPath> path = ParseContainerPath(request.path, /*with_uid=*/true);
  if (!path) co_return NoSuchPath();
  StreamRequest stream;
  stream.kind = StreamRequest::Kind::kAttach;
  const absl::Status streams = ReadStreams(request.query, &stream);
  if (!streams.ok()) co_return Text(400, std::string(Message(streams)));
  const std::optional<PodView> pod = services->backend.find_pod(path->name_space, path->pod);
  if (!pod) co_return Text(404, "pod does not exist");
  const std::string& uid = pod->pod->metadata().uid();
  std::optional<std::string> id;
  if (path->uid.empty() || path->uid == uid)
    id = services->backend.running_container(uid, path->container);
  if (!id) {
    co_return Text(500,
                   StrCat("container ", path->container, " not found in pod ", FullName(*path)));
  }
  stream.id = *std::move(id);
  stream.tty = HasTerminal(*pod->pod, path->container);
  if (stream.tty) stream.error = false;
  co_return co_await OpenStream(services, std::move(request), std::move(stream));
}

}  // namespace cubelet::server
