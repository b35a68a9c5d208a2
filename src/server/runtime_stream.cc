#include "server/runtime_stream.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <utility>

#include "absl/strings/match.h"
#include "async/timeout.h"
#include "base/status.h"
#include "base/strings.h"
#include "cri/errors.h"
#include "server/dial.h"
#include "server/relay.h"
#include "server/stream_url.h"

namespace cubelet::server {
namespace {

namespace http = boost::beast::http;

using TransportPtr = std::shared_ptr<Transport>;

constexpr absl::Duration kHandshakeTimeout = absl::Seconds(30);
constexpr size_t kMaxHeadBytes = 64 << 10;
constexpr size_t kMaxRefusalBytes = 64 << 10;
constexpr size_t kBlock = 4096;

// How long the runtime keeps a stream it has prepared: by then one of too many is gone.
constexpr char kRetryAfterSeconds[] = "60";

std::string_view View(boost::core::string_view text) { return {text.data(), text.size()}; }

// Headers that are about this connection, or about who asks here and no business of the runtime's.
bool StaysHere(std::string_view name) {
  static constexpr const char* kNames[] = {
      "Host",    "Content-Length",      "Transfer-Encoding", "Expect",        "Te",
      "Trailer", "Proxy-Authorization", "Proxy-Connection",  "Authorization", "Cookie"};
  return std::any_of(std::begin(kNames), std::end(kNames), [&](const char* staying) {
    return absl::EqualsIgnoreCase(ToAbsl(name), staying);
  });
}

std::string UpgradeRequest(const Request& request, const StreamUrl& url) {
  std::string text =
      StrCat(request.method, " ", url.target, " HTTP/1.1\r\nHost: ", url.HostPort(), "\r\n");
  for (const auto& [name, value] : request.headers) {
    if (!StaysHere(name)) StrAppend(&text, name, ": ", value, "\r\n");
  }
  if (request.method == "POST") text += "Content-Length: 0\r\n";
  return text + "\r\n";
}

// What the streaming server has answered.
struct Answer {
  int status = 0;
  std::string received;  // all of it, as it came
  std::string content_type;
  std::string body;  // of a refusal
};

async::Task<absl::Status> SendAll(TransportPtr to, std::string data) {
  for (size_t at = 0; at < data.size();) {
    const size_t count = co_await to->Write(data.data() + at, data.size() - at);
    if (count == 0) co_return absl::UnavailableError("it has closed the connection");
    at += count;
  }
  co_return absl::OkStatus();
}

// Until the head is whole, or the whole of a refusal is there.
async::Task<absl::StatusOr<Answer>> ReadAnswer(TransportPtr from) {
  Answer answer;
  http::response_parser<http::string_body> parser;
  parser.header_limit(kMaxHeadBytes);
  parser.body_limit(kMaxRefusalBytes);
  parser.eager(true);
  std::string block(kBlock, '\0'), unparsed;
  while (!parser.is_done()) {
    const size_t count = co_await from->Read(block.data(), block.size());
    boost::system::error_code error;
    if (count == 0) {
      // The parser wants no end of what has not begun.
      if (parser.got_some()) parser.put_eof(error);
      if (!error && parser.is_done()) break;
      co_return absl::UnavailableError("it has closed the connection without an answer");
    }
    answer.received.append(block, 0, count);
    unparsed.append(block, 0, count);
    size_t used = 0;
    do {
      used = parser.put(boost::asio::buffer(unparsed), error);
      unparsed.erase(0, used);
    } while (!error && used > 0 && !unparsed.empty() && !parser.is_done());
    if (error && error != http::error::need_more)
      co_return absl::UnavailableError(StrCat("its answer: ", error.message()));
    if (parser.is_header_done() && parser.get().result_int() == 101) break;
    if (unparsed.size() > kMaxHeadBytes)
      co_return absl::UnavailableError("its answer has a line without an end");
  }
  auto message = parser.release();
  answer.status = static_cast<int>(message.result_int());
  answer.content_type = View(message[http::field::content_type]);
  answer.body = std::move(message.body());
  co_return answer;
}

struct Opened {
  TransportPtr runtime;
  Answer answer;
};

async::Task<absl::StatusOr<Opened>> AskForUpgrade(async::Loop* loop, StreamUrl url,
                                                  std::string text) {
  Opened opened;
  absl::StatusOr<TransportPtr> dialed = co_await Dial(loop, url);
  if (!dialed.ok()) co_return dialed.status();
  opened.runtime = *std::move(dialed);
  CO_RETURN_IF_ERROR(co_await SendAll(opened.runtime, std::move(text)));
  absl::StatusOr<Answer> answer = co_await ReadAnswer(opened.runtime);
  if (!answer.ok()) co_return answer.status();
  opened.answer = *std::move(answer);
  co_return opened;
}

Response Refusal(Answer answer) {
  if (answer.status < 400)
    return Text(500, StrCat("invalid upgrade response: status code ", answer.status, "\n"));
  Response response = Text(answer.status, std::move(answer.body));
  if (!answer.content_type.empty()) response.content_type = std::move(answer.content_type);
  return response;
}

}  // namespace

Response UpgradeRequired() { return Text(500, "Upgrade request required\n"); }

Response StreamError(const absl::Status& error) {
  Response response = Text(500, cri::RpcErrorText(error));
  if (absl::IsNotFound(error)) response.status = 404;
  if (!absl::IsResourceExhausted(error)) return response;
  response.status = 429;
  response.headers.emplace_back("Retry-After", kRetryAfterSeconds);
  return response;
}

async::Task<Response> OpenStream(const Services* services, Request request, StreamRequest stream) {
  if (!WantsUpgrade(request)) co_return UpgradeRequired();
  absl::StatusOr<std::string> text = co_await services->backend.open_stream(std::move(stream));
  if (!text.ok()) co_return StreamError(text.status());
  absl::StatusOr<StreamUrl> url = ParseStreamUrl(*text);
  if (!url.ok()) co_return Text(500, StrCat(Message(url.status()), "\n"));
  std::string question = UpgradeRequest(request, *url);
  absl::StatusOr<Opened> opened = co_await async::WithTimeout(
      services->loop, AskForUpgrade(&services->loop, *url, std::move(question)), kHandshakeTimeout,
      "wait for the answer");
  if (!opened.ok()) {
    co_return Text(500, StrCat("the runtime's streaming server at ", url->HostPort(), ": ",
                               Message(opened.status()), "\n"));
  }
  if (opened->answer.status != 101) co_return Refusal(std::move(opened->answer));
  Response response = Text(101, "");
  response.upgrade = std::make_shared<Relay>(&services->loop, std::move(opened->runtime),
                                             std::move(opened->answer.received),
                                             services->options.streaming_connection_idle_timeout);
  co_return response;
}

}  // namespace cubelet::server
