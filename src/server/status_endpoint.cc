// /cubelet/status: how every pod is doing and why, for `kubelet status`.
#include "server/endpoint.h"

namespace cubelet::server {

async::Task<Response> ServeStatus(const Services* services, Request) {
  co_return Response{200, "application/json", services->backend.status()};
}

}  // namespace cubelet::server
