// GET /pods and GET /runningpods/: what the sources want, and what the runtime runs.
#include "base/strings.h"
#include "server/endpoint.h"

namespace cubelet::server {
namespace {

Response ListAnswer(absl::StatusOr<std::string> list) {
  if (!list.ok()) return Text(500, StrCat("Internal Error: ", Message(list.status())));
  return {200, "application/json", *std::move(list)};
}

}  // namespace

async::Task<Response> ServePods(const Services* services, Request) {
  co_return ListAnswer(services->backend.pods());
}

async::Task<Response> ServeRunningPods(const Services* services, Request) {
  co_return ListAnswer(co_await services->backend.running_pods());
}

}  // namespace cubelet::server
