// HTTP/2 as a client, without I/O: bytes of the connection in, bytes for the connection out. A thin
// shell around nghttp2, which keeps the protocol's state; what arrives is put into Http2Streams.
//
//   auto stream = session.Submit(std::move(request));   // then send session.TakeOutput()
//   RETURN_IF_ERROR(session.Receive(bytes));             // then send session.TakeOutput()
//
// What the other side may make us hold is bounded: kStreamWindow bytes of each answer that nobody
// has read (Consumed() opens the window again), and kMaxHeaderBytes of headers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "async/loop.h"
#include "kube/http2_stream.h"

struct nghttp2_session;

namespace cubelet::kube {

class Http2Session {
 public:
  static constexpr int32_t kStreamWindow = 256 << 10;
  static constexpr int32_t kConnectionWindow = 1 << 20;
  static constexpr size_t kMaxHeaderBytes = 64 << 10;

  explicit Http2Session(async::Loop& loop);
  ~Http2Session();
  Http2Session(const Http2Session&) = delete;
  Http2Session& operator=(const Http2Session&) = delete;

  // Queues a request. Error: the connection takes no more (GOAWAY, ids used up).
  absl::StatusOr<std::shared_ptr<Http2Stream>> Submit(Http2Request request);

  // Ends a stream that nobody waits for any more. Nothing happens for one that has ended.
  void Cancel(Http2Stream& stream);

  // `bytes` of the answer's body were read: the server may send as many more.
  void Consumed(const Http2Stream& stream, size_t bytes);

  // Takes what the server has sent. Error: it is not HTTP/2, or breaks its rules; the connection is
  // of no use any more.
  absl::Status Receive(std::string_view bytes);

  // What is to be sent, up to about `max_bytes`; "" when there is nothing.
  std::string TakeOutput(size_t max_bytes = 64 << 10);

  void Ping();

  // Ends all streams with `error`. Nothing but accepts() may be called afterwards.
  void Fail(const absl::Status& error);

  // Whether the server has said how many streams it allows. A request before that might wait for
  // others that never end.
  bool has_settings() const { return has_settings_; }
  // Whether a further request would be taken and sent at once.
  bool accepts() const;
  // Both sides have nothing more to say: the connection is to be closed.
  bool finished() const;
  size_t streams() const { return streams_.size(); }

 private:
  friend struct SessionCallbacks;
  void EndStream(int32_t id, uint32_t error_code);

  async::Loop& loop_;
  nghttp2_session* session_ = nullptr;
  absl::flat_hash_map<int32_t, std::shared_ptr<Http2Stream>> streams_;
  bool failed_ = false;
  bool has_settings_ = false;
  absl::Status broken_;  // the first breach of the protocol that nghttp2 has seen
};

}  // namespace cubelet::kube
