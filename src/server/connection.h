// One client's connection: HTTP/1.1 with keep-alive over a Transport, within Limits.
//
// What it holds for a client that is still sending is bounded, and a client that lets it wait is
// cut off, so that nobody can make the kubelet hold memory or descriptors for long.
#pragma once

#include <memory>
#include <string>

#include "async/loop.h"
#include "async/scope.h"
#include "async/task.h"
#include "server/handler.h"
#include "server/options.h"
#include "server/transport.h"

namespace cubelet::server {

class Connection {
 public:
  Connection(async::Loop& loop, std::unique_ptr<Transport> transport, Port port, Limits limits);
  ~Connection();

  // Serves until the client goes, misbehaves, or Close is called. `handler` and `scope`, where what
  // an upgraded connection needs beside lives, outlive it.
  async::Task<void> Run(Handler* handler, async::TaskScope* scope);

  void Close() { transport_->Close(); }

  // Whether a request is being served: such a connection is not given up for a new one.
  bool busy() const { return busy_; }

  // Since when (monotonic) nothing was being served.
  absl::Duration waiting_since() const { return waiting_since_; }

 private:
  struct Parser;
  enum class Outcome { kRequest, kBad, kEnd };

  // Closes the connection unless set anew or cleared in time.
  void SetDeadline(absl::Duration timeout);
  void ClearDeadline();

  // Reads the next request into parser_.
  async::Task<Outcome> ReadRequest();
  async::Task<bool> ReadMore();
  // False when the client has taken nothing for `stall`, or is gone.
  async::Task<bool> Write(std::string data, absl::Duration stall);

  // Serves one request; whether another may follow.
  async::Task<bool> ServeOne(Handler* handler, async::TaskScope* scope);
  // Each sends its kind of answer; whether another may follow.
  async::Task<bool> Send(Response response, bool keep_alive, bool head_only);
  async::Task<bool> SendStream(Response response, bool keep_alive, bool chunked);

  // Ends in such a way that the client gets the last answer although it may still be sending.
  async::Task<void> Finish();

  async::Loop& loop_;
  const std::shared_ptr<Transport> transport_;
  const Port port_;
  const Limits limits_;
  std::string buffer_;  // read, not yet parsed
  std::unique_ptr<Parser> parser_;
  Response refusal_;  // after kBad
  async::Loop::TimerId deadline_ = 0;
  bool busy_ = false;
  absl::Duration waiting_since_;
};

}  // namespace cubelet::server
