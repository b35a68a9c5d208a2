// One HTTP/2 connection over TLS: moves bytes between the socket and the session, and notices when
// the other side has gone silent.
//
// While something waits for an answer and nothing has arrived for kReadIdleTimeout, a ping is sent;
// without an answer to that within kPingTimeout the connection is closed and everything on it
// fails (the Go kubelet's times). A connection without streams sets no timer.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "async/loop.h"
#include "async/scope.h"
#include "async/signal.h"
#include "async/task.h"
#include "kube/http2_session.h"

namespace cubelet::kube {

struct TlsStream;

struct ConnectionTimes {
  absl::Duration read_idle = absl::Seconds(30);
  absl::Duration ping = absl::Seconds(15);
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(async::Loop& loop, std::unique_ptr<TlsStream> tls, ConnectionTimes times);
  ~Connection();

  // Starts reading and writing as tasks of `scope`; they keep the connection alive until it is
  // closed.
  void Start(async::TaskScope& scope);

  // Waits for the server's settings, before which nothing is to be sent. Error: it has closed.
  async::Task<absl::Status> Ready();

  // Queues a request. Error: the connection takes no more.
  absl::StatusOr<std::shared_ptr<Http2Stream>> Submit(Http2Request request);

  // The reader of a stream has taken `bytes`, or is not interested any more.
  void Consumed(const Http2Stream& stream, size_t bytes);
  void Cancel(Http2Stream& stream);

  // Closes at once; all streams end with `why`.
  void Close(const absl::Status& why);

  bool closed() const { return closed_; }
  bool accepts() const { return !closed_ && session_.accepts(); }
  size_t streams() const { return closed_ ? 0 : session_.streams(); }

 private:
  static async::Task<void> ReadLoop(std::shared_ptr<Connection> self);
  static async::Task<void> WriteLoop(std::shared_ptr<Connection> self);
  void Watch();
  void CheckAlive();

  async::Loop& loop_;
  const ConnectionTimes times_;
  std::unique_ptr<TlsStream> tls_;
  Http2Session session_;
  async::Wakeup output_;
  async::Signal settled_;  // the settings have come, or the end
  bool closed_ = false;
  absl::Status closed_why_;
  absl::Duration last_read_;
  bool ping_sent_ = false;
  async::Loop::TimerId timer_ = 0;
};

// One request on a connection, owned by who waits for its answer: dying ends the stream.
class Exchange {
 public:
  struct Head {
    int code = 0;
    Headers headers;
  };

  Exchange(std::shared_ptr<Connection> connection, std::shared_ptr<Http2Stream> stream)
      : connection_(std::move(connection)), stream_(std::move(stream)) {}
  ~Exchange() { connection_->Cancel(*stream_); }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // The answer's code and headers; once.
  async::Task<absl::StatusOr<Head>> ReadHead();

  // Some of the answer's body, "" at its end. Error: the answer broke off.
  async::Task<absl::StatusOr<std::string>> Read();

  // After an error: whether the server has certainly not looked at the request.
  bool unprocessed() const { return stream_->unprocessed; }

 private:
  std::shared_ptr<Connection> connection_;
  std::shared_ptr<Http2Stream> stream_;
};

}  // namespace cubelet::kube
