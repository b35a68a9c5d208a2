#include "kube/api_client.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "base/metrics.h"
#include "base/strings.h"
#include "kube/errors.h"
#include "kube/test_loop.h"
#include "os/files.h"

namespace cubelet::kube {
namespace {

using ApiClientTest = LoopTest;

Request GetOf(std::string path, absl::Duration timeout = absl::Seconds(5)) {
  Request request;
  request.path = std::move(path);
  request.timeout = timeout;
  return request;
}

TEST(TargetOf, SortsAndEscapesAsGo) {
  Request request;
  request.path = "/api/v1/services";
  request.query = {{"watch", "true"}, {"fieldSelector", "spec.clusterIP!=None"}, {"a", "b c/d"}};
  EXPECT_EQ(TargetOf("/base", request),
            "/base/api/v1/services?a=b+c%2Fd&fieldSelector=spec.clusterIP%21%3DNone&watch=true");
}

TEST(UserAgent, IsTheGoKubelets) {
  EXPECT_TRUE(absl::StartsWith(DefaultUserAgent(), "kubelet/v1.36.2 (linux/"));
}

async::Task<void> AsksAndSends(async::Loop* loop, TestServer* server, Client* client) {
  server->OnRequest([](const TestRequest& request) {
    return TestReply{.headers = {{"content-type", "text/plain"}}, .body = "got " + request.body};
  });
  Request request = GetOf("/api/v1/nodes/lab/status");
  request.method = "PATCH";
  request.query = {{"timeout", "10s"}};
  request.content_type = "application/strategic-merge-patch+json";
  request.body = std::string(300'000, 'x');  // more than any window
  auto answer = co_await client->Do(request);
  EXPECT_TRUE(answer.ok()) << answer.status();
  if (!answer.ok()) co_return;
  EXPECT_EQ(answer->code, 200);
  EXPECT_EQ(answer->content_type, "text/plain");
  EXPECT_EQ(answer->body, "got " + request.body);
  const TestRequest& seen = server->requests().at(0);
  EXPECT_EQ(seen.method, "PATCH");
  EXPECT_EQ(seen.target, "/api/v1/nodes/lab/status?timeout=10s");
  EXPECT_EQ(HeaderOf(seen.headers, "content-type"), "application/strategic-merge-patch+json");
  EXPECT_EQ(HeaderOf(seen.headers, "content-length"), "300000");
  EXPECT_EQ(HeaderOf(seen.headers, "accept"),
            "application/vnd.kubernetes.protobuf,application/json");
  EXPECT_EQ(HeaderOf(seen.headers, "accept-encoding"), "gzip");
  EXPECT_EQ(HeaderOf(seen.headers, "user-agent"), DefaultUserAgent());
  EXPECT_EQ(HeaderOf(seen.headers, "authorization"), "Bearer secret");
  EXPECT_EQ(seen.client, "system:node:lab");
}

TEST_F(ApiClientTest, SendsWhatIsAskedAndShowsItsCredentials) {
  TestServer server(*loop_, work_);
  ClusterAccess access = server.Access();
  const TestPem pem = server.authority().Issue("system:node:lab", "");
  access.client_certificate.data = pem.certificate + pem.key;
  access.client_key.data = pem.certificate + pem.key;
  access.token = "secret";
  Run(AsksAndSends(loop_.get(), &server, MakeClient({.access = access})));
}

async::Task<void> AsksMany(TestServer* server, Client* client, int count) {
  for (int i = 0; i < count; ++i) {
    auto answer = co_await client->Do(GetOf("/a"));
    EXPECT_TRUE(answer.ok()) << answer.status();
  }
  EXPECT_EQ(server->accepted(), 1);
}

TEST_F(ApiClientTest, UsesOneConnection) {
  TestServer server(*loop_, work_);
  Run(AsksMany(&server, MakeClient({.access = server.Access()}), 20));
}

// Six bytes, gzipped.
std::string Gzipped() {
  static constexpr unsigned char kBytes[] = {0x1f, 0x8b, 8,    0,    0,    0,    0,    0,    0,
                                             3,    0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0xe7, 0x02, 0x00,
                                             0x20, 0x30, 0x3a, 0x36, 0x06, 0x00, 0x00, 0x00};
  return std::string(reinterpret_cast<const char*>(kBytes), sizeof kBytes);
}

async::Task<void> ReadsGzip(TestServer* server, Client* client) {
  server->OnRequest([](const TestRequest& request) {
    std::string body = Gzipped();
    if (request.target == "/cut") body.resize(12);
    return TestReply{.headers = {{"content-encoding", "gzip"}}, .body = body};
  });
  auto answer = co_await client->Do(GetOf("/whole"));
  EXPECT_EQ(answer.ok() ? answer->body : answer.status().ToString(), "hello\n");
  answer = co_await client->Do(GetOf("/cut"));
  EXPECT_TRUE(absl::StrContains(answer.status().message(), "gzip: broken or cut off"))
      << answer.status();
}

TEST_F(ApiClientTest, ReadsCompressedAnswers) {
  TestServer server(*loop_, work_);
  Run(ReadsGzip(&server, MakeClient({.access = server.Access()})));
}

async::Task<void> Retries(TestServer* server, Client* client) {
  int asked = 0;
  server->OnRequest([&asked](const TestRequest& request) {
    ++asked;
    if (request.target == "/always")
      return TestReply{.code = 503, .headers = {{"retry-after", "0"}}};
    if (request.target == "/plain") return TestReply{.code = 500, .body = "oops"};
    if (asked < 4) return TestReply{.code = 429, .headers = {{"retry-after", "0"}}};
    return TestReply{.body = request.body};
  });
  Request post = GetOf("/some");
  post.method = "POST";
  post.body = "content";
  auto answer = co_await client->Do(post);
  EXPECT_EQ(answer.ok() ? answer->body : answer.status().ToString(), "content");
  EXPECT_EQ(asked, 4);
  asked = 0;
  answer = co_await client->Do(GetOf("/always"));
  EXPECT_EQ(answer.ok() ? answer->code : 0, 503);
  EXPECT_EQ(asked, 11);
  asked = 0;
  answer = co_await client->Do(GetOf("/plain"));
  EXPECT_EQ(asked, 1);
  EXPECT_TRUE(absl::StrContains(StatusOf(*answer).message(), "the server answers 500 \"oops\""));
  EXPECT_EQ(CodeOf(StatusOf(*answer)), 500);
}

TEST_F(ApiClientTest, SendsAgainWhenTheServerNamesATime) {
  TestServer server(*loop_, work_);
  Run(Retries(&server, MakeClient({.access = server.Access()})));
}

async::Task<void> TimesOut(TestServer* server, Client* client) {
  server->OnRequest([](const TestRequest& request) {
    if (request.target == "/half") return TestReply{.body = "half", .open = true};
    return TestReply{.silent = true};
  });
  for (const char* path : {"/silent", "/half"}) {
    auto answer = co_await client->Do(GetOf(path, absl::Milliseconds(50)));
    EXPECT_TRUE(absl::IsDeadlineExceeded(answer.status())) << answer.status();
    EXPECT_TRUE(
        absl::StrContains(answer.status().message(), StrCat(path, "\": timed out after 50ms")));
  }
  // Its streams are given back: the connection still serves.
  server->OnRequest([](const TestRequest&) { return TestReply{}; });
  EXPECT_TRUE((co_await client->Do(GetOf("/next"))).ok());
  EXPECT_EQ(server->accepted(), 1);
}

TEST_F(ApiClientTest, ObeysDeadlines) {
  TestServer server(*loop_, work_);
  Run(TimesOut(&server, MakeClient({.access = server.Access()})));
}

async::Task<void> HitsLimits(TestServer* server, Client* client) {
  server->OnRequest(
      [](const TestRequest&) { return TestReply{.body = std::string(2'000'000, 'x')}; });
  Request request = GetOf("/large");
  auto answer = co_await client->Do(request);
  EXPECT_EQ(answer.ok() ? answer->body.size() : 0, 2'000'000);
  request.max_answer_bytes = 1'000'000;
  answer = co_await client->Do(request);
  EXPECT_TRUE(absl::IsResourceExhausted(answer.status())) << answer.status();
}

TEST_F(ApiClientTest, ReadsLargeAnswersUpToItsLimit) {
  TestServer server(*loop_, work_);
  Run(HitsLimits(&server, MakeClient({.access = server.Access()})));
}

async::Task<void> FailsToConnect(Client* client, std::string want) {
  auto answer = co_await client->Do(GetOf("/a"));
  EXPECT_TRUE(absl::StrContains(answer.status().message(), want)) << answer.status();
  EXPECT_TRUE(absl::StartsWith(answer.status().message(), "Get \"https://127.0.0.1:"));
}

TEST_F(ApiClientTest, TellsOfAnAuthorityThatIsNotItsOwn) {
  TestServer server(*loop_, work_);
  ClusterAccess access = server.Access();
  access.authority.data = TestAuthority("another").Pem();
  Run(FailsToConnect(MakeClient({.access = access}), "TLS handshake: certificate verify failed: "));
}

TEST_F(ApiClientTest, TellsOfACertificateForAnotherName) {
  TestServer server(*loop_, work_, {.names = "IP:10.0.0.1,DNS:api"});
  Run(FailsToConnect(MakeClient({.access = server.Access()}), "IP address mismatch"));
}

TEST_F(ApiClientTest, TellsOfAServerWithoutHttp2) {
  TestServer server(*loop_, work_, {.http2 = false});
  Run(FailsToConnect(MakeClient({.access = server.Access()}), "the server does not speak HTTP/2"));
}

TEST_F(ApiClientTest, TellsOfAServerThatIsNotThere) {
  ClusterAccess access;
  access.server = "https://127.0.0.1:1";
  access.insecure = true;
  Run(FailsToConnect(MakeClient({.access = access}),
                     "connect to 127.0.0.1 port 1: Connection refused"));
}

TEST_F(ApiClientTest, ExpectsTheNameItIsGiven) {
  TestServer server(*loop_, work_, {.names = "DNS:api"});
  ClusterAccess access = server.Access();
  access.tls_server_name = "api";
  Run(AsksMany(&server, MakeClient({.access = access}), 1));
}

TEST_F(ApiClientTest, TrustsAnybodyWhenToldTo) {
  TestServer server(*loop_, work_, {.names = "DNS:other"});
  ClusterAccess access = server.Access();
  access.authority = {};
  access.insecure = true;
  Run(AsksMany(&server, MakeClient({.access = access}), 1));
}

async::Task<void> RereadsToken(TestServer* server, Client* client, std::string path) {
  server->OnRequest([](const TestRequest& request) {
    return TestReply{.body = HeaderOf(request.headers, "authorization")};
  });
  auto answer = co_await client->Do(GetOf("/"));
  EXPECT_EQ(answer.ok() ? answer->body : answer.status().ToString(), "Bearer one");
  EXPECT_TRUE(os::WriteFileAtomic(path, "two\n", 0600).ok());
  answer = co_await client->Do(GetOf("/"));
  EXPECT_EQ(answer.ok() ? answer->body : answer.status().ToString(), "Bearer two");
  EXPECT_TRUE(os::RemoveFile(path).ok());
  answer = co_await client->Do(GetOf("/"));
  EXPECT_EQ(answer.ok() ? answer->body : answer.status().ToString(), "Bearer two");
}

TEST_F(ApiClientTest, RereadsATokenFileThatHasChanged) {
  TestServer server(*loop_, work_);
  ClusterAccess access = server.Access();
  access.token_file = testing::TempDir() + "kube-token-" + os::RandomHex(8);
  ASSERT_TRUE(os::WriteFileAtomic(access.token_file, "one\n", 0600).ok());
  Run(RereadsToken(&server, MakeClient({.access = access}), access.token_file));
}

async::Task<void> IsThrottled(async::Loop* loop, Client* client) {
  const absl::Duration started = loop->Monotonic();
  for (int i = 0; i < 6; ++i) EXPECT_TRUE((co_await client->Do(GetOf("/"))).ok());
  // Two at once, the others every 20 ms.
  EXPECT_GE(loop->Monotonic() - started, absl::Milliseconds(75));
}

TEST_F(ApiClientTest, KeepsToItsRate) {
  TestServer server(*loop_, work_);
  Run(IsThrottled(loop_.get(), MakeClient({.access = server.Access(), .qps = 50, .burst = 2})));
}

async::Task<void> IsCounted(TestServer* server, Client* client, Metrics* metrics) {
  int asked = 0;
  server->OnRequest([&asked](const TestRequest&) {
    if (++asked == 1) return TestReply{.code = 429, .headers = {{"retry-after", "0"}}};
    return TestReply{};
  });
  EXPECT_TRUE((co_await client->Do(GetOf("/"))).ok());
  const absl::StatusOr<std::string> text = metrics->Render("/metrics");
  const std::string host = StrCat("host=\"127.0.0.1:", server->port(), "\"");
  for (const std::string& line :
       {StrCat("rest_client_requests_total{code=\"200\",", host, ",method=\"GET\"} 1\n"),
        StrCat("rest_client_requests_total{code=\"429\",", host, ",method=\"GET\"} 1\n"),
        StrCat("rest_client_request_retries_total{code=\"429\",", host, ",verb=\"GET\"} 1\n"),
        StrCat("rest_client_request_duration_seconds_count{", host, ",verb=\"GET\"} 2\n")})
    EXPECT_TRUE(absl::StrContains(*text, line)) << line << *text;
}

TEST_F(ApiClientTest, CountsRequests) {
  TestServer server(*loop_, work_);
  Metrics metrics;
  Run(IsCounted(&server, MakeClient({.access = server.Access(), .metrics = &metrics}), &metrics));
}

TEST(FlowControl, ReservesInOrderAndRefusesWhatIsTooLate) {
  FlowControl flow(10, 1, absl::ZeroDuration());
  const absl::Duration now = absl::ZeroDuration(), minute = absl::Minutes(1);
  EXPECT_EQ(flow.Take(now, minute), absl::ZeroDuration());
  EXPECT_EQ(flow.Take(now, minute), absl::Milliseconds(100));
  EXPECT_EQ(flow.Take(now, absl::Milliseconds(150)), std::nullopt);
  EXPECT_EQ(flow.Take(now, minute), absl::Milliseconds(200));
  FlowControl none(-1, 0, now);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(none.Take(now, minute), absl::ZeroDuration());
}

}  // namespace
}  // namespace cubelet::kube
