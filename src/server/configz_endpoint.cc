// /configz: the configuration in force.
#include "server/endpoint.h"

namespace cubelet::server {

async::Task<Response> ServeConfigz(const Services* services, Request) {
  co_return Response{200, "application/json", services->backend.configz()};
}

}  // namespace cubelet::server
