#include "probes/response_parser.h"

#include <gtest/gtest.h>

#include "base/strings.h"

namespace cubelet::probes {
namespace {

// Feeds the text in pieces of `size` bytes and ends it. The first error.
absl::Status FeedAll(ResponseParser& parser, std::string_view text, size_t size) {
  while (!text.empty()) {
    if (absl::Status status = parser.Feed(text.substr(0, size)); !status.ok()) return status;
    text.remove_prefix(std::min(size, text.size()));
  }
  return parser.End();
}

TEST(ResponseParser, ReadsWhatServersSend) {
  const struct {
    const char* text;
    int status;
    const char* body;
  } cases[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok"},
      {"HTTP/1.1 200 OK\r\n\r\nuntil the end", 200, "until the end"},
      {"HTTP/1.0 404 Not Found\r\n\r\n", 404, ""},
      {"HTTP/1.1 204 No Content\r\n\r\n", 204, ""},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", 200,
       "abcde"},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, "x"},
      // Of a shell and netcat.
      {"HTTP/1.1 200 OK\n\nok\n", 200, "ok\n"},
      {"HTTP/1.1 200\r\n\r\nok", 200, "ok"},
  };
  for (const auto& c : cases) {
    for (size_t size : {size_t{1}, size_t{7}, size_t{4096}}) {
      ResponseParser parser;
      const absl::Status status = FeedAll(parser, c.text, size);
      ASSERT_TRUE(status.ok()) << GoQuote(c.text) << " in " << size << ": " << status;
      EXPECT_TRUE(parser.done()) << GoQuote(c.text);
      EXPECT_EQ(parser.status(), c.status) << GoQuote(c.text);
      EXPECT_EQ(parser.body(), c.body) << GoQuote(c.text);
    }
  }
}

TEST(ResponseParser, TellsWhatIsWrong) {
  const std::string broken = "net/http: HTTP/1.x transport connection broken: ";
  const struct {
    std::string text;
    std::string error;
  } cases[] = {
      {"", "EOF"},
      {"HTTP/1.1 200 OK\r\nA: b\r\n", "unexpected EOF"},
      {std::string("\x15\x03\x01\x00\x02\x02\x16", 7),
       broken + "malformed HTTP response \"\\x15\\x03\\x01\\x00\\x02\\x02\\x16\""},
      {"SSH-2.0-OpenSSH_9.2\r\n", broken + "malformed HTTP response \"SSH-2.0-OpenSSH_9.2\""},
      {"HTTP/1.1 2x0 OK\r\n\r\n", broken + "malformed HTTP status code \"2x0\""},
      {"HTTP/1.1 20 OK\r\n\r\n", broken + "malformed HTTP status code \"20\""},
      {"HTTP/9.9 200 OK\r\n\r\n", broken + "malformed HTTP version \"HTTP/9.9\""},
  };
  for (const auto& c : cases) {
    ResponseParser parser;
    EXPECT_EQ(FeedAll(parser, c.text, 4096).message(), c.error) << GoQuote(c.text);
  }
}

TEST(ResponseParser, ABodyThatBreaksOffLeavesTheHead) {
  ResponseParser parser;
  const absl::Status status =
      FeedAll(parser, "HTTP/1.1 500 No\r\nContent-Length: 10\r\n\r\nabc", 4096);
  EXPECT_EQ(status.message(), "unexpected EOF");
  EXPECT_EQ(parser.status(), 500);
  EXPECT_EQ(parser.body(), "abc");
}

TEST(ResponseParser, IsBounded) {
  ResponseParser body;
  ASSERT_TRUE(body.Feed("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n").ok());
  for (int i = 0; i < 100 && !body.done(); ++i) ASSERT_TRUE(body.Feed(std::string(1000, 'x')).ok());
  EXPECT_TRUE(body.done());
  EXPECT_EQ(body.body().size(), kMaxBodyBytes);

  ResponseParser head;
  absl::Status status = head.Feed("HTTP/1.1 200 OK\r\n");
  for (int i = 0; i < 100 && status.ok(); ++i)
    status = head.Feed("A: " + std::string(1000, 'x') + "\n");
  EXPECT_EQ(status.message(), "net/http: server response headers exceeded 65536 bytes; aborted");

  ResponseParser endless;
  status = absl::OkStatus();
  for (int i = 0; i < 100 && status.ok(); ++i)
    status = endless.Feed("HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(status.message(), "net/http: too many 1xx informational responses");

  ResponseParser chunk;
  ASSERT_TRUE(chunk.Feed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").ok());
  status = absl::OkStatus();
  for (int i = 0; i < 100 && status.ok(); ++i) status = chunk.Feed(std::string(1000, '1'));
  EXPECT_FALSE(status.ok());
}

TEST(ResponseParser, GivesTheLocation) {
  ResponseParser parser;
  ASSERT_TRUE(parser.Feed("HTTP/1.1 302 Found\r\nlocation: /x\r\nContent-Length: 0\r\n\r\n").ok());
  EXPECT_TRUE(parser.has_head());
  EXPECT_EQ(parser.status(), 302);
  EXPECT_EQ(parser.location(), "/x");
}

}  // namespace
}  // namespace cubelet::probes
