#include "probes/prober.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <future>
#include <optional>

#include "async/scope.h"
#include "base/strings.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "probes/fake_runtime.h"
#include "probes/fake_server.h"
#include "probes/http.h"

namespace cubelet::probes {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;

TEST(MakeReport, WordsOfEvents) {
  const struct {
    Kind kind;
    ProbeResult result;
    std::optional<Outcome> outcome;
    const char* reason;
    const char* message;
  } cases[] = {
      {Kind::kLiveness, {Verdict::kSuccess, "fine", ""}, Outcome::kSuccess, "", ""},
      {Kind::kLiveness,
       {Verdict::kFailure, "bad\n", ""},
       Outcome::kFailure,
       "Unhealthy",
       "Liveness probe failed: bad\n"},
      {Kind::kStartup,
       {Verdict::kFailure, "", ""},
       Outcome::kFailure,
       "Unhealthy",
       "Startup probe failed: "},
      {Kind::kReadiness,
       {Verdict::kWarning, "hm", ""},
       Outcome::kSuccess,
       "ProbeWarning",
       "Readiness probe warning: hm"},
      {Kind::kReadiness, {Verdict::kUnknown, "", ""}, Outcome::kFailure, "", ""},
      {Kind::kReadiness,
       {Verdict::kUnknown, "", "no runtime"},
       std::nullopt,
       "Unhealthy",
       "Readiness probe errored and resulted in unknown state: no runtime"},
      {Kind::kLiveness,
       {Verdict::kFailure, "", "broken off"},
       std::nullopt,
       "Unhealthy",
       "Liveness probe errored and resulted in failure state: broken off"},
  };
  for (const auto& c : cases) {
    const Report report = MakeReport(c.kind, c.result);
    EXPECT_EQ(report.outcome, c.outcome) << c.message;
    EXPECT_EQ(report.reason, c.reason) << c.message;
    EXPECT_EQ(report.message, c.message);
  }
}

TEST(NeedsPodIp, UnlessItGoesElsewhere) {
  v1::Probe probe;
  probe.mutable_handler()->mutable_exec();
  EXPECT_FALSE(NeedsPodIp(probe));
  probe.mutable_handler()->clear_exec();
  probe.mutable_handler()->mutable_httpget();
  EXPECT_TRUE(NeedsPodIp(probe));
  probe.mutable_handler()->mutable_httpget()->set_host("a");
  EXPECT_FALSE(NeedsPodIp(probe));
  probe.mutable_handler()->clear_httpget();
  probe.mutable_handler()->mutable_grpc();
  EXPECT_TRUE(NeedsPodIp(probe));
}

class ProbeTest : public testing::Test {
 protected:
  ProbeTest() {
    pod_.mutable_metadata()->set_name("web");
    pod_.mutable_metadata()->set_namespace_("default");
    pod_.mutable_metadata()->set_uid("u");
    container().set_name("c");
  }
  v1::Container& container() {
    return pod_.spec().containers().empty() ? *pod_.mutable_spec()->add_containers()
                                            : *pod_.mutable_spec()->mutable_containers(0);
  }
  v1::Probe& probe() { return *container().mutable_livenessprobe(); }
  v1::ProbeHandler& handler() { return *probe().mutable_handler(); }
  void SetPort(intstr::IntOrString& port, int number) {
    port.set_type(0);
    port.set_intval(number);
  }

  ProbeTarget Target() const {
    auto pod = std::make_shared<const v1::Pod>(pod_);
    const v1::Container& c = pod->spec().containers(0);
    return {.pod = pod,
            .container = &c,
            .probe = &c.livenessprobe(),
            .kind = Kind::kLiveness,
            .container_id = "one",
            .pod_ip = "127.0.0.1"};
  }
  ProbeResult Run() {
    return Runner<ProbeResult>::Run(*loop_, servers_, RunProbe(loop_.get(), &runtime_, Target()));
  }

  v1::Pod pod_;
  std::unique_ptr<async::Loop> loop_ = async::Loop::Real();
  async::TaskScope servers_{*loop_, "servers"};
  FakeRuntime runtime_{*loop_};
};

TEST_F(ProbeTest, WithoutAHandlerItErrs) {
  probe();
  EXPECT_EQ(Run().error, "missing probe handler for web_default(u):c");
}

TEST_F(ProbeTest, ExecRunsTheCommandInTheContainer) {
  handler().mutable_exec()->add_command("check");
  handler().mutable_exec()->add_command("$(A)-$(FROM)-$(NONE)-$$(A)");
  probe().set_timeoutseconds(7);
  for (const auto& [name, value] : {std::pair("A", "old"), std::pair("A", "new")}) {
    v1::EnvVar& variable = *container().add_env();
    variable.set_name(name);
    variable.set_value(value);
  }
  v1::EnvVar& from = *container().add_env();
  from.set_name("FROM");
  from.mutable_valuefrom()->mutable_fieldref()->set_fieldpath("metadata.name");
  runtime_.on_exec = [](const FakeRuntime::ExecCall&) {
    return FakeRuntime::Exits(0, "out", "err");
  };
  const ProbeResult result = Run();
  EXPECT_EQ(result.verdict, Verdict::kSuccess);
  EXPECT_EQ(result.output, "outerr");
  ASSERT_EQ(runtime_.execs.size(), 1u);
  EXPECT_EQ(runtime_.execs[0].container_id, "one");
  EXPECT_THAT(runtime_.execs[0].command, ElementsAre("check", "new--$(NONE)-$(A)"));
  EXPECT_EQ(runtime_.execs[0].timeout, absl::Seconds(7));
}

TEST_F(ProbeTest, ExecFailsWithItsOutput) {
  handler().mutable_exec()->add_command("check");
  runtime_.on_exec = [](const FakeRuntime::ExecCall&) {
    return FakeRuntime::Exits(3, std::string(9000, 'o'), std::string(9000, 'e'));
  };
  const ProbeResult result = Run();
  EXPECT_EQ(result.verdict, Verdict::kFailure);
  EXPECT_EQ(result.output, std::string(9000, 'o') + std::string(1240, 'e'));
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(runtime_.execs.size(), 1u);
}

TEST_F(ProbeTest, ExecThatTakesTooLongFails) {
  handler().mutable_exec()->add_command("sleep");
  handler().mutable_exec()->add_command("60");
  runtime_.on_exec = [](const FakeRuntime::ExecCall&) {
    return FakeRuntime::Answer{absl::DeadlineExceededError("late"), {}};
  };
  const ProbeResult result = Run();
  EXPECT_EQ(result.verdict, Verdict::kFailure);
  EXPECT_EQ(result.output, "command timed out: \"sleep 60\" timed out after 1s");
}

TEST_F(ProbeTest, ErrorsAreTriedThreeTimes) {
  handler().mutable_exec()->add_command("check");
  runtime_.on_exec = [](const FakeRuntime::ExecCall&) {
    return FakeRuntime::Answer{absl::NotFoundError("no such container"), {}};
  };
  const ProbeResult result = Run();
  EXPECT_EQ(result.verdict, Verdict::kUnknown);
  EXPECT_EQ(result.error, "rpc error: code = NotFound desc = no such container");
  EXPECT_EQ(runtime_.execs.size(), 3u);
}

TEST_F(ProbeTest, TheLastAttemptCounts) {
  handler().mutable_exec()->add_command("check");
  runtime_.on_exec = [this](const FakeRuntime::ExecCall&) {
    return runtime_.execs.size() < 2 ? FakeRuntime::Answer{absl::UnknownError("hm"), {}}
                                     : FakeRuntime::Exits(0);
  };
  EXPECT_EQ(Run().verdict, Verdict::kSuccess);
  EXPECT_EQ(runtime_.execs.size(), 2u);
}

TEST_F(ProbeTest, HttpIsJudgedByItsStatus) {
  const struct {
    const char* response;
    Verdict verdict;
    const char* output;
  } cases[] = {
      {"HTTP/1.1 200 OK\r\n\r\nbody", Verdict::kSuccess, "body"},
      {"HTTP/1.1 299 Fine\r\n\r\n", Verdict::kSuccess, ""},
      {"HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\n\r\nmoved", Verdict::kWarning,
       "Probe terminated redirects, Response body: moved"},
      {"HTTP/1.1 404 Not Found\r\n\r\nno", Verdict::kFailure,
       "HTTP probe failed with statuscode: 404"},
      {"HTTP/1.1 500 No\r\n\r\n", Verdict::kFailure, "HTTP probe failed with statuscode: 500"},
  };
  for (const auto& c : cases) {
    auto loop = async::Loop::Real();
    async::TaskScope servers(*loop, "servers");
    FakeServer server(*loop, servers, [&](const std::string&) { return Reply{c.response}; });
    SetPort(*handler().mutable_httpget()->mutable_port(), server.port());
    const ProbeResult result =
        Runner<ProbeResult>::Run(*loop, servers, RunProbe(loop.get(), &runtime_, Target()));
    EXPECT_EQ(result.verdict, c.verdict) << c.response;
    EXPECT_EQ(result.output, c.output) << c.response;
    EXPECT_EQ(result.error, "") << c.response;
    ASSERT_EQ(server.requests().size(), 1u);
    EXPECT_THAT(server.requests()[0],
                HasSubstr("User-Agent: kube-probe/1.36\r\nAccept: */*\r\nConnection: close\r\n"));
  }
}

TEST_F(ProbeTest, HttpThatBreaksOffErrs) {
  FakeServer server(*loop_, servers_, [](const std::string&) {
    return Reply{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"};
  });
  SetPort(*handler().mutable_httpget()->mutable_port(), server.port());
  const ProbeResult result = Run();
  EXPECT_EQ(result.verdict, Verdict::kFailure);
  EXPECT_EQ(result.error, "unexpected EOF");
  EXPECT_EQ(server.requests().size(), 3u);
}

TEST_F(ProbeTest, BadPortsErr) {
  SetPort(*handler().mutable_httpget()->mutable_port(), 70000);
  EXPECT_EQ(Run().error, "invalid port number: 70000");
}

TEST_F(ProbeTest, TcpSucceedsOnceConnected) {
  FakeServer server(*loop_, servers_, [](const std::string&) { return Reply{}; });
  SetPort(*handler().mutable_tcpsocket()->mutable_port(), server.port());
  EXPECT_EQ(Run().verdict, Verdict::kSuccess);
}

TEST_F(ProbeTest, TcpFailsAsTheDialDoes) {
  uint16_t port = 0;
  {
    boost::asio::ip::tcp::acceptor unused(
        loop_->io(), boost::asio::ip::tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
    port = unused.local_endpoint().port();
  }
  SetPort(*handler().mutable_tcpsocket()->mutable_port(), port);
  const ProbeResult result = Run();
  EXPECT_EQ(result.verdict, Verdict::kFailure);
  EXPECT_EQ(result.output, StrCat("dial tcp 127.0.0.1:", port, ": connect: connection refused"));
  EXPECT_EQ(result.error, "");
}

class GrpcProbeTest : public ProbeTest {
 protected:
  using OnCheck = std::function<grpc::Status(const grpc::health::v1::HealthCheckRequest&,
                                             grpc::health::v1::HealthCheckResponse&)>;
  class Service final : public grpc::health::v1::Health::Service {
   public:
    explicit Service(OnCheck on_check) : on_check_(std::move(on_check)) {}
    std::string user_agent;

   private:
    grpc::Status Check(grpc::ServerContext* context,
                       const grpc::health::v1::HealthCheckRequest* request,
                       grpc::health::v1::HealthCheckResponse* response) override {
      const auto agent = context->client_metadata().find("user-agent");
      if (agent != context->client_metadata().end())
        user_agent = std::string(agent->second.data(), agent->second.size());
      return on_check_(*request, *response);
    }
    OnCheck on_check_;
  };

  // A server with the service, or one that has none.
  void Serve(std::optional<OnCheck> on_check) {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    grpc::EnableDefaultHealthCheckService(false);
    if (on_check) {
      service_ = std::make_unique<Service>(*std::move(on_check));
      builder.RegisterService(service_.get());
    } else {
      builder.RegisterCallbackGenericService(&nothing_);
    }
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
    handler().mutable_grpc()->set_port(port);
  }
  void TearDown() override {
    release_.set_value();
    if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
  }

  std::promise<void> release_;            // of calls that are held until the test ends
  grpc::CallbackGenericService nothing_;  // implements no method at all
  std::unique_ptr<Service> service_;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(GrpcProbeTest, ServingIsSuccess) {
  std::string asked;
  Serve([&](const auto& request, auto& response) {
    asked = request.service();
    response.set_status(grpc::health::v1::HealthCheckResponse::SERVING);
    return grpc::Status::OK;
  });
  handler().mutable_grpc()->set_service("db");
  const ProbeResult result = Run();
  EXPECT_EQ(result.verdict, Verdict::kSuccess) << result.output;
  EXPECT_EQ(asked, "db");
  EXPECT_THAT(service_->user_agent, testing::StartsWith("kube-probe/1.36"));
}

TEST_F(GrpcProbeTest, NotServingIsFailure) {
  Serve([](const auto&, auto& response) {
    response.set_status(grpc::health::v1::HealthCheckResponse::NOT_SERVING);
    return grpc::Status::OK;
  });
  const ProbeResult result = Run();
  EXPECT_EQ(result.verdict, Verdict::kFailure);
  EXPECT_EQ(result.output, "service unhealthy (responded with \"NOT_SERVING\")");
  EXPECT_EQ(result.error, "");
}

TEST_F(GrpcProbeTest, AnUnknownServiceIsFailure) {
  Serve([](const auto&, auto&) {
    return grpc::Status(grpc::StatusCode::NOT_FOUND, "unknown service");
  });
  EXPECT_EQ(Run().output,
            "error: health rpc probe failed: rpc error: code = NotFound desc = unknown service");
}

TEST_F(GrpcProbeTest, AServerWithoutTheProtocol) {
  Serve(std::nullopt);
  EXPECT_THAT(Run().output, testing::StartsWith("error: this server does not implement the grpc "
                                                "health protocol (grpc.health.v1.Health): "));
}

TEST_F(GrpcProbeTest, ACallThatTakesTooLong) {
  Serve([held = release_.get_future().share()](const auto&, auto&) {
    held.wait();
    return grpc::Status::OK;
  });
  EXPECT_EQ(Run().output, "timeout: health rpc did not complete within 1s");
}

TEST_F(GrpcProbeTest, BeingCancelledEndsTheCall) {
  Serve([held = release_.get_future().share()](const auto&, auto&) {
    held.wait();
    return grpc::Status::OK;
  });
  probe().set_timeoutseconds(3600);
  const absl::Duration begun = loop_->Monotonic();
  async::TaskScope probes(*loop_, "probes");
  struct Body {
    static async::Task<absl::Status> Cancel(async::Loop* loop, async::TaskScope* probes) {
      co_await loop->Sleep(absl::Milliseconds(50));
      co_await probes->Close();
      co_return absl::OkStatus();
    }
    static async::Task<void> Probe(async::Loop* loop, cri::Runtime* runtime, ProbeTarget target) {
      co_await RunProbe(loop, runtime, std::move(target));
      ADD_FAILURE() << "the probe has ended by itself";
    }
  };
  probes.Spawn("probe", Body::Probe(loop_.get(), &runtime_, Target()));
  const absl::Status closed =
      Runner<absl::Status>::Run(*loop_, servers_, Body::Cancel(loop_.get(), &probes));
  EXPECT_TRUE(closed.ok());
  EXPECT_LT(loop_->Monotonic() - begun, absl::Seconds(30));
}

TEST_F(GrpcProbeTest, ANobodyIsATimeout) {
  uint16_t port = 0;
  {
    boost::asio::ip::tcp::acceptor unused(
        loop_->io(), boost::asio::ip::tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
    port = unused.local_endpoint().port();
  }
  handler().mutable_grpc()->set_port(port);
  EXPECT_EQ(Run().output, StrCat("timeout: failed to connect service \"127.0.0.1:", port,
                                 "\" within 1s: context deadline exceeded"));
}

}  // namespace
}  // namespace cubelet::probes
