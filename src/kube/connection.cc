#include "kube/connection.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>

#include "base/strings.h"
#include "kube/tls_stream.h"

namespace cubelet::kube {
namespace {

namespace asio = boost::asio;

constexpr size_t kReadBytes = 16 << 10;
constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);

bool IsEnd(const boost::system::error_code& code) {
  return code == asio::error::eof || code == boost::asio::ssl::error::stream_truncated;
}

}  // namespace

Connection::Connection(async::Loop& loop, std::unique_ptr<TlsStream> tls, ConnectionTimes times)
    : loop_(loop),
      times_(times),
      tls_(std::move(tls)),
      session_(loop),
      output_(loop),
      settled_(loop),
      last_read_(loop.Monotonic()) {}

Connection::~Connection() { loop_.CancelTimer(timer_); }

void Connection::Start(async::TaskScope& scope) {
  if (scope.Spawn("read", ReadLoop(shared_from_this())) == 0 ||
      scope.Spawn("write", WriteLoop(shared_from_this())) == 0)
    Close(absl::CancelledError("the client is closed"));
}

async::Task<absl::Status> Connection::Ready() {
  while (!closed_ && !session_.has_settings()) co_await settled_.Wait();
  co_return closed_why_;
}

absl::StatusOr<std::shared_ptr<Http2Stream>> Connection::Submit(Http2Request request) {
  if (closed_) return absl::UnavailableError("http2: connection is closed");
  auto stream = session_.Submit(std::move(request));
  output_.Ring();
  Watch();
  return stream;
}

void Connection::Consumed(const Http2Stream& stream, size_t bytes) {
  if (closed_) return;
  session_.Consumed(stream, bytes);
  output_.Ring();
}

void Connection::Cancel(Http2Stream& stream) {
  if (closed_ || stream.ended) return;
  session_.Cancel(stream);
  output_.Ring();
}

void Connection::Close(const absl::Status& why) {
  if (std::exchange(closed_, true)) return;
  loop_.CancelTimer(std::exchange(timer_, 0));
  closed_why_ = why;
  session_.Fail(why);
  settled_.Notify();
  boost::system::error_code ignored;
  tls_->stream.lowest_layer().close(ignored);
  output_.Ring();
}

async::Task<void> Connection::ReadLoop(std::shared_ptr<Connection> self) {
  std::string buffer(kReadBytes, '\0');
  while (!self->closed_) {
    const auto [error, size] =
        co_await self->tls_->stream.async_read_some(asio::buffer(buffer), kAsTuple);
    if (self->closed_) break;
    if (error) {
      // Cancelled by the scope, which ends.
      const bool stopped = error == asio::error::operation_aborted;
      self->Close(absl::UnavailableError(
          stopped        ? "the client is closed"
          : IsEnd(error) ? "http2: the server closed the connection"
                         : StrCat("http2: read from the server: ", error.message())));
      break;
    }
    self->last_read_ = self->loop_.Monotonic();
    self->ping_sent_ = false;
    const absl::Status read = self->session_.Receive(std::string_view(buffer).substr(0, size));
    if (!read.ok()) self->Close(read);
    if (self->session_.has_settings()) self->settled_.Notify();
    self->output_.Ring();
  }
}

async::Task<void> Connection::WriteLoop(std::shared_ptr<Connection> self) {
  while (!self->closed_) {
    const std::string output = self->session_.TakeOutput();
    if (output.empty() && self->session_.finished()) {
      self->Close(absl::UnavailableError("http2: the server ended the connection"));
      break;
    }
    if (output.empty()) {
      co_await self->output_.Wait();
      continue;
    }
    const auto [error, size] =
        co_await asio::async_write(self->tls_->stream, asio::buffer(output), kAsTuple);
    if (error)
      self->Close(absl::UnavailableError(StrCat("http2: write to the server: ", error.message())));
  }
}

// Sets the timer if something waits for an answer and it is not set.
void Connection::Watch() {
  if (closed_ || timer_ != 0 || session_.streams() == 0) return;
  const absl::Duration due =
      ping_sent_ ? times_.ping : last_read_ + times_.read_idle - loop_.Monotonic();
  timer_ = loop_.AddTimer(std::max(due, absl::ZeroDuration()), [this] {
    timer_ = 0;
    CheckAlive();
  });
}

void Connection::CheckAlive() {
  if (session_.streams() == 0) {
    ping_sent_ = false;
    return;
  }
  if (ping_sent_) {
    Close(absl::UnavailableError("http2: client connection lost: the server does not answer"));
    return;
  }
  if (loop_.Monotonic() >= last_read_ + times_.read_idle) {
    ping_sent_ = true;
    session_.Ping();
    output_.Ring();
  }
  Watch();
}

async::Task<absl::StatusOr<Exchange::Head>> Exchange::ReadHead() {
  while (!stream_->has_head && !stream_->ended) co_await stream_->changed.Wait();
  if (!stream_->has_head) co_return stream_->error;
  Head head;
  head.code = stream_->code;
  head.headers = std::move(stream_->headers);
  co_return head;
}

async::Task<absl::StatusOr<std::string>> Exchange::Read() {
  while (stream_->received.empty() && !stream_->ended) co_await stream_->changed.Wait();
  if (stream_->received.empty() && !stream_->error.ok()) co_return stream_->error;
  std::string bytes = std::exchange(stream_->received, {});
  connection_->Consumed(*stream_, bytes.size());
  co_return bytes;
}

}  // namespace cubelet::kube
