#include "probes/response_parser.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/none.hpp>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "base/strings.h"

namespace cubelet::probes {
namespace {

namespace http = boost::beast::http;

constexpr int kMaxInterim = 5;
constexpr size_t kMaxQuotedBytes = 1024;

absl::Status Broken(std::string_view what) {
  return absl::UnavailableError(StrCat("net/http: HTTP/1.x transport connection broken: ", what));
}

std::string_view WithoutLineEnd(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

absl::Status CheckStatusLine(std::string_view line) {
  const size_t space = line.find(' ');
  if (space == std::string_view::npos)
    return Broken(StrCat("malformed HTTP response ", GoQuote(line.substr(0, kMaxQuotedBytes))));
  const std::string_view version = line.substr(0, space);
  std::string_view rest = line.substr(space + 1);
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  const std::string_view code = rest.substr(0, rest.find(' '));
  int number = 0;
  if (code.size() != 3 || !absl::SimpleAtoi(ToAbsl(code), &number) || number < 100)
    return Broken(StrCat("malformed HTTP status code ", GoQuote(code.substr(0, kMaxQuotedBytes))));
  if (version != "HTTP/1.1" && version != "HTTP/1.0")
    return Broken(StrCat("malformed HTTP version ", GoQuote(version.substr(0, kMaxQuotedBytes))));
  return absl::OkStatus();
}

// The head in the form the parser insists on: lines that end in CR LF, a space after the status
// code. Servers made of a few lines of shell leave these out, and Go takes what they send.
std::string Normalize(std::string_view head) {
  std::string out;
  bool first = true;
  while (!head.empty()) {
    const size_t length = head.find('\n') + 1;
    std::string_view line = WithoutLineEnd(head.substr(0, length));
    out += line;
    if (first && line.find(' ') + 4 == line.size()) out += ' ';
    out += "\r\n";
    first = false;
    head.remove_prefix(length);
  }
  return out;
}

}  // namespace

struct ResponseParser::Message {
  Message() {
    parser.eager(true);
    parser.header_limit(2 * kMaxHeadBytes);
    parser.body_limit(boost::none);
    parser.get().body().data = body.data();
    parser.get().body().size = body.size();
  }
  size_t body_size() const { return body.size() - parser.get().body().size; }

  std::vector<char> body = std::vector<char>(kMaxBodyBytes);
  http::response_parser<http::buffer_body> parser;
};

ResponseParser::ResponseParser() = default;
ResponseParser::~ResponseParser() = default;
ResponseParser::ResponseParser(ResponseParser&&) noexcept = default;
ResponseParser& ResponseParser::operator=(ResponseParser&&) noexcept = default;

std::string_view ResponseParser::body() const {
  if (message_ == nullptr) return {};
  return {message_->body.data(), message_->body_size()};
}

absl::Status ResponseParser::Feed(std::string_view bytes) {
  if (done_) return absl::OkStatus();
  return has_head() ? FeedBody(bytes) : FeedHead(bytes);
}

absl::Status ResponseParser::FeedHead(std::string_view bytes) {
  head_ += bytes;
  while (true) {
    const size_t end = head_.find('\n', line_start_);
    if (std::min(end, head_.size()) > kMaxHeadBytes)
      return absl::UnavailableError(
          StrCat("net/http: server response headers exceeded ", kMaxHeadBytes, " bytes; aborted"));
    if (end == std::string::npos) return absl::OkStatus();
    const std::string_view line =
        WithoutLineEnd(std::string_view(head_).substr(line_start_, end + 1 - line_start_));
    if (line_start_ == 0) {
      if (absl::Status status = CheckStatusLine(line); !status.ok()) return status;
    }
    line_start_ = end + 1;
    if (line.empty()) break;
  }
  const std::string rest = head_.substr(line_start_);
  const std::string head = Normalize(std::string_view(head_).substr(0, line_start_));
  head_.clear();
  line_start_ = 0;
  message_ = std::make_unique<Message>();
  boost::system::error_code error;
  message_->parser.put(boost::asio::buffer(head), error);
  if (error && error != http::error::need_more) return Broken(error.message());
  if (!message_->parser.is_header_done()) return Broken("malformed HTTP response");
  const int status = static_cast<int>(message_->parser.get().result_int());
  if (status / 100 == 1 && status != 101) {
    message_.reset();
    if (++interim_ > kMaxInterim)
      return absl::UnavailableError("net/http: too many 1xx informational responses");
    return FeedHead(rest);
  }
  status_ = status;
  location_ = std::string(message_->parser.get()[http::field::location]);
  done_ = message_->parser.is_done();
  return rest.empty() || done_ ? absl::OkStatus() : FeedBody(rest);
}

absl::Status ResponseParser::FeedBody(std::string_view bytes) {
  // What the parser wants to see again, of the size line of a chunk.
  head_ += bytes;
  while (!head_.empty() && !message_->parser.is_done()) {
    boost::system::error_code error;
    const size_t taken = message_->parser.put(boost::asio::buffer(head_), error);
    head_.erase(0, taken);
    if (error == http::error::need_buffer) {
      done_ = true;
      return absl::OkStatus();
    }
    if (error && error != http::error::need_more)
      return absl::UnavailableError(StrCat("malformed body: ", error.message()));
    if (error || taken == 0) break;
  }
  if (head_.size() > kMaxHeadBytes) return absl::UnavailableError("malformed chunked encoding");
  done_ = message_->parser.is_done() || message_->parser.get().body().size == 0;
  return absl::OkStatus();
}

absl::Status ResponseParser::End() {
  if (done_) return absl::OkStatus();
  if (!has_head()) {
    if (head_.empty()) return absl::UnavailableError("EOF");
    if (line_start_ == 0) {
      if (absl::Status status = CheckStatusLine(head_); !status.ok()) return status;
    }
    return absl::UnavailableError("unexpected EOF");
  }
  boost::system::error_code error;
  message_->parser.put_eof(error);
  if (error) return absl::UnavailableError("unexpected EOF");
  done_ = true;
  return absl::OkStatus();
}

}  // namespace cubelet::probes
