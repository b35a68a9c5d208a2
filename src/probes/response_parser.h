// An HTTP/1 response from the bytes of a connection, whoever sends them. Bounded: head and body are
// kept up to a limit. Pure.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace cubelet::probes {

inline constexpr size_t kMaxHeadBytes = 64 << 10;
inline constexpr size_t kMaxBodyBytes = 10 << 10;

class ResponseParser {
 public:
  ResponseParser();
  ~ResponseParser();
  ResponseParser(ResponseParser&&) noexcept;
  ResponseParser& operator=(ResponseParser&&) noexcept;

  // Takes what has arrived. Interim (1xx) responses are passed over. Error, in Go's words: what is
  // wrong with it (`malformed HTTP response "\x15\x03"`).
  absl::Status Feed(std::string_view bytes);

  // The other side has closed. Error: `EOF` or `unexpected EOF` if that came too early.
  absl::Status End();

  bool has_head() const { return status_ != 0; }

  // Nothing more is to be read: the body is whole, or as much of it is here as is kept.
  bool done() const { return done_; }

  int status() const { return status_; }
  const std::string& location() const { return location_; }

  // At most kMaxBodyBytes of the body.
  std::string_view body() const;

 private:
  struct Message;
  absl::Status FeedHead(std::string_view bytes);
  absl::Status FeedBody(std::string_view bytes);

  std::string head_;       // until it is whole
  size_t line_start_ = 0;  // of the line of head_ that is not whole yet
  std::unique_ptr<Message> message_;
  int interim_ = 0;
  int status_ = 0;
  std::string location_;
  bool done_ = false;
};

}  // namespace cubelet::probes
