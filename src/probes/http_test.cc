#include "probes/http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "async/scope.h"
#include "base/strings.h"
#include "probes/fake_server.h"

namespace cubelet::probes {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

v1::Container Container() {
  v1::Container container;
  container.set_name("c");
  v1::ContainerPort& port = *container.add_ports();
  port.set_name("web");
  port.set_containerport(8080);
  return container;
}

intstr::IntOrString Number(int number) {
  intstr::IntOrString port;
  port.set_type(0);
  port.set_intval(number);
  return port;
}

intstr::IntOrString Name(const std::string& name) {
  intstr::IntOrString port;
  port.set_type(1);
  port.set_strval(name);
  return port;
}

TEST(ResolvePort, ByNumberOrName) {
  EXPECT_EQ(*ResolvePort(Number(80), Container()), 80);
  EXPECT_EQ(*ResolvePort(Name("web"), Container()), 8080);
  EXPECT_EQ(*ResolvePort(Name("81"), Container()), 81);
  EXPECT_EQ(ResolvePort(Number(0), Container()).status().message(), "invalid port number: 0");
  EXPECT_EQ(ResolvePort(Number(65536), Container()).status().message(),
            "invalid port number: 65536");
  EXPECT_EQ(ResolvePort(Name("none"), Container()).status().message(),
            "strconv.Atoi: parsing \"none\": invalid syntax");
}

TEST(MakeHttpRequest, FillsInWhatIsNotGiven) {
  v1::HTTPGetAction action;
  *action.mutable_port() = Name("web");
  action.set_path("/healthz?full");
  const auto request = MakeHttpRequest(action, Container(), "10.0.0.1", "agent/1");
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(UrlOf(*request), "http://10.0.0.1:8080/healthz?full");
  EXPECT_EQ(request->user_agent, "agent/1");
  EXPECT_THAT(request->headers, ElementsAre(std::pair("Accept", "*/*")));

  action.set_scheme("HTTPS");
  action.set_host("example.com");
  EXPECT_EQ(UrlOf(*MakeHttpRequest(action, Container(), "10.0.0.1", "")),
            "https://example.com:8080/healthz?full");
  action.clear_host();
  EXPECT_EQ(UrlOf(*MakeHttpRequest(action, Container(), "fd00::1", "")),
            "https://[fd00::1]:8080/healthz?full");
}

TEST(MakeHttpRequest, AcceptCanBeReplacedOrTakenAway) {
  v1::HTTPGetAction action;
  *action.mutable_port() = Number(80);
  v1::HTTPHeader& header = *action.add_httpheaders();
  header.set_name("accept");
  header.set_value("text/plain");
  EXPECT_THAT(MakeHttpRequest(action, Container(), "a", "")->headers,
              ElementsAre(std::pair("accept", "text/plain")));
  header.set_value("");
  EXPECT_THAT(MakeHttpRequest(action, Container(), "a", "")->headers, ElementsAre());
}

std::string Ok(const std::string& body) {
  return StrCat("HTTP/1.1 200 OK\r\nContent-Length: ", body.size(), "\r\n\r\n", body);
}

std::string RedirectTo(const std::string& location) {
  return StrCat("HTTP/1.1 302 Found\r\nLocation: ", location, "\r\nContent-Length: 4\r\n\r\nmore");
}

class HttpGetTest : public testing::Test {
 protected:
  void Serve(FakeServer::Handler handler, bool tls = false) {
    server_.emplace(*loop_, servers_, std::move(handler), tls);
  }
  absl::StatusOr<HttpResponse> Get(HttpRequest request,
                                   absl::Duration timeout = absl::Seconds(10)) {
    if (request.port == 0) request.port = server_->port();
    return Runner<absl::StatusOr<HttpResponse>>::Run(
        *loop_, servers_, HttpGet(loop_.get(), std::move(request), timeout));
  }
  std::string Url(std::string_view path, std::string_view scheme = "http") const {
    return StrCat(scheme, "://127.0.0.1:", server_->port(), path);
  }
  static HttpRequest Local(std::string path = "/") {
    return {.host = "127.0.0.1", .path = std::move(path)};
  }

  std::unique_ptr<async::Loop> loop_ = async::Loop::Real();
  async::TaskScope servers_{*loop_, "servers"};
  std::optional<FakeServer> server_;
};

TEST_F(HttpGetTest, SendsWhatGoSends) {
  Serve([](const std::string&) { return Reply{Ok("fine")}; });
  HttpRequest request = Local("/x?y=1");
  request.user_agent = "kube-probe/1.36";
  request.headers = {
      {"x-two", "b"}, {"Accept", "*/*"}, {"x-one", "1"}, {"X-Two", "a"}, {"Content-Length", "5"}};
  const auto response = Get(request);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "fine");
  EXPECT_TRUE(response->body_status.ok());
  EXPECT_THAT(server_->requests(),
              ElementsAre(StrCat("GET /x?y=1 HTTP/1.1\r\nHost: 127.0.0.1:", server_->port(),
                                 "\r\nUser-Agent: kube-probe/1.36\r\nAccept: */*\r\nX-One: 1\r\n"
                                 "X-Two: b\r\nX-Two: a\r\nConnection: close\r\n\r\n")));
}

TEST_F(HttpGetTest, HostAndUserAgentCanBeNamed) {
  Serve([](const std::string&) { return Reply{Ok("")}; });
  HttpRequest request = Local();
  request.user_agent = "agent";
  request.headers = {{"host", "example.com"}, {"user-agent", "mine"}};
  ASSERT_TRUE(Get(request).ok());
  EXPECT_THAT(server_->requests()[0],
              HasSubstr("Host: example.com\r\nUser-Agent: mine\r\nConnection: close\r\n\r\n"));
}

TEST_F(HttpGetTest, HeadersCannotBreakTheRequest) {
  Serve([](const std::string&) { return Reply{Ok("")}; });
  HttpRequest request = Local();
  request.headers = {{"X-A", "b\r\nEvil: 1"}};
  EXPECT_EQ(Get(request).status().message(),
            StrCat("Get \"", Url("/"), "\": net/http: invalid header field value for \"X-A\""));
  EXPECT_EQ(server_->connections(), 0);
}

TEST_F(HttpGetTest, AnyStatusIsAnAnswer) {
  Serve([](const std::string&) {
    return Reply{"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno"};
  });
  const auto response = Get(Local());
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->status, 503);
  EXPECT_EQ(response->body, "no");
}

TEST_F(HttpGetTest, TheBodyIsCutAtTenKibibytes) {
  Serve([](const std::string&) { return Reply{Ok(std::string(50000, 'x')), Reply::Then::kHang}; });
  const auto response = Get(Local());
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->body, std::string(10240, 'x'));
  EXPECT_TRUE(response->body_status.ok());
}

TEST_F(HttpGetTest, FollowsRedirectsOnTheSameHost) {
  Serve([this](const std::string& request) {
    if (request.starts_with("GET /a ")) return Reply{RedirectTo("b?c")};
    if (request.starts_with("GET /b?c ")) return Reply{RedirectTo(Url("/d"))};
    return Reply{Ok("there")};
  });
  HttpRequest request = Local("/a");
  request.headers = {{"Host", "example.com"}};
  const auto response = Get(request);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->body, "there");
  ASSERT_EQ(server_->requests().size(), 3u);
  // Its own Host goes along as long as nothing else is named.
  EXPECT_THAT(server_->requests()[1], HasSubstr("\r\nHost: example.com\r\n"));
  EXPECT_THAT(server_->requests()[2], HasSubstr(StrCat("\r\nHost: 127.0.0.1:", server_->port())));
}

TEST_F(HttpGetTest, ARedirectToAnotherHostIsTheAnswer) {
  Serve([](const std::string&) { return Reply{RedirectTo("http://example.com/")}; });
  const auto response = Get(Local());
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->status, 302);
  EXPECT_EQ(response->body, "more");
}

TEST_F(HttpGetTest, StopsAfterTenRedirects) {
  Serve([](const std::string&) { return Reply{RedirectTo("/again")}; });
  EXPECT_EQ(Get(Local()).status().message(), "Get \"/again\": stopped after 10 redirects");
  EXPECT_EQ(server_->requests().size(), 10u);
}

TEST_F(HttpGetTest, ARefusedConnectionIsNamed) {
  Serve([](const std::string&) { return Reply{}; });
  // A port that was just free.
  uint16_t port = 0;
  {
    boost::asio::ip::tcp::acceptor unused(
        loop_->io(), boost::asio::ip::tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
    port = unused.local_endpoint().port();
  }
  HttpRequest request = Local("/x");
  request.port = port;
  EXPECT_EQ(Get(request).status().message(),
            StrCat("Get \"http://127.0.0.1:", port, "/x\": dial tcp 127.0.0.1:", port,
                   ": connect: connection refused"));
}

TEST_F(HttpGetTest, ANameThatIsNoHost) {
  Serve([](const std::string&) { return Reply{}; });
  HttpRequest request = Local();
  request.host = "no-such-host.invalid";
  EXPECT_THAT(std::string(Get(request).status().message()),
              MatchesRegex("Get \"http://no-such-host.invalid:[0-9]+/\": dial tcp: lookup "
                           "no-such-host.invalid: .*"));
}

TEST_F(HttpGetTest, NamesAreLookedUp) {
  Serve([](const std::string&) { return Reply{Ok("")}; });
  HttpRequest request = Local();
  request.host = "localhost";
  const auto response = Get(request);
  EXPECT_TRUE(response.ok()) << response.status();
}

TEST_F(HttpGetTest, ASilentServerRunsIntoTheTimeout) {
  Serve([](const std::string&) { return Reply{"", Reply::Then::kHang}; });
  EXPECT_EQ(Get(Local(), absl::Milliseconds(50)).status().message(),
            StrCat("Get \"", Url("/"),
                   "\": context deadline exceeded (Client.Timeout exceeded while awaiting "
                   "headers)"));
}

TEST_F(HttpGetTest, ABodyThatDoesNotComeLeavesTheStatus) {
  Serve([](const std::string&) {
    return Reply{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", Reply::Then::kHang};
  });
  const auto response = Get(Local(), absl::Milliseconds(200));
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "ab");
  EXPECT_EQ(response->body_status.message(),
            "context deadline exceeded (Client.Timeout or context cancellation while reading "
            "body)");
}

TEST_F(HttpGetTest, AConnectionThatEndsEarly) {
  Serve([](const std::string&) { return Reply{""}; });
  EXPECT_EQ(Get(Local()).status().message(), StrCat("Get \"", Url("/"), "\": EOF"));
}

TEST_F(HttpGetTest, AConnectionThatIsReset) {
  Serve([](const std::string&) { return Reply{"", Reply::Then::kReset}; });
  EXPECT_THAT(std::string(Get(Local()).status().message()),
              MatchesRegex("Get \"http://127.0.0.1:[0-9]+/\": read tcp "
                           "127.0.0.1:[0-9]+->127.0.0.1:[0-9]+: read: connection reset by peer"));
}

TEST_F(HttpGetTest, WithoutATimeoutItIsPatient) {
  Serve([](const std::string&) { return Reply{Ok("late")}; });
  const auto response = Get(Local(), absl::InfiniteDuration());
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->body, "late");
}

TEST_F(HttpGetTest, TlsTakesAnyCertificate) {
  Serve([](const std::string&) { return Reply{Ok("secret")}; }, /*tls=*/true);
  HttpRequest request = Local("/x");
  request.scheme = "https";
  const auto response = Get(request);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->body, "secret");
  EXPECT_THAT(server_->requests()[0], HasSubstr("GET /x HTTP/1.1\r\n"));
}

TEST_F(HttpGetTest, TlsToAPlainServerIsToldApart) {
  // Answers to the first bytes, whatever they are.
  boost::asio::ip::tcp::acceptor acceptor(
      loop_->io(), boost::asio::ip::tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
  struct Plain {
    static async::Task<void> Serve(boost::asio::ip::tcp::acceptor* acceptor) {
      auto socket = co_await acceptor->async_accept(boost::asio::use_awaitable);
      char buffer[4096];
      co_await socket.async_read_some(boost::asio::buffer(buffer), boost::asio::use_awaitable);
      const std::string text = "HTTP/1.0 400 Bad Request\r\n\r\n";
      co_await boost::asio::async_write(socket, boost::asio::buffer(text),
                                        boost::asio::use_awaitable);
    }
  };
  servers_.Spawn("plain", Plain::Serve(&acceptor));
  HttpRequest request = Local();
  request.scheme = "https";
  request.port = acceptor.local_endpoint().port();
  EXPECT_EQ(Get(request).status().message(),
            StrCat("Get \"https://127.0.0.1:", request.port,
                   "/\": http: server gave HTTP response to HTTPS client"));
}

TEST_F(HttpGetTest, PlainToATlsServerIsNoHttp) {
  Serve([](const std::string&) { return Reply{Ok("")}; }, /*tls=*/true);
  const auto response = Get(Local());
  EXPECT_THAT(std::string(response.status().message()),
              testing::AnyOf(HasSubstr("malformed HTTP response \"\\x15"), HasSubstr("EOF"),
                             HasSubstr("connection reset by peer")));
}

TEST_F(HttpGetTest, OtherSchemesAreRefused) {
  Serve([](const std::string&) { return Reply{}; });
  HttpRequest request = Local();
  request.scheme = "gopher";
  EXPECT_THAT(std::string(Get(request).status().message()),
              HasSubstr("unsupported protocol scheme \"gopher\""));
}

}  // namespace
}  // namespace cubelet::probes
