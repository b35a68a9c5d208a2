// Connecting through a proxy.
#include "kube/dial.h"

#include <gtest/gtest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "absl/strings/match.h"
#include "base/strings.h"
#include "kube/test_loop.h"

namespace cubelet::kube {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);

// Takes one connection, answers its CONNECT as told, and carries bytes to `port`.
struct TestProxy {
  TestProxy(async::Loop& l, async::TaskScope& s, std::string a, uint16_t p)
      : loop(l),
        scope(s),
        answer(std::move(a)),
        server_port(p),
        acceptor(l.io()),
        client(l.io()),
        server(l.io()) {
    acceptor.open(tcp::v4());
    acceptor.bind(tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
    acceptor.listen();
  }

  async::Loop& loop;
  async::TaskScope& scope;
  const std::string answer;
  const uint16_t server_port;
  tcp::acceptor acceptor;
  tcp::socket client, server;
  std::string request;
};

async::Task<void> Carry(tcp::socket* from, tcp::socket* to) {
  std::string buffer(4096, '\0');
  while (true) {
    const auto [error, size] = co_await from->async_read_some(asio::buffer(buffer), kAsTuple);
    if (error) break;
    const auto [failed, sent] =
        co_await asio::async_write(*to, asio::buffer(buffer.data(), size), kAsTuple);
    if (failed) break;
  }
  boost::system::error_code ignored;
  to->close(ignored);
}

async::Task<void> ServeProxy(TestProxy* proxy) {
  auto [error, socket] = co_await proxy->acceptor.async_accept(kAsTuple);
  if (error) co_return;
  proxy->client = std::move(socket);
  const auto [read_error, size] = co_await asio::async_read_until(
      proxy->client, asio::dynamic_buffer(proxy->request), "\r\n\r\n", kAsTuple);
  if (read_error) co_return;
  const auto [write_error, sent] =
      co_await asio::async_write(proxy->client, asio::buffer(proxy->answer), kAsTuple);
  const tcp::endpoint to(asio::ip::make_address("127.0.0.1"), proxy->server_port);
  const auto [connect_error] = co_await proxy->server.async_connect(to, kAsTuple);
  if (connect_error || write_error) co_return;
  proxy->scope.Spawn("carry", Carry(&proxy->client, &proxy->server));
  co_await Carry(&proxy->server, &proxy->client);
}

class ProxyTest : public LoopTest {
 protected:
  async::Task<void> AskThrough(Client* client) {
    Request request;
    request.path = "/";
    request.timeout = absl::Seconds(5);
    answer_ = co_await client->Do(request);
  }

  void Ask(TestServer& server, TestProxy& proxy) {
    work_.Spawn("proxy", ServeProxy(&proxy));
    ClusterAccess access = server.Access();
    access.proxy_url =
        StrCat("http://me:secret@127.0.0.1:", proxy.acceptor.local_endpoint().port());
    Run(AskThrough(MakeClient({.access = access})));
  }

  absl::StatusOr<Answer> answer_ = absl::UnknownError("none");
};

TEST_F(ProxyTest, IsAskedForAWay) {
  TestServer server(*loop_, work_);
  TestProxy proxy(*loop_, work_, "HTTP/1.1 200 Connection established\r\n\r\n", server.port());
  Ask(server, proxy);
  EXPECT_TRUE(answer_.ok()) << answer_.status();
  EXPECT_EQ(proxy.request, StrCat("CONNECT 127.0.0.1:", server.port(),
                                  " HTTP/1.1\r\nHost: 127.0.0.1:", server.port(),
                                  "\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n\r\n"));
}

TEST_F(ProxyTest, MayRefuse) {
  TestServer server(*loop_, work_);
  TestProxy proxy(*loop_, work_, "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
                  server.port());
  Ask(server, proxy);
  EXPECT_TRUE(absl::StrContains(answer_.status().message(),
                                "it answers \"HTTP/1.1 407 Proxy Authentication Required\""))
      << answer_.status();
  EXPECT_FALSE(absl::StrContains(answer_.status().message(), "secret"));
}

TEST_F(ProxyTest, MaySpeakNonsense) {
  TestServer server(*loop_, work_);
  TestProxy proxy(*loop_, work_, std::string(10'000, 'x'), server.port());
  Ask(server, proxy);
  EXPECT_TRUE(absl::StrContains(answer_.status().message(), "its answer is no HTTP"))
      << answer_.status();
}

}  // namespace
}  // namespace cubelet::kube
