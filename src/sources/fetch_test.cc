#include "sources/fetch.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/strings.h"
#include "sources/http_source.h"
#include "sources/source_test_util.h"
#include "sources/test_server.h"

namespace cubelet::sources {
namespace {

std::string Answer(const std::string& body, const std::string& head = "HTTP/1.1 200 OK") {
  return StrCat(head, "\r\nContent-Length: ", body.size(), "\r\n\r\n", body);
}

std::string PodText(const std::string& name) {
  return StrCat("{apiVersion: v1, kind: Pod, metadata: {name: ", name,
                "}, spec: {containers: [{name: c, image: i}]}}");
}

class FetchTest : public LoopTest {
 protected:
  std::string ErrorOf(const absl::StatusOr<FetchResponse>& response) {
    return response.ok() ? "" : std::string(Message(response.status()));
  }
  FetchRequest Get(const std::string& url) {
    FetchRequest request;
    request.url = url;
    return request;
  }

  async::Task<void> Plain();
  async::Task<void> Redirects();
  async::Task<void> Hostile();
  async::Task<void> Unreachable();
  async::Task<void> Tls();
  async::Task<void> Source();
};

async::Task<void> FetchTest::Plain() {
  TestServer server(*loop_, work_);
  server.SetAnswer("/pods?a=b", Answer("hello"));
  FetchRequest request = Get(StrCat("http://user:p%40ss@127.0.0.1:", server.port(), "/pods?a=b"));
  request.headers = {{"X-One", "1"}, {"x-one", "2"}, {"User-Agent", "mine"}};
  const auto response = co_await Fetch(loop_.get(), std::move(request));
  EXPECT_EQ(ErrorOf(response), "");
  if (!response.ok()) co_return;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "hello");
  const std::string& sent = server.requests().back();
  EXPECT_TRUE(sent.starts_with("GET /pods?a=b HTTP/1.1\r\n")) << sent;
  for (const std::string& line :
       {StrCat("Host: 127.0.0.1:", server.port()), std::string("X-One: 1"), std::string("x-one: 2"),
        std::string("User-Agent: mine"), std::string("Authorization: Basic dXNlcjpwQHNz")})
    EXPECT_NE(sent.find("\r\n" + line + "\r\n"), std::string::npos) << line << "\n" << sent;

  FetchRequest bad = Get(StrCat("http://127.0.0.1:", server.port(), "/"));
  bad.headers = {{"X", "a\r\nInjected: b"}};
  EXPECT_NE(ErrorOf(co_await Fetch(loop_.get(), std::move(bad))), "");
}

TEST_F(FetchTest, Plain) { Run(Plain()); }

async::Task<void> FetchTest::Redirects() {
  TestServer server(*loop_, work_);
  TestServer other(*loop_, work_);
  const std::string url = StrCat("http://127.0.0.1:", server.port());
  server.SetAnswer("/relative", Answer("", "HTTP/1.1 302 Found\r\nLocation: /end"));
  server.SetAnswer("/end", Answer("end"));
  server.SetAnswer("/loop", Answer("", "HTTP/1.1 301 Moved\r\nLocation: /loop"));
  server.SetAnswer(
      "/away",
      Answer("", StrCat("HTTP/1.1 307 x\r\nLocation: http://localhost:", other.port(), "/end")));
  other.SetAnswer("/end", Answer("other"));
  auto response = co_await Fetch(loop_.get(), Get(url + "/relative"));
  EXPECT_TRUE(response.ok() && response->body == "end") << ErrorOf(response);
  response = co_await Fetch(loop_.get(), Get(url + "/loop"));
  EXPECT_EQ(ErrorOf(response), StrCat("Get \"", url, "/loop\": stopped after 10 redirects"));
  FetchRequest request = Get(url + "/away");
  request.headers = {{"authorization", "secret"}, {"X-Other", "kept"}};
  response = co_await Fetch(loop_.get(), std::move(request));
  EXPECT_TRUE(response.ok() && response->body == "other") << ErrorOf(response);
  EXPECT_NE(server.requests().back().find("secret"), std::string::npos);
  EXPECT_EQ(other.requests().back().find("secret"), std::string::npos) << "stays with its host";
  EXPECT_NE(other.requests().back().find("kept"), std::string::npos);
}

TEST_F(FetchTest, Redirects) { Run(Redirects()); }

async::Task<void> FetchTest::Hostile() {
  TestServer server(*loop_, work_);
  const std::string url = StrCat("http://127.0.0.1:", server.port());
  server.SetAnswer("/nonsense", "SSH-2.0-x\r\n");
  server.SetAnswer("/header",
                   StrCat("HTTP/1.1 200 OK\r\nX: ", std::string(200'000, 'x'), "\r\n\r\n"));
  server.SetAnswer("/body", Answer(std::string(2000, 'x')));
  server.SetAnswer("/chunked",
                   StrCat("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n",
                          std::string(2000, 'x'), "\r\n0\r\n\r\n"));
  server.SetAnswer("/short", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
  server.SetAnswer("/huge", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\nabc");
  server.SetAnswer("/empty", "");
  for (const char* path :
       {"/nonsense", "/header", "/body", "/chunked", "/short", "/huge", "/empty"}) {
    FetchRequest request = Get(url + path);
    request.max_body_bytes = 1000;
    const std::string error = ErrorOf(co_await Fetch(loop_.get(), std::move(request)));
    EXPECT_TRUE(error.starts_with(StrCat("Get \"", url, path, "\": "))) << path << ": " << error;
  }
  FetchRequest slow = Get(url + "/silence");
  server.SetSilent("/silence");
  slow.timeout = absl::Milliseconds(50);
  const auto response = co_await Fetch(loop_.get(), std::move(slow));
  EXPECT_TRUE(absl::IsDeadlineExceeded(response.status())) << response.status();
  EXPECT_EQ(ErrorOf(response), StrCat("Get \"", url, "/silence\": timed out after 50ms"));
}

TEST_F(FetchTest, HostileServers) { Run(Hostile()); }

async::Task<void> FetchTest::Unreachable() {
  uint16_t port = 0;
  {
    TestServer server(*loop_, work_);
    port = server.port();
    server.Stop();
  }
  const std::string url = StrCat("http://127.0.0.1:", port, "/");
  EXPECT_EQ(ErrorOf(co_await Fetch(loop_.get(), Get(url))),
            StrCat("Get \"", url, "\": connect to 127.0.0.1 port ", port, ": Connection refused"));
  const std::string name =
      ErrorOf(co_await Fetch(loop_.get(), Get("http://does-not-exist.invalid/")));
  EXPECT_TRUE(
      name.starts_with("Get \"http://does-not-exist.invalid/\": look up does-not-exist.invalid: "))
      << name;
  EXPECT_NE(ErrorOf(co_await Fetch(loop_.get(), Get("file:///etc/passwd"))), "");
}

TEST_F(FetchTest, Unreachable) { Run(Unreachable()); }

async::Task<void> FetchTest::Tls() {
  TestCertificate certificate("localhost");
  TestServer server(*loop_, work_, &certificate);
  server.SetAnswer("/pods", Answer("secret"));
  server.SetAnswer("/down", Answer("", "HTTP/1.1 302 x\r\nLocation: http://127.0.0.1:1/"));
  const std::string url = StrCat("https://localhost:", server.port());
  FetchRequest request = Get(url + "/pods");
  request.ca_file = certificate.ca_file();
  auto response = co_await Fetch(loop_.get(), request);
  EXPECT_TRUE(response.ok() && response->body == "secret") << ErrorOf(response);

  request.url = url + "/down";
  EXPECT_EQ(ErrorOf(co_await Fetch(loop_.get(), request)),
            StrCat("Get \"", url, "/down\": redirected from https to http"));

  request.url = url + "/pods";
  request.ca_file = "";
  std::string error = ErrorOf(co_await Fetch(loop_.get(), request));
  EXPECT_NE(error.find("TLS handshake: "), std::string::npos) << error;
  EXPECT_NE(error.find("self-signed"), std::string::npos) << error;

  request.url = StrCat("https://127.0.0.1:", server.port(), "/pods");
  request.ca_file = certificate.ca_file();
  EXPECT_NE(ErrorOf(co_await Fetch(loop_.get(), request)), "") << "another name";

  request.ca_file = "/does/not/exist";
  EXPECT_NE(ErrorOf(co_await Fetch(loop_.get(), request)).find("/does/not/exist"),
            std::string::npos);
}

TEST_F(FetchTest, Tls) { Run(Tls()); }

// 1.4
async::Task<void> FetchTest::Source() {
  TestServer server(*loop_, work_);
  server.SetAnswer("/", Answer(PodText("a")));
  HttpSource::Options options;
  options.url = StrCat("http://u:secret@127.0.0.1:", server.port(), "/");
  const std::string shown = StrCat("http://u:xxxxx@127.0.0.1:", server.port(), "/");
  options.headers = {{"X-Key", "value"}};
  options.node_name = "lab";
  options.check_frequency = absl::Milliseconds(5);
  HttpSource source(*loop_, options, Collect(), CollectProblems());
  source.Start(work_);
  co_await Eventually([&] { return deliveries_ == 1; });
  EXPECT_EQ(source_, "http");
  EXPECT_EQ(Names(), "a-lab ");
  EXPECT_NE(server.requests().back().find("\r\nX-Key: value\r\n"), std::string::npos);
  const size_t seen = server.requests().size();
  co_await Eventually([&] { return server.requests().size() > seen + 2; });
  EXPECT_EQ(deliveries_, 1) << "the same bytes say nothing new";

  server.SetAnswer("/", Answer("", "HTTP/1.1 503 Service Unavailable"));
  co_await Eventually([&] { return !problems_.empty(); });
  EXPECT_EQ(problems_.at(shown), shown + ": 503 Service Unavailable");
  EXPECT_EQ(deliveries_, 1) << "the set stays";

  server.SetAnswer("/", Answer("{kind: Nonsense}"));
  co_await Eventually([&] { return problems_.at(shown).starts_with("invalid pod"); });
  EXPECT_EQ(Names(), "a-lab ");

  server.SetAnswer("/", Answer("{apiVersion: v1, kind: PodList, items: [" + PodText("b") +
                               ", {metadata: {}}]}"));
  co_await Eventually([&] { return deliveries_ == 2; });
  EXPECT_EQ(Names(), "b-lab ");
  EXPECT_EQ(problems_.at(shown + " items[1]"), "invalid pod: name is needed for the pod");

  server.SetAnswer("/", Answer(""));
  co_await Eventually([&] { return deliveries_ >= 3; });
  EXPECT_TRUE(pods_.empty());
  EXPECT_EQ(problems_.at(shown), "zero-length data received from " + shown);

  server.SetAnswer("/", Answer(PodText("a")));
  co_await Eventually([&] { return Names() == "a-lab "; });
  EXPECT_TRUE(problems_.empty());
  co_await work_.Close();
}

TEST_F(FetchTest, HttpSource) { Run(Source()); }

}  // namespace
}  // namespace cubelet::sources
