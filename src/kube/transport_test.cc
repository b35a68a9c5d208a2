// The client against a server whose connections fail in every way.
#include "kube/transport.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "base/strings.h"
#include "kube/test_loop.h"

namespace cubelet::kube {
namespace {

constexpr absl::Duration kShort = absl::Milliseconds(40);
constexpr absl::Duration kPing = absl::Milliseconds(500);  // for a machine that is busy

Request Ask(std::string method, std::string path) {
  Request request;
  request.method = std::move(method);
  request.path = std::move(path);
  request.timeout = absl::Seconds(5);
  return request;
}

struct Outcome {
  bool done = false;
  absl::StatusOr<Answer> answer = absl::UnknownError("pending");

  std::string Text() const { return answer.ok() ? answer->body : answer.status().ToString(); }
};

async::Task<void> DoInto(Client* client, Request request, std::shared_ptr<Outcome> outcome) {
  outcome->answer = co_await client->Do(std::move(request));
  outcome->done = true;
}

// Starts a request that stays; gives what becomes of it.
std::shared_ptr<Outcome> Start(async::TaskScope& scope, Client* client, Request request) {
  auto outcome = std::make_shared<Outcome>();
  scope.Spawn("request", DoInto(client, std::move(request), outcome));
  return outcome;
}

TestReply Echo(const TestRequest& request) { return TestReply{.body = request.target}; }
TestReply Silent(const TestRequest&) { return TestReply{.silent = true}; }

class TransportFaults : public LoopTest {
 protected:
  async::Task<void> CutWhileWaiting(TestServer* server, Client* client) {
    server->OnRequest(Silent);
    auto get = Start(work_, client, Ask("GET", "/get"));
    auto post = Start(work_, client, Ask("POST", "/post"));
    co_await Eventually([&] { return server->requests().size() == 2; });
    server->OnRequest(Echo);
    server->Cut();
    co_await Eventually([&] { return get->done && post->done; });
    // What may be done twice is sent again; what may not is not.
    EXPECT_EQ(get->Text(), "/get");
    EXPECT_TRUE(absl::IsUnavailable(post->answer.status())) << post->Text();
    EXPECT_TRUE(absl::StrContains(post->Text(), "the server closed the connection"))
        << post->Text();
    EXPECT_EQ(server->accepted(), 2);
  }

  async::Task<void> RefuseOnce(TestServer* server, Client* client) {
    bool refused = false;
    server->OnRequest([&refused](const TestRequest& request) {
      if (!std::exchange(refused, true)) return TestReply{.refuse = true};
      return Echo(request);
    });
    auto answer = co_await client->Do(Ask("POST", "/post"));
    EXPECT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(server->requests().size(), 2);
    EXPECT_EQ(server->accepted(), 1);
  }

  async::Task<void> GoAway(TestServer* server, Client* client) {
    server->OnRequest([](const TestRequest&) { return TestReply{.body = "first ", .open = true}; });
    auto old = Start(work_, client, Ask("GET", "/old"));
    co_await Eventually([&] { return server->requests().size() == 1; });
    server->Goaway();
    co_await loop_->Sleep(kShort);
    server->OnRequest(Echo);
    auto answer = co_await client->Do(Ask("POST", "/new"));
    EXPECT_EQ(answer.ok() ? answer->body : answer.status().ToString(), "/new");
    EXPECT_EQ(server->accepted(), 2);
    EXPECT_FALSE(old->done);
    server->Push("/old", "last");
    server->End("/old");
    co_await Eventually([&] { return old->done; });
    EXPECT_EQ(old->Text(), "first last");
    co_await Eventually([&] { return server->open() == 1; });
  }

  async::Task<void> GetStuck(TestServer* server, Client* client) {
    server->OnRequest(Silent);
    auto post = Start(work_, client, Ask("POST", "/post"));
    co_await Eventually([&] { return server->requests().size() == 1; });
    server->Freeze();
    co_await Eventually([&] { return post->done; });
    EXPECT_TRUE(absl::StrContains(post->Text(), "client connection lost")) << post->Text();
    server->OnRequest(Echo);
    auto answer = co_await client->Do(Ask("GET", "/next"));
    EXPECT_TRUE(answer.ok()) << answer.status();
  }

  async::Task<void> StaySilent(TestServer* server, Client* client) {
    server->OnRequest(Silent);
    auto post = Start(work_, client, Ask("POST", "/post"));
    co_await Eventually([&] { return server->requests().size() == 1; });
    // Pings are answered: a server may think as long as it likes.
    co_await loop_->Sleep(kPing * 3);
    EXPECT_FALSE(post->done);
    EXPECT_EQ(server->open(), 1);
  }

  async::Task<void> SendGarbage(TestServer* server, Client* client, std::string garbage) {
    server->OnRequest(Silent);
    auto post = Start(work_, client, Ask("POST", "/post"));
    co_await Eventually([&] { return server->requests().size() == 1; });
    server->Send(std::move(garbage));
    co_await Eventually([&] { return post->done; });
    EXPECT_TRUE(absl::IsUnavailable(post->answer.status())) << post->Text();
    server->OnRequest(Echo);
    EXPECT_TRUE((co_await client->Do(Ask("GET", "/next"))).ok());
  }

  async::Task<void> HalfAnswer(TestServer* server, Client* client) {
    server->OnRequest([](const TestRequest&) { return TestReply{.body = "half", .open = true}; });
    auto get = Start(work_, client, Ask("GET", "/half"));
    co_await Eventually([&] { return server->requests().size() == 1; });
    co_await loop_->Sleep(kShort);
    server->Reset("/half");
    co_await Eventually([&] { return get->done; });
    EXPECT_TRUE(absl::StrContains(get->Text(), "read answer: http2: stream ended with"))
        << get->Text();
  }

  async::Task<void> ReplaceConnections(TestServer* server, ApiClient* client) {
    server->OnRequest(Silent);
    auto old = Start(work_, client, Ask("POST", "/old"));
    co_await Eventually([&] { return server->requests().size() == 1; });
    server->OnRequest(Echo);
    client->RetireConnections();
    EXPECT_TRUE((co_await client->Do(Ask("POST", "/new"))).ok());
    EXPECT_EQ(server->accepted(), 2);
    EXPECT_FALSE(old->done);
    client->CloseConnections();
    co_await Eventually([&] { return old->done && server->open() == 0; });
    EXPECT_TRUE(absl::StrContains(old->Text(), "the connection was replaced")) << old->Text();
    EXPECT_TRUE((co_await client->Do(Ask("POST", "/newer"))).ok());
    EXPECT_EQ(server->accepted(), 3);
  }

  async::Task<void> ReplaceWhileConnecting(TestServer* server, ApiClient* client) {
    server->OnRequest(Echo);
    auto get = Start(work_, client, Ask("GET", "/get"));
    co_await Eventually([&] { return server->accepted() == 1; });
    // The first handshake is under way, with the old certificate.
    client->CloseConnections();
    co_await Eventually([&] { return get->done; });
    EXPECT_EQ(get->Text(), "/get");
    EXPECT_EQ(server->accepted(), 2);
  }

  async::Task<void> FillConnections(TestServer* server, Client* client) {
    server->OnRequest([](const TestRequest& request) {
      return TestReply{.body = request.target, .open = request.target != "/short"};
    });
    std::vector<std::shared_ptr<Outcome>> watches;
    for (int i = 0; i < 5; ++i) watches.push_back(Start(work_, client, Ask("GET", "/long")));
    co_await Eventually([&] { return server->requests().size() == 5; });
    EXPECT_TRUE((co_await client->Do(Ask("GET", "/short"))).ok());
    EXPECT_EQ(server->accepted(), 3);
    server->End("/long");
    co_await Eventually([&] {
      return std::all_of(watches.begin(), watches.end(), [](const auto& w) { return w->done; });
    });
    for (const auto& watch : watches) EXPECT_EQ(watch->Text(), "/long");
    // One is enough again.
    EXPECT_TRUE((co_await client->Do(Ask("GET", "/short"))).ok());
    co_await Eventually([&] { return server->open() == 1; });
  }

  async::Task<void> AskAtOnce(TestServer* server, Client* client) {
    server->OnRequest(Echo);
    std::vector<std::shared_ptr<Outcome>> all;
    for (int i = 0; i < 20; ++i) all.push_back(Start(work_, client, Ask("GET", "/a")));
    co_await Eventually([&] {
      return std::all_of(all.begin(), all.end(), [](const auto& one) { return one->done; });
    });
    EXPECT_EQ(server->accepted(), 1);
  }
};

TEST_F(TransportFaults, ACutConnectionIsReplaced) {
  TestServer server(*loop_, work_);
  Run(CutWhileWaiting(&server, MakeClient({.access = server.Access()})));
}

TEST_F(TransportFaults, ARefusedStreamIsSentAgain) {
  TestServer server(*loop_, work_);
  Run(RefuseOnce(&server, MakeClient({.access = server.Access()})));
}

TEST_F(TransportFaults, AfterGoawayStreamsEndAndNewOnesGoElsewhere) {
  TestServer server(*loop_, work_);
  Run(GoAway(&server, MakeClient({.access = server.Access()})));
}

TEST_F(TransportFaults, AStuckConnectionIsNoticed) {
  TestServer server(*loop_, work_);
  Run(GetStuck(&server, MakeClient({.access = server.Access(), .times = {kShort, kShort}})));
}

TEST_F(TransportFaults, ASilentServerThatAnswersPingsIsNotStuck) {
  TestServer server(*loop_, work_);
  Run(StaySilent(&server, MakeClient({.access = server.Access(), .times = {kShort, kPing}})));
}

TEST_F(TransportFaults, TextInsteadOfFramesEndsTheConnection) {
  TestServer server(*loop_, work_);
  Run(SendGarbage(&server, MakeClient({.access = server.Access()}),
                  "HTTP/1.1 400 Bad Request\r\n\r\n"));
}

TEST_F(TransportFaults, AFrameThatMayNotBeEndsTheConnection) {
  TestServer server(*loop_, work_);
  // DATA on stream 0.
  Run(SendGarbage(&server, MakeClient({.access = server.Access()}),
                  std::string("\0\0\1\0\0\0\0\0\0x", 10)));
}

TEST_F(TransportFaults, HalfAnAnswerIsNone) {
  TestServer server(*loop_, work_);
  Run(HalfAnswer(&server, MakeClient({.access = server.Access()})));
}

TEST_F(TransportFaults, ConnectionsAreReplacedOnRequest) {
  TestServer server(*loop_, work_);
  Run(ReplaceConnections(&server, MakeClient({.access = server.Access()})));
}

TEST_F(TransportFaults, AConnectionThatIsBeingMadeIsReplaced) {
  TestServer server(*loop_, work_);
  Run(ReplaceWhileConnecting(&server, MakeClient({.access = server.Access()})));
}

TEST_F(TransportFaults, AFullConnectionGetsASecondBesideIt) {
  TestServer server(*loop_, work_, {.max_streams = 2});
  Run(FillConnections(&server, MakeClient({.access = server.Access()})));
}

TEST_F(TransportFaults, AllWaitForOneConnecting) {
  TestServer server(*loop_, work_);
  Run(AskAtOnce(&server, MakeClient({.access = server.Access()})));
}

}  // namespace
}  // namespace cubelet::kube
