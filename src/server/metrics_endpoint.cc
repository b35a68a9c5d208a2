// /metrics, /metrics/probes and /metrics/slis; DELETE of the last sets its counts back.
#include "base/strings.h"
#include "server/endpoint.h"

namespace cubelet::server {

async::Task<Response> ServeMetrics(const Services* services, Request request) {
  if (request.method == "DELETE" && request.path == "/metrics/slis") {
    services->metrics.Reset(request.path);
    co_return Text(200, "metrics reset\n");
  }
  absl::StatusOr<std::string> text = services->metrics.Render(request.path);
  if (!text.ok()) co_return Text(500, StrCat(Message(text.status()), "\n"));
  co_return Response{200, "text/plain; version=0.0.4; charset=utf-8", *std::move(text)};
}

}  // namespace cubelet::server
