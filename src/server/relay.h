// Bytes both ways between a client and the runtime's streaming server, as they come: what is inside
// (SPDY, WebSocket) is theirs.
//
// Each way holds one block, and reads the next when it has been taken: who is slow slows the other
// down. When the client has said its last word the runtime may still answer; when the runtime has,
// all is over. A relay that has been idle for too long is cut off.
#pragma once

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "async/loop.h"
#include "server/upgrade.h"

namespace cubelet::server {

class Relay : public Upgrade {
 public:
  // `answer` is what the runtime has said so far, for the client. `idle_timeout` zero: none.
  Relay(async::Loop* loop, std::shared_ptr<Transport> runtime, std::string answer,
        absl::Duration idle_timeout);

  async::Task<void> Run(async::TaskScope* scope, std::shared_ptr<Transport> client,
                        std::string received) override;

 private:
  struct Ends;
  static async::Task<void> FromRuntime(std::shared_ptr<Ends> ends, std::string answer);
  static async::Task<void> FromClient(std::shared_ptr<Ends> ends, std::string received);

  async::Loop& loop_;
  const std::shared_ptr<Transport> runtime_;
  std::string answer_;
  const absl::Duration idle_timeout_;
};

}  // namespace cubelet::server
