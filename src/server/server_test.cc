#include "server/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <thread>

#include "absl/strings/match.h"
#include "base/strings.h"
#include "certs/test_pki.h"
#include "server/server_fixture.h"
#include "server/socket.h"
#include "server/status_client.h"
#include "server/test_client.h"

namespace cubelet::server {
namespace {

using testing::HasSubstr;

TEST_F(ServerTest, EachPortServesItsOwn) {
  Serve([&] {
    TestClient healthz(server_->healthz_port());
    EXPECT_EQ(healthz.Ask("GET", "/healthz").body, "ok");
    EXPECT_EQ(healthz.Ask("GET", "/metrics").status, 404);
    TestClient read_only(server_->read_only_port());
    EXPECT_EQ(read_only.Ask("GET", "/pods").body, "{\"kind\":\"PodList\"}\n");
    EXPECT_EQ(read_only.Ask("GET", "/configz").status, 404);
    TestClient main(server_->port());
    ASSERT_TRUE(main.StartTls());
    EXPECT_THAT(main.PeerName(), testing::StartsWith("lab@"));
    EXPECT_THAT(main.Ask("GET", "/metrics").body, HasSubstr("cubelet_certificate_ttl_seconds"));
    EXPECT_THAT(main.Ask("GET", "/debug/tasks").body, HasSubstr("server/connection main\n"));
  });
}

TEST_F(ServerTest, TheMainPortSpeaksTlsOnly) {
  Serve([&] {
    TestClient client(server_->port());
    client.Send("GET /healthz HTTP/1.1\r\nHost: lab\r\n\r\n");
    EXPECT_EQ(client.Receive().status, 0);
  });
}

TEST_F(ServerTest, ConnectionsAreKept) {
  Serve([&] {
    TestClient client(server_->read_only_port());
    for (int i = 0; i < 100; ++i) EXPECT_EQ(client.Ask("GET", "/healthz").body, "ok");
    // Two requests in one packet get two answers.
    client.Send("GET /healthz HTTP/1.1\r\n\r\nGET /pods HTTP/1.1\r\n\r\n");
    EXPECT_EQ(client.Receive().body, "ok");
    EXPECT_EQ(client.Receive().body, "{\"kind\":\"PodList\"}\n");
    const TestAnswer head = client.Ask("HEAD", "/healthz");
    EXPECT_THAT(head.head, HasSubstr("Content-Length: 2\r\n"));
    EXPECT_EQ(client.Ask("GET", "/healthz").body, "ok");
    client.Send("GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(client.Receive().head, HasSubstr("Connection: close\r\n"));
    EXPECT_TRUE(client.Ended());
    TestClient old(server_->read_only_port());
    old.Send("GET /healthz HTTP/1.0\r\n\r\n");
    EXPECT_EQ(old.Receive().body, "ok");
    EXPECT_TRUE(old.Ended());
  });
}

TEST_F(ServerTest, LargeAnswersAndBodiesArrive) {
  Serve([&] {
    TestClient client(server_->port());
    ASSERT_TRUE(client.StartTls());
    EXPECT_EQ(client.Ask("GET", "/configz").body.size(), size_t{8} << 20);
    EXPECT_EQ(client.Ask("PUT", "/debug/flags/v", "0").status, 200);
    client.Send("PUT /debug/flags/v HTTP/1.1\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(client.Receive().status, 100);
    client.Send("0");
    EXPECT_EQ(client.Receive().status, 200);
    client.Send(
        "PUT /debug/flags/v HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n0\r\n0\r\n\r\n");
    EXPECT_EQ(client.Receive().status, 200);
  });
}

TEST_F(ServerTest, ClientCertificatesNameTheUser) {
  const certs::TestCertificate authority = certs::MakeTestAuthority("cluster");
  options_.client_ca_file = Write("ca.crt", authority.CertificatePem());
  options_.anonymous_enabled = false;
  certs::TestCertificateOptions admin;
  admin.common_name = "admin";
  const certs::TestCertificate good = certs::MakeTestCertificate(admin, &authority);
  const certs::TestCertificate bad = certs::MakeTestCertificate(admin);
  Serve([&] {
    TestClient nobody(server_->port());
    ASSERT_TRUE(nobody.StartTls());
    const TestAnswer refused = nobody.Ask("GET", "/pods");
    EXPECT_EQ(refused.status, 401);
    EXPECT_EQ(refused.body, "Unauthorized");
    TestClient friendly(server_->port());
    ASSERT_TRUE(friendly.StartTls(&good));
    EXPECT_EQ(friendly.Ask("GET", "/pods").status, 200);
    TestClient stranger(server_->port());
    ASSERT_TRUE(stranger.StartTls(&bad));
    EXPECT_EQ(stranger.Ask("GET", "/pods").status, 401);
    // The authority is exchanged: connections that were good are so no more.
    Write("ca.crt", certs::MakeTestAuthority("other").CertificatePem());
    EXPECT_EQ(friendly.Ask("GET", "/pods").status, 401);
  });
}

// With anonymous requests on, a certificate that is refused is still refused.
TEST_F(ServerTest, ARefusedCertificateIsNotAnonymous) {
  const certs::TestCertificate authority = certs::MakeTestAuthority("cluster");
  options_.client_ca_file = Write("ca.crt", authority.CertificatePem());
  certs::TestCertificateOptions eve;
  eve.common_name = "eve";
  const certs::TestCertificate bad = certs::MakeTestCertificate(eve);
  Serve([&] {
    TestClient stranger(server_->port());
    ASSERT_TRUE(stranger.StartTls(&bad));
    EXPECT_EQ(stranger.Ask("GET", "/pods").status, 401);
    TestClient nobody(server_->port());
    ASSERT_TRUE(nobody.StartTls());
    EXPECT_EQ(nobody.Ask("GET", "/pods").status, 200);
  });
}

TEST_F(ServerTest, ServingFilesAreReloaded) {
  const auto write = [&](const std::string& name) {
    certs::TestCertificateOptions options;
    options.common_name = name;
    options.usage = "serverAuth";
    const certs::TestCertificate pair = certs::MakeTestCertificate(options);
    options_.tls_private_key_file = Write("tls.key", pair.KeyPem());
    options_.tls_cert_file = Write("tls.crt", pair.CertificatePem());
  };
  write("one");
  Serve([&] {
    TestClient first(server_->port());
    ASSERT_TRUE(first.StartTls());
    EXPECT_EQ(first.PeerName(), "one");
    write("two");
    TestClient second(server_->port());
    ASSERT_TRUE(second.StartTls());
    EXPECT_EQ(second.PeerName(), "two");
    EXPECT_EQ(first.Ask("GET", "/healthz").status, 200);
  });
}

TEST_F(ServerTest, TooMuchIsRefused) {
  options_.limits.header_bytes = 4096;
  options_.limits.body_bytes = 1024;
  Serve([&] {
    const auto ask = [&](const std::string& text) {
      TestClient client(server_->read_only_port());
      client.Send(text);
      const int status = client.Receive().status;
      EXPECT_TRUE(client.Ended());
      return status;
    };
    EXPECT_EQ(ask(StrCat("GET /healthz HTTP/1.1\r\nX: ", std::string(8000, 'a'), "\r\n\r\n")), 431);
    EXPECT_EQ(ask(StrCat("GET /", std::string(8000, 'a'), " HTTP/1.1\r\n\r\n")), 431);
    EXPECT_EQ(ask("PUT /healthz HTTP/1.1\r\nContent-Length: 2000\r\n\r\n"), 413);
    EXPECT_EQ(ask(StrCat("PUT /healthz HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n",
                         std::string(0xffff, 'b'), "\r\n0\r\n\r\n")),
              413);
    EXPECT_EQ(ask("hello\r\n\r\n"), 400);
    EXPECT_EQ(ask("GET /% HTTP/1.1\r\n\r\n"), 400);
    EXPECT_EQ(ask("GET * HTTP/1.1\r\n\r\n"), 400);
    EXPECT_EQ(ask("GET / HTTP/3.7\r\n\r\n"), 400);
    // A line of a chunked body that never ends is not kept.
    EXPECT_EQ(ask(StrCat("PUT /healthz HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;",
                         std::string(100000, 'x'))),
              0);
  });
}

TEST_F(ServerTest, SlowClientsAreCutOff) {
  options_.limits.request_timeout = absl::Milliseconds(300);
  options_.limits.idle_timeout = absl::Milliseconds(400);
  options_.limits.write_stall = absl::Milliseconds(300);
  Serve([&] {
    TestClient idle(server_->read_only_port());
    EXPECT_TRUE(idle.Ended());
    TestClient half(server_->read_only_port());
    half.Send("GET /hea");
    EXPECT_TRUE(half.Ended());
    TestClient no_handshake(server_->port());
    EXPECT_TRUE(no_handshake.Ended());
    // One that asks for much and reads nothing.
    TestClient deaf(server_->port());
    ASSERT_TRUE(deaf.StartTls());
    deaf.Send("GET /configz HTTP/1.1\r\n\r\n");
    while (OnLoop([&] { return server_->connections(); }) > 0) std::this_thread::yield();
  });
}

TEST_F(ServerTest, WhoSaysNothingMakesRoom) {
  options_.limits.max_connections = 3;
  std::atomic<bool> finish = false;
  backend_.running_pods = [&]() { return WaitFor(&finish); };
  options_.read_only_port.reset();
  Serve([&] {
    TestClient busy(server_->port()), silent(server_->port()), kept(server_->port());
    ASSERT_TRUE(busy.StartTls());
    busy.Send("GET /runningpods/ HTTP/1.1\r\n\r\n");
    while (!OnLoop([&] { return begun_; })) std::this_thread::yield();
    ASSERT_TRUE(kept.StartTls());
    EXPECT_EQ(kept.Ask("GET", "/healthz").status, 200);
    // The fourth takes the place of the one that has waited longest.
    TestClient fourth(server_->port());
    ASSERT_TRUE(fourth.StartTls());
    EXPECT_EQ(fourth.Ask("GET", "/healthz").status, 200);
    EXPECT_TRUE(silent.Ended());
    EXPECT_EQ(kept.Ask("GET", "/healthz").status, 200);
    finish = true;
    EXPECT_EQ(busy.Receive().body, "done");
    EXPECT_EQ(OnLoop([&] { return server_->connections(); }), 3u);
    EXPECT_THAT(*OnLoop([&] { return metrics_.Render("/metrics"); }),
                HasSubstr("cubelet_http_connections_refused_total{server=\"main\"} 1\n"));
  });
}

TEST_F(ServerTest, WhenAllAreBusyNewOnesAreClosed) {
  options_.limits.max_connections = 1;
  std::atomic<bool> finish = false;
  backend_.running_pods = [&]() { return WaitFor(&finish); };
  Serve([&] {
    TestClient busy(server_->port());
    ASSERT_TRUE(busy.StartTls());
    busy.Send("GET /runningpods/ HTTP/1.1\r\n\r\n");
    while (!OnLoop([&] { return begun_; })) std::this_thread::yield();
    TestClient late(server_->port());
    EXPECT_FALSE(late.StartTls());
    finish = true;
    EXPECT_EQ(busy.Receive().body, "done");
  });
}

TEST_F(ServerTest, StoppingDoesNotWaitForClients) {
  std::atomic<bool> never = false;
  backend_.running_pods = [&]() { return WaitFor(&never); };
  std::unique_ptr<TestClient> asking, idle;
  Serve([&] {
    asking = std::make_unique<TestClient>(server_->port());
    ASSERT_TRUE(asking->StartTls());
    asking->Send("GET /runningpods/ HTTP/1.1\r\n\r\n");
    idle = std::make_unique<TestClient>(server_->read_only_port());
    while (!OnLoop([&] { return begun_; })) std::this_thread::yield();
  });
  EXPECT_EQ(asking->Receive().status, 0);
  EXPECT_TRUE(idle->Ended());
}

// A process out of descriptors serves again once it has some.
TEST_F(ServerTest, AcceptingSurvivesTheEndOfDescriptors) {
  Serve([&] {
    TestClient client;
    rlimit limit{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    rlimit none = limit;
    none.rlim_cur = 3;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    EXPECT_TRUE(client.Connect(server_->healthz_port()));
    const auto failed = [&] {
      return absl::StrContains(*metrics_.Render("/metrics"),
                               "cubelet_http_accept_errors_total{server=\"healthz\"}");
    };
    while (!OnLoop(failed)) std::this_thread::yield();
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    EXPECT_EQ(client.Ask("GET", "/healthz").body, "ok");
  });
}

TEST_F(ServerTest, TheStatusSocketIsForRoot) {
  const std::string path = options_.status_socket;
  Serve([&] {
    struct stat info{};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_TRUE(S_ISSOCK(info.st_mode));
    EXPECT_EQ(info.st_mode & 07777, 0600u);
    auto status = FetchStatus(path, absl::Seconds(10));
    ASSERT_TRUE(status.ok()) << status.status();
    EXPECT_EQ(*status, "{\"pods\":[]}\n");
    // A second kubelet does not take it away.
    EXPECT_EQ(Message(ListenUnix(path).status()),
              StrCat("listen on ", path, ": another process is listening there"));
  });
  EXPECT_FALSE(std::filesystem::exists(path));
  const absl::Status nobody = FetchStatus(path, absl::Seconds(10)).status();
  EXPECT_EQ(Message(nobody), StrCat("connect to ", path, ": No such file or directory"));
}

TEST_F(ServerTest, WhatADeadKubeletLeftIsReplaced) {
  std::filesystem::create_directories(directory_ + "/run");
  {
    ASSERT_TRUE(ListenUnix(options_.status_socket).ok());
  }
  ASSERT_TRUE(std::filesystem::exists(options_.status_socket));
  EXPECT_FALSE(FetchStatus(options_.status_socket, absl::Seconds(10)).ok());
  Serve([&] { EXPECT_TRUE(FetchStatus(options_.status_socket, absl::Seconds(10)).ok()); });
}

TEST_F(ServerTest, WithoutTheStatusSocketTheRestIsServed) {
  options_.status_socket = Write("file", "") + "/status.sock";
  Serve([&] { EXPECT_EQ(TestClient(server_->healthz_port()).Ask("GET", "/healthz").body, "ok"); });
  EXPECT_EQ(ListenUnix(std::string(200, 'x')).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(ServerTest, FetchStatusTakesNothingFromAnybodyElse) {
  const std::string path = directory_ + "/fake.sock";
  for (const auto& [answer, want] : std::vector<std::pair<std::string, std::string>>{
           {"", "the kubelet closed the connection without an answer"},
           {"hello\r\n\r\n", "read the kubelet's answer: "},
           {"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno",
            "the kubelet answered 404: no"},
           {"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nno",
            "the kubelet closed the connection without an answer"}}) {
    auto listening = ListenUnix(path);
    ASSERT_TRUE(listening.ok()) << listening.status();
    std::thread fake([&] {
      pollfd entry{listening->fd.get(), POLLIN, 0};
      ::poll(&entry, 1, 10000);
      const UniqueFd fd(::accept4(listening->fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
      char request[1024];
      EXPECT_GT(::read(fd.get(), request, sizeof request), 0);
      EXPECT_EQ(::write(fd.get(), answer.data(), answer.size()),
                static_cast<ssize_t>(answer.size()));
    });
    EXPECT_THAT(std::string(Message(FetchStatus(path, absl::Seconds(10)).status())),
                HasSubstr(want));
    fake.join();
  }
}

TEST_F(ServerTest, APortInUseIsSaid) {
  auto taken = ListenTcp("127.0.0.1", 0);
  ASSERT_TRUE(taken.ok()) << taken.status();
  loop_ = async::Loop::Real();
  options_.read_only_port = taken->port;
  auto server = Server::Create(*loop_, options_, backend_, metrics_, nullptr);
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_EQ(Message((*server)->Start()),
            StrCat("listen on 127.0.0.1:", taken->port, ": Address already in use"));
  options_.address = "localhost";
  server = Server::Create(*loop_, options_, backend_, metrics_, nullptr);
  EXPECT_EQ(Message((*server)->Start()),
            "listen on localhost:0: \"localhost\" is not an IP address");
}

TEST_F(ServerTest, HealthzIsTriedAgain) {
  auto taken = ListenTcp("127.0.0.1", 0);
  ASSERT_TRUE(taken.ok()) << taken.status();
  const absl::Time start = absl::UnixEpoch() + absl::Hours(24 * 365);
  loop_ = async::Loop::Virtual(start, 1);
  options_.port.reset();
  options_.read_only_port.reset();
  options_.status_socket.clear();
  options_.healthz_port = taken->port;
  auto server = Server::Create(*loop_, options_, backend_, metrics_, nullptr);
  ASSERT_TRUE(server.ok()) << server.status();
  server_ = *std::move(server);
  ASSERT_TRUE(server_->Start().ok());
  loop_->RunUntil(start + absl::Seconds(11));
  EXPECT_EQ(server_->healthz_port(), 0);
  taken->fd.reset();
  loop_->RunUntil(start + absl::Seconds(16));
  EXPECT_EQ(server_->healthz_port(), taken->port);
  async::TaskScope stop(*loop_, "stop");
  stop.Spawn("stop", StopAll());
  loop_->Run();
}

TEST_F(ServerTest, CreationFailsWithTheField) {
  loop_ = async::Loop::Real();
  const auto why = [&](const Options& options) {
    return std::string(
        Message(Server::Create(*loop_, options, backend_, metrics_, nullptr).status()));
  };
  Options options = options_;
  options.authorization_mode = "Webhook";
  EXPECT_THAT(why(options), testing::StartsWith("authorization.mode: Webhook needs an API server"));
  options = options_;
  options.client_ca_file = directory_ + "/none";
  EXPECT_THAT(why(options), testing::StartsWith("authentication.x509.clientCAFile: "));
  options = options_;
  options.tls_min_version = "VersionTLS9";
  EXPECT_EQ(why(options), "tlsMinVersion: unknown tls version \"VersionTLS9\"");
  options = options_;
  options.tls_cert_file = directory_ + "/none";
  EXPECT_EQ(why(options), "tlsPrivateKeyFile: must be set together with tlsCertFile");
}

}  // namespace
}  // namespace cubelet::server
