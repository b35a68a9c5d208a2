#include "server/runtime_stream.h"

#include <gmock/gmock.h>
#include <poll.h>

#include "certs/test_pki.h"
#include "server/pod_path.h"
#include "server/server_fixture.h"
#include "server/socket.h"
#include "server/stream_query.h"
#include "server/stream_url.h"

namespace cubelet::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(PodPathTest, TheTwoForms) {
  const auto path = ParseContainerPath("/exec/ns/web/uid/main", true);
  ASSERT_TRUE(path);
  EXPECT_EQ(StrCat(path->name_space, " ", path->pod, " ", path->uid, " ", path->container),
            "ns web uid main");
  EXPECT_EQ(ParseContainerPath("/exec/ns/web/main", true)->uid, "");
  EXPECT_EQ(FullName(*path), "web_ns");
  EXPECT_EQ(ParsePodPath("/portForward/ns/web/uid")->uid, "uid");
  for (const char* wrong : {"/exec/", "/exec/ns", "/exec/ns/web", "/exec/ns//main", "/exec/a/b/c/",
                            "/exec/a/b/c/d/e", "/exec//b/c"})
    EXPECT_FALSE(ParseContainerPath(wrong, true)) << wrong;
  EXPECT_FALSE(ParseContainerPath("/containerLogs/a/b/c/d", false));
  EXPECT_FALSE(ParsePodPath("/portForward/ns"));
}

TEST(StreamUrlTest, WhatARuntimeMayGive) {
  const auto url = ParseStreamUrl("http://127.0.0.1:41000/exec/x3bT?a=b#c");
  ASSERT_TRUE(url.ok()) << url.status();
  EXPECT_EQ(url->HostPort(), "127.0.0.1:41000");
  EXPECT_EQ(url->target, "/exec/x3bT?a=b");
  EXPECT_FALSE(url->tls);
  EXPECT_EQ(ParseStreamUrl("https://[::1]:10/x")->HostPort(), "[::1]:10");
  EXPECT_EQ(ParseStreamUrl("https://node")->HostPort(), "node:443");
  EXPECT_EQ(ParseStreamUrl("http://node?x")->target, "/?x");
  for (const char* wrong :
       {"", "/exec/x", "ftp://node/x", "http://", "http://:80/", "http://node:0/", "http://node:x/",
        "http://node:65536/", "http://[::1/", "http://[::1]x/", "http://u:p@node/",
        "http://node/a b", "http://node/a\r\nX: y", "unix:///run/x"})
    EXPECT_FALSE(ParseStreamUrl(wrong).ok()) << wrong;
}

TEST(StreamQueryTest, StreamsAndPorts) {
  StreamRequest stream;
  EXPECT_TRUE(ReadStreams({{"output", "1"}, {"error", "1"}, {"tty", "1"}}, &stream).ok());
  EXPECT_TRUE(stream.tty && stream.output);
  EXPECT_FALSE(stream.error || stream.input);
  EXPECT_EQ(Message(ReadStreams({{"input", "true"}}, &stream)),
            "you must specify at least 1 of stdin, stdout, stderr");
  Request request;
  EXPECT_THAT(*ReadPorts(request), ElementsAre());
  request.headers = {{"upgrade", "WebSocket"}};
  EXPECT_EQ(Message(ReadPorts(request).status()), "query parameter \"port\" is required");
  request.query = {{"port", "80,443"}, {"port", "1"}};
  EXPECT_THAT(*ReadPorts(request), ElementsAre(80, 443, 1));
  for (const char* wrong : {"", "x", "80,", "70000", "0", "-1"}) {
    request.query = {{"port", wrong}};
    EXPECT_FALSE(ReadPorts(request).ok()) << wrong;
  }
  request.headers.emplace_back("Sec-WebSocket-Protocol", "SPDY/3.1+portforward.k8s.io");
  EXPECT_THAT(*ReadPorts(request), ElementsAre());
}

// One connection of a runtime's streaming server, played by a function in a thread of its own; over
// TLS with a certificate.
class StreamingServer {
 public:
  explicit StreamingServer(std::function<void(StreamingServer&)> play,
                           const certs::TestCertificate* certificate = nullptr)
      : socket_(*ListenTcp("127.0.0.1", 0)),
        certificate_(certificate),
        thread_([this, play = std::move(play)] {
          if (Accept()) play(*this);
          if (ssl_ != nullptr) SSL_free(ssl_);
          fd_.reset();
        }) {}
  ~StreamingServer() { thread_.join(); }

  std::string url(std::string_view scheme = "http") const {
    return StrCat(scheme, "://127.0.0.1:", socket_.port, "/exec/token?a=b");
  }

  // Up to and with `end`.
  std::string ReadUntil(const std::string& end) {
    std::string text;
    char c = 0;
    while (!text.ends_with(end) && Read(&c)) text += c;
    return text;
  }
  bool Send(std::string_view text) {
    while (!text.empty()) {
      const long n = ssl_ != nullptr ? SSL_write(ssl_, text.data(), static_cast<int>(text.size()))
                                     : ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      text.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }
  bool AtEnd() {
    char c = 0;
    return !Read(&c);
  }

 private:
  bool Accept() {
    pollfd entry{socket_.fd.get(), POLLIN, 0};
    if (::poll(&entry, 1, 10'000) != 1) return false;
    fd_.reset(::accept4(socket_.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (certificate_ == nullptr) return true;
    const certs::SslContextPtr context(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_use_certificate(context.get(), certificate_->certificate.get());
    SSL_CTX_use_PrivateKey(context.get(), certificate_->key.get());
    ssl_ = SSL_new(context.get());
    SSL_set_fd(ssl_, fd_.get());
    return SSL_accept(ssl_) == 1;
  }
  bool Read(char* c) {
    return ssl_ != nullptr ? SSL_read(ssl_, c, 1) == 1 : ::read(fd_.get(), c, 1) == 1;
  }

  ListeningSocket socket_;
  const certs::TestCertificate* const certificate_;
  UniqueFd fd_;
  SSL* ssl_ = nullptr;
  std::thread thread_;
};

constexpr char kSwitching[] =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: SPDY/3.1\r\nConnection: Upgrade\r\n\r\n";

class RuntimeStreamTest : public ServerTest {
 protected:
  RuntimeStreamTest() {
    v1::Pod pod;
    pod.mutable_metadata()->set_uid("uid");
    auto* container = pod.mutable_spec()->add_containers();
    container->set_name("main");
    container->set_tty(true);
    const PodView view{std::make_shared<const v1::Pod>(pod),
                       std::make_shared<const v1::PodStatus>()};
    backend_.find_pod = [view](const std::string& name_space, const std::string& name) {
      return name_space == "ns" && name == "web" ? std::optional<PodView>(view) : std::nullopt;
    };
    backend_.running_container = [](const std::string& uid, const std::string& name) {
      return uid == "uid" && name == "main" ? std::optional<std::string>("cid") : std::nullopt;
    };
    backend_.ready_sandbox = [](const std::string& uid) {
      return uid == "uid" ? std::optional<std::string>("sid") : std::nullopt;
    };
    backend_.open_stream = [this](StreamRequest request) { return Open(std::move(request)); };
  }
  async::Task<absl::StatusOr<std::string>> Open(StreamRequest request) {
    asked_ = std::move(request);
    co_return url_;
  }

  async::Task<absl::StatusOr<std::string>> RunCommand(std::string,
                                                      std::vector<std::string> command) {
    command_ = std::move(command);
    co_return output_;
  }

  static void SendUpgrade(TestClient& client, const std::string& target,
                          const std::string& more = "") {
    client.Send(StrCat("POST ", target, " HTTP/1.1\r\nHost: lab:10250\r\nConnection: Upgrade\r\n",
                       "Upgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n",
                       more, "\r\n"));
  }

  absl::StatusOr<std::string> url_;
  StreamRequest asked_;
  absl::StatusOr<std::string> output_;
  std::vector<std::string> command_;
};

constexpr char kExec[] = "/exec/ns/web/main?command=sh&command=-c&output=1&error=1";

TEST_F(RuntimeStreamTest, BytesGoBothWays) {
  const std::string much(4 << 20, 'z');
  StreamingServer runtime([&](StreamingServer& server) {
    const std::string head = server.ReadUntil("\r\n\r\n");
    EXPECT_THAT(head, testing::StartsWith("POST /exec/token?a=b HTTP/1.1\r\nHost: 127.0.0.1:"));
    EXPECT_THAT(head, HasSubstr("\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n"));
    EXPECT_THAT(head, HasSubstr("\r\nUpgrade: SPDY/3.1\r\n"));
    EXPECT_THAT(head, Not(HasSubstr("Bearer")));
    EXPECT_THAT(head, Not(HasSubstr("lab:10250")));
    server.Send(StrCat(kSwitching, "early"));
    EXPECT_EQ(server.ReadUntil("!"), "hello!");
    server.Send(much);
    EXPECT_EQ(server.ReadUntil("."), "bye.");
    server.Send("end");
  });
  url_ = runtime.url();
  Serve([&] {
    TestClient client(server_->port());
    ASSERT_TRUE(client.StartTls());
    SendUpgrade(client, kExec, "Authorization: Bearer secret\r\nCookie: Bearer\r\n");
    EXPECT_EQ(client.ReceiveHead(), std::string(kSwitching, sizeof kSwitching - 3));
    EXPECT_EQ(client.ReceiveBytes(5), "early");
    client.Send("hello!");
    EXPECT_EQ(client.ReceiveBytes(much.size()), much);
    client.Send("bye.");
    EXPECT_EQ(client.ReceiveBytes(100), "end");
    while (OnLoop([&] { return server_->connections(); }) > 0) std::this_thread::yield();
  });
  EXPECT_EQ(asked_.id, "cid");
  EXPECT_THAT(asked_.command, ElementsAre("sh", "-c"));
  EXPECT_TRUE(asked_.output && asked_.error && !asked_.input && !asked_.tty);
}

TEST_F(RuntimeStreamTest, WhenOneLeavesTheOtherIsTold) {
  StreamingServer runtime([&](StreamingServer& server) {
    server.ReadUntil("\r\n\r\n");
    server.Send(kSwitching);
    // The client has closed its side: what is said now still arrives where the client listens.
    EXPECT_TRUE(server.AtEnd());
  });
  url_ = runtime.url();
  Serve([&] {
    {
      TestClient client(server_->port());
      ASSERT_TRUE(client.StartTls());
      SendUpgrade(client, kExec);
      EXPECT_THAT(client.ReceiveHead(), HasSubstr(" 101 "));
    }
    while (OnLoop([&] { return server_->connections(); }) > 0) std::this_thread::yield();
  });
}

TEST_F(RuntimeStreamTest, AnIdleStreamIsCutOff) {
  options_.streaming_connection_idle_timeout = absl::Seconds(1);
  StreamingServer runtime([&](StreamingServer& server) {
    server.ReadUntil("\r\n\r\n");
    server.Send(kSwitching);
    for (int i = 0; i < 6; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(250));
      server.Send("x");
    }
    EXPECT_TRUE(server.AtEnd());
  });
  url_ = runtime.url();
  Serve([&] {
    TestClient client(server_->port());
    ASSERT_TRUE(client.StartTls());
    SendUpgrade(client, kExec);
    EXPECT_THAT(client.ReceiveHead(), HasSubstr(" 101 "));
    EXPECT_EQ(client.ReceiveBytes(100), "xxxxxx");
  });
}

TEST_F(RuntimeStreamTest, StoppingEndsStreams) {
  StreamingServer runtime([&](StreamingServer& server) {
    server.ReadUntil("\r\n\r\n");
    server.Send(kSwitching);
    EXPECT_TRUE(server.AtEnd());
  });
  url_ = runtime.url();
  std::unique_ptr<TestClient> client;
  Serve([&] {
    client = std::make_unique<TestClient>(server_->port());
    ASSERT_TRUE(client->StartTls());
    SendUpgrade(*client, kExec);
    EXPECT_THAT(client->ReceiveHead(), HasSubstr(" 101 "));
  });
  EXPECT_EQ(client->ReceiveBytes(1), "");
}

// An https URL: the certificate must be of an authority that the system knows.
TEST_F(RuntimeStreamTest, TlsToTheRuntimeIsVerified) {
  const certs::TestCertificate authority = certs::MakeTestAuthority("system");
  const std::string authorities = Write("authorities.pem", authority.CertificatePem());
  certs::TestCertificateOptions names;
  names.common_name = "runtime";
  names.usage = "serverAuth";
  const auto ask = [&] {
    const certs::TestCertificate certificate = certs::MakeTestCertificate(names, &authority);
    StreamingServer runtime(
        [](StreamingServer& server) {
          server.ReadUntil("\r\n\r\n");
          server.Send(kSwitching);
          server.Send(server.ReadUntil("!"));
        },
        &certificate);
    url_ = runtime.url("https");
    std::string got;
    Serve([&] {
      TestClient client(server_->port());
      ASSERT_TRUE(client.StartTls());
      SendUpgrade(client, kExec);
      got = client.ReceiveHead();
      const size_t length = got.find("Content-Length: ");
      if (length != std::string::npos) {
        got += client.ReceiveBytes(std::stoul(got.substr(length + 16)));
      } else if (client.Send("echo!")) {
        got += client.ReceiveBytes(5);
      }
    });
    return got;
  };
  ::setenv("SSL_CERT_FILE", authorities.c_str(), 1);
  names.names = "IP:127.0.0.1";
  EXPECT_THAT(ask(), testing::EndsWith("echo!"));
  names.names = "DNS:elsewhere";
  EXPECT_THAT(ask(), HasSubstr("TLS handshake with 127.0.0.1: "));
  names.names = "IP:127.0.0.1";
  ::unsetenv("SSL_CERT_FILE");
  EXPECT_THAT(ask(), HasSubstr("TLS handshake with 127.0.0.1: "));
}

TEST_F(RuntimeStreamTest, WhatTheStreamingServerRefusesIsPassedOn) {
  const auto ask = [&](const std::string& answer) {
    StreamingServer runtime([&](StreamingServer& server) {
      server.ReadUntil("\r\n\r\n");
      server.Send(answer);
    });
    url_ = runtime.url();
    std::string got;
    Serve([&] {
      TestClient client(server_->port());
      ASSERT_TRUE(client.StartTls());
      SendUpgrade(client, kExec);
      const TestAnswer received = client.Receive();
      EXPECT_THAT(received.head, Not(HasSubstr("Location")));
      got = StrCat(received.status, " ", received.body);
      EXPECT_EQ(client.Ask("GET", "/healthz").body, "ok");
    });
    return got;
  };
  EXPECT_EQ(ask("HTTP/1.1 404 Not Found\r\nContent-Length: 8\r\n\r\nno token"), "404 no token");
  EXPECT_EQ(ask("HTTP/1.0 403 Forbidden\r\n\r\nuntil the end"), "403 until the end");
  EXPECT_EQ(ask("HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n"
                "\r\n"),
            "500 invalid upgrade response: status code 302\n");
  EXPECT_EQ(ask("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
            "500 invalid upgrade response: status code 200\n");
  EXPECT_THAT(ask("SSH-2.0-x\r\n\r\n"),
              HasSubstr("500 the runtime's streaming server at 127.0.0.1"));
  EXPECT_THAT(ask(""), HasSubstr("it has closed the connection without an answer\n"));
  EXPECT_THAT(ask(StrCat("HTTP/1.1 500 X\r\nA: ", std::string(100'000, 'x'), "\r\n\r\n")),
              HasSubstr("500 the runtime's"));
}

TEST_F(RuntimeStreamTest, Errors) {
  Serve([&] {
    TestClient client(server_->port());
    ASSERT_TRUE(client.StartTls());
    const auto ask = [&](const std::string& target) {
      SendUpgrade(client, target);
      const TestAnswer answer = client.Receive();
      return StrCat(answer.status, " ", answer.body);
    };
    EXPECT_EQ(ask("/exec/ns/web/main?command=sh"),
              "400 you must specify at least 1 of stdin, stdout, stderr");
    EXPECT_EQ(ask("/exec/ns/no/main?output=1"), "404 pod does not exist");
    EXPECT_EQ(ask("/exec/ns/web/no?output=1"), "500 container not found (\"no\")");
    EXPECT_EQ(ask("/exec/ns/web/other-uid/main?output=1"), "500 container not found (\"main\")");
    EXPECT_EQ(ask("/attach/ns/web/no?output=1"), "500 container no not found in pod web_ns");
    EXPECT_EQ(ask("/portForward/ns/no"), "404 pod does not exist");
    EXPECT_EQ(ask("/portForward/ns/web/other-uid"), "404 pod not found");
    const auto set = [&](absl::StatusOr<std::string> url) {
      OnLoop([&] { return url_ = url, 0; });
    };
    set(absl::NotFoundError("no such container"));
    EXPECT_EQ(ask(kExec), "404 rpc error: code = NotFound desc = no such container");
    set(absl::ResourceExhaustedError("too many"));
    SendUpgrade(client, kExec);
    const TestAnswer many = client.Receive();
    EXPECT_EQ(many.status, 429);
    EXPECT_THAT(many.head, HasSubstr("\r\nRetry-After: 60\r\n"));
    set(absl::UnknownError("broken"));
    EXPECT_EQ(ask(kExec), "500 rpc error: code = Unknown desc = broken");
    set(std::string("file:///etc/passwd"));
    EXPECT_THAT(ask(kExec), HasSubstr("500 the runtime gave \"file:///etc/passwd\" as the URL"));
    set(std::string("http://127.0.0.1:1/x"));
    EXPECT_EQ(ask(kExec),
              "500 the runtime's streaming server at 127.0.0.1:1: connect to 127.0.0.1:1: "
              "Connection refused\n");
    EXPECT_EQ(client.Ask("POST", kExec).body, "Upgrade request required\n");
    EXPECT_EQ(client.Ask("GET", "/exec/ns/web/main?output=1").status, 500);
  });
}

TEST_F(RuntimeStreamTest, AttachAndPortForwardAskForWhatIsMeant) {
  url_ = absl::UnknownError("asked");
  Serve([&] {
    TestClient client(server_->port());
    ASSERT_TRUE(client.StartTls());
    SendUpgrade(client, "/attach/ns/web/uid/main?input=1&output=1&error=1");
    EXPECT_EQ(client.Receive().status, 500);
    // The container has a terminal, whatever the query says.
    EXPECT_EQ(asked_.kind, StreamRequest::Kind::kAttach);
    EXPECT_TRUE(asked_.tty && asked_.input && asked_.output && !asked_.error);
    SendUpgrade(client, "/portForward/ns/web");
    EXPECT_EQ(client.Receive().status, 500);
    EXPECT_EQ(asked_.kind, StreamRequest::Kind::kPortForward);
    EXPECT_EQ(asked_.id, "sid");
    client.Send(
        "GET /portForward/ns/web/uid?port=80 HTTP/1.1\r\nConnection: keep-alive, Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n");
    EXPECT_EQ(client.Receive().status, 500);
    EXPECT_THAT(asked_.ports, ElementsAre(80));
  });
}

TEST_F(RuntimeStreamTest, RunAnswersWithTheOutput) {
  output_ = std::string("out and err");
  backend_.run_command = [this](std::string id, std::vector<std::string> asked) {
    return RunCommand(std::move(id), std::move(asked));
  };
  Serve([&] {
    TestClient client(server_->port());
    ASSERT_TRUE(client.StartTls());
    const TestAnswer answer = client.Ask("POST", "/run/ns/web/main?cmd=ls+-l+/");
    EXPECT_EQ(answer.body, "out and err");
    EXPECT_THAT(answer.head, HasSubstr("Content-Type: application/json\r\n"));
    EXPECT_THAT(command_, ElementsAre("ls", "-l", "/"));
    EXPECT_EQ(client.Ask("POST", "/run/ns/no/main?cmd=ls").body, "pod does not exist");
    EXPECT_EQ(client.Ask("POST", "/run/ns/web/no?cmd=ls").body, "container not found (\"no\")");
    output_ = absl::UnknownError("command 'false' exited with 1: ");
    const TestAnswer failed = client.Ask("POST", "/run/ns/web/main?cmd=false");
    EXPECT_EQ(failed.status, 500);
    EXPECT_EQ(failed.body, "command 'false' exited with 1: ");
  });
}

}  // namespace
}  // namespace cubelet::server
