#include "server/connection.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/string_body.hpp>
#include <utility>

#include "base/log.h"
#include "base/strings.h"
#include "server/body.h"
#include "server/upgrade.h"

namespace cubelet::server {
namespace {

namespace http = boost::beast::http;

constexpr size_t kReadBytes = 4096;

// How long and how much of what a client still sends is read and thrown away after the last answer:
// closing at once would make the kernel drop the answer.
constexpr absl::Duration kLingerTime = absl::Seconds(1);
constexpr int kLingerReads = 64;

std::string_view View(boost::core::string_view text) { return {text.data(), text.size()}; }

std::string HttpDate(absl::Time now) {
  return absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", now, absl::UTCTimeZone());
}

// `framing` says where the body ends.
std::string Head(const Response& response, bool keep_alive, absl::Time now,
                 std::string_view framing) {
  const std::string_view reason =
      View(http::obsolete_reason(static_cast<http::status>(response.status)));
  std::string head = StrCat("HTTP/1.1 ", response.status, " ", reason, "\r\nDate: ", HttpDate(now),
                            "\r\nContent-Type: ", response.content_type,
                            "\r\nX-Content-Type-Options: nosniff\r\n", framing);
  for (const auto& [name, value] : response.headers) StrAppend(&head, name, ": ", value, "\r\n");
  if (!keep_alive) head += "Connection: close\r\n";
  return head + "\r\n";
}

// A piece of a chunked body.
std::string Chunk(const std::string& piece) {
  return StrCat(absl::Hex(piece.size()), "\r\n", piece, "\r\n");
}

Response RefusalOf(const boost::system::error_code& error) {
  if (error == http::error::header_limit) return Text(431, "431 Request Header Fields Too Large");
  if (error == http::error::body_limit) return Text(413, "413 Request Entity Too Large");
  return Text(400, "400 Bad Request");
}

}  // namespace

struct Connection::Parser {
  http::request_parser<http::string_body> http;
  bool continued = false;  // "100 Continue" was sent
};

Connection::Connection(async::Loop& loop, std::unique_ptr<Transport> transport, Port port,
                       Limits limits)
    : loop_(loop),
      transport_(std::move(transport)),
      port_(port),
      limits_(limits),
      waiting_since_(loop.Monotonic()) {}

Connection::~Connection() { ClearDeadline(); }

void Connection::SetDeadline(absl::Duration timeout) {
  ClearDeadline();
  deadline_ = loop_.AddTimer(timeout, [this] {
    deadline_ = 0;
    Close();
  });
}

void Connection::ClearDeadline() { loop_.CancelTimer(std::exchange(deadline_, 0)); }

async::Task<void> Connection::Run(Handler* handler, async::TaskScope* scope) {
  SetDeadline(limits_.request_timeout);
  if (!co_await transport_->Handshake()) co_return;
  while (co_await ServeOne(handler, scope)) {
  }
  co_await Finish();
}

async::Task<bool> Connection::ServeOne(Handler* handler, async::TaskScope* scope) {
  const Outcome outcome = co_await ReadRequest();
  if (outcome == Outcome::kEnd) co_return false;
  ClearDeadline();
  busy_ = true;
  Response response = std::move(refusal_);
  bool keep_alive = false, head_only = false, chunked = false;
  Request request;
  if (outcome == Outcome::kRequest) {
    auto message = parser_->http.release();
    keep_alive = message.keep_alive();
    chunked = message.version() >= 11;
    request.port = port_;
    request.method = View(message.method_string());
    request.body = std::move(message.body());
    for (const auto& field : message)
      request.headers.emplace_back(View(field.name_string()), View(field.value()));
    head_only = request.method == "HEAD";
    if (ParseTarget(View(message.target()), &request.path, &request.query)) {
      response = co_await handler->Handle(std::move(request), transport_->PeerChain());
    } else {
      response = Text(400, "400 Bad Request");
      keep_alive = false;
    }
  }
  parser_.reset();
  bool another = false;
  if (response.upgrade != nullptr) {
    co_await response.upgrade->Run(scope, transport_, std::exchange(buffer_, std::string()));
  } else if (response.stream != nullptr && !head_only) {
    another = co_await SendStream(std::move(response), keep_alive, chunked);
  } else {
    another = co_await Send(std::move(response), keep_alive, head_only);
  }
  busy_ = false;
  waiting_since_ = loop_.Monotonic();
  co_return another;
}

async::Task<bool> Connection::Send(Response response, bool keep_alive, bool head_only) {
  const std::string framing = StrCat("Content-Length: ", response.body.size(), "\r\n");
  std::string answer = Head(response, keep_alive, loop_.Now(), framing);
  if (!head_only) answer += response.body;
  response.body = std::string();
  const bool written = co_await Write(std::move(answer), limits_.write_stall);
  co_return written&& keep_alive;
}

async::Task<bool> Connection::SendStream(Response response, bool keep_alive, bool chunked) {
  // Before HTTP/1.1 the end of the connection is the end of the body.
  if (!chunked) keep_alive = false;
  const char* const framing = chunked ? "Transfer-Encoding: chunked\r\n" : "";
  std::string head = Head(response, keep_alive, loop_.Now(), framing);
  if (!co_await Write(std::move(head), limits_.write_stall)) co_return false;
  while (true) {
    absl::StatusOr<std::optional<std::string>> piece = co_await response.stream->Next();
    if (!piece.ok()) {
      LOG_ERROR(piece.status(), "An answer ends before its time");
      co_return false;
    }
    if (!*piece) break;
    if ((*piece)->empty()) {
      if (transport_->PeerHasClosed()) co_return false;
      continue;
    }
    std::string data = chunked ? Chunk(**piece) : **std::move(piece);
    if (!co_await Write(std::move(data), limits_.stream_stall)) co_return false;
  }
  if (chunked && !co_await Write("0\r\n\r\n", limits_.write_stall)) co_return false;
  co_return keep_alive;
}

async::Task<Connection::Outcome> Connection::ReadRequest() {
  parser_ = std::make_unique<Parser>();
  auto& http = parser_->http;
  http.header_limit(static_cast<uint32_t>(limits_.header_bytes));
  http.body_limit(limits_.body_bytes);
  http.eager(true);
  bool begun = !buffer_.empty();
  SetDeadline(begun ? limits_.request_timeout : limits_.idle_timeout);
  while (true) {
    boost::system::error_code error;
    const size_t used = buffer_.empty() ? 0 : http.put(boost::asio::buffer(buffer_), error);
    buffer_.erase(0, used);
    if (http.is_done()) co_return Outcome::kRequest;
    if (error && error != http::error::need_more) {
      refusal_ = RefusalOf(error);
      co_return Outcome::kBad;
    }
    if (!error && used > 0 && !buffer_.empty()) continue;
    if (http.is_header_done() && !parser_->continued &&
        http.get()[http::field::expect] == "100-continue") {
      parser_->continued = true;
      if (!co_await Write("HTTP/1.1 100 Continue\r\n\r\n", limits_.write_stall))
        co_return Outcome::kEnd;
      SetDeadline(limits_.request_timeout);
    }
    // The parser keeps nothing back but a line that has no end yet.
    if (buffer_.size() > limits_.header_bytes || !co_await ReadMore()) co_return Outcome::kEnd;
    if (!begun) SetDeadline(limits_.request_timeout);
    begun = true;
  }
}

async::Task<bool> Connection::ReadMore() {
  const size_t old = buffer_.size();
  if (old == 0 && buffer_.capacity() > 4 * kReadBytes) buffer_ = std::string();
  buffer_.resize(old + kReadBytes);
  const size_t count = co_await transport_->Read(buffer_.data() + old, kReadBytes);
  buffer_.resize(old + count);
  co_return count > 0;
}

async::Task<bool> Connection::Write(std::string data, absl::Duration stall) {
  size_t at = 0;
  while (at < data.size()) {
    SetDeadline(stall);
    const size_t count = co_await transport_->Write(data.data() + at, data.size() - at);
    if (count == 0) co_return false;
    at += count;
  }
  ClearDeadline();
  co_return true;
}

async::Task<void> Connection::Finish() {
  SetDeadline(kLingerTime);
  co_await transport_->Shutdown();
  buffer_ = std::string(kReadBytes, '\0');
  for (int i = 0; i < kLingerReads; ++i) {
    if (co_await transport_->Discard(buffer_.data(), buffer_.size()) == 0) break;
  }
  Close();
}

}  // namespace cubelet::server
