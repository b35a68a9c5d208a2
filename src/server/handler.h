// From a request to its answer: route, who is it, may they, serve, count. Knows no sockets.
#pragma once

#include <memory>
#include <vector>

#include "async/task.h"
#include "server/access.h"
#include "server/endpoint.h"
#include "server/router.h"

namespace cubelet::server {

class Handler {
 public:
  Handler(Services services, Authenticator authenticator, Authorizer authorizer)
      : services_(services),
        authenticator_(std::move(authenticator)),
        authorizer_(std::move(authorizer)) {}

  // `chain` is what the client presented on the main port, its own certificate first; borrowed
  // until the answer is there.
  async::Task<Response> Handle(Request request, std::vector<X509*> chain);

 private:
  async::Task<Response> Answer(const Route* route, Request request, std::vector<X509*> chain);

  const Services services_;
  Authenticator authenticator_;
  const Authorizer authorizer_;
};

}  // namespace cubelet::server
