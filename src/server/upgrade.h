// A connection that goes on in another protocol (SPDY, WebSocket) between the client and somebody
// else: what an endpoint gives instead of an answer.
#pragma once

#include <memory>
#include <string>

#include "async/scope.h"
#include "async/task.h"
#include "server/transport.h"

namespace cubelet::server {

class Upgrade {
 public:
  virtual ~Upgrade() = default;

  // Takes the connection over, from the answer's first byte to its end. `received` is what the
  // client has sent after its request. Tasks beside the awaiting one live in `scope`.
  virtual async::Task<void> Run(async::TaskScope* scope, std::shared_ptr<Transport> client,
                                std::string received) = 0;
};

}  // namespace cubelet::server
