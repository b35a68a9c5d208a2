#include "server/handler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "async/scope.h"
#include "base/log.h"
#include "base/strings.h"
#include "certs/test_pki.h"

namespace cubelet::server {
namespace {

using testing::HasSubstr;
using testing::Not;

const absl::Time kNow = absl::FromCivil(absl::CivilSecond(2026, 11, 24), absl::UTCTimeZone());

class HandlerTest : public testing::Test {
 protected:
  HandlerTest() {
    backend_.pods = [] { return std::string("{\"kind\":\"PodList\"}\n"); };
    backend_.running_pods = []() -> async::Task<absl::StatusOr<std::string>> {
      co_return std::string("{\"kind\":\"PodList\",\"items\":null}\n");
    };
    backend_.configz = [] { return "{\"kubeletconfig\":{}}"; };
    backend_.status = [] { return "{\"pods\":[]}\n"; };
    backend_.find_pod = [](const std::string&, const std::string&) { return std::nullopt; };
    backend_.health_checks = {{"log", [] { return absl::OkStatus(); }},
                              {"syncloop", [this] { return syncloop_; }}};
    options_.node_name = "lab";
    options_.anonymous_enabled = true;
  }

  // "<status> <body>"
  std::string Ask(std::string method, std::string target, Port port = Port::kMain,
                  std::string body = "") {
    Handler handler({*loop_, metrics_, backend_, options_},
                    Authenticator(nullptr, nullptr, options_.anonymous_enabled), authorizer_);
    Request request;
    request.port = port;
    request.method = std::move(method);
    EXPECT_TRUE(ParseTarget(target, &request.path, &request.query));
    request.body = std::move(body);
    async::TaskScope scope(*loop_, "test");
    scope.Spawn("ask", Run(&handler, std::move(request)));
    loop_->Run();
    return StrCat(response_.status, " ", response_.body);
  }
  async::Task<void> Run(Handler* handler, Request request) {
    response_ = co_await handler->Handle(std::move(request), {});
  }

  std::unique_ptr<async::Loop> loop_ = async::Loop::Virtual(kNow, 1);
  Metrics metrics_;
  Backend backend_;
  Options options_;
  Authorizer authorizer_;
  absl::Status syncloop_;
  Response response_;
};

TEST_F(HandlerTest, ServesWhatTheBackendGives) {
  EXPECT_EQ(Ask("GET", "/pods"), "200 {\"kind\":\"PodList\"}\n");
  EXPECT_EQ(response_.content_type, "application/json");
  EXPECT_EQ(Ask("GET", "/runningpods/"), "200 {\"kind\":\"PodList\",\"items\":null}\n");
  EXPECT_EQ(Ask("GET", "/configz"), "200 {\"kubeletconfig\":{}}");
  EXPECT_EQ(Ask("GET", "/cubelet/status"), "200 {\"pods\":[]}\n");
  EXPECT_EQ(Ask("GET", "/cubelet/status", Port::kStatus), "200 {\"pods\":[]}\n");
  backend_.pods = [] { return absl::UnavailableError("no sources yet"); };
  EXPECT_EQ(Ask("GET", "/pods"), "500 Internal Error: no sources yet");
}

TEST_F(HandlerTest, HealthzHasKubernetesForm) {
  EXPECT_EQ(Ask("GET", "/healthz"), "200 ok");
  EXPECT_EQ(response_.content_type, "text/plain; charset=utf-8");
  EXPECT_EQ(Ask("GET", "/healthz?verbose"),
            "200 [+]ping ok\n[+]log ok\n[+]syncloop ok\nhealthz check passed\n");
  EXPECT_EQ(Ask("GET", "/healthz?verbose&exclude=log&exclude=etcd"),
            "200 [+]ping ok\n[+]log excluded: ok\n[+]syncloop ok\n"
            "warn: some health checks cannot be excluded: no matches for \"etcd\"\n"
            "healthz check passed\n");
  EXPECT_EQ(Ask("GET", "/healthz/ping"), "200 ok");
  EXPECT_EQ(Ask("GET", "/healthz/syncloop"), "200 ok");
  EXPECT_EQ(Ask("GET", "/healthz/nothing"), "404 404 page not found\n");
}

TEST_F(HandlerTest, AFailingCheckIsNamedButNotExplained) {
  syncloop_ = absl::UnavailableError("sync Loop took longer than expected");
  EXPECT_EQ(Ask("GET", "/healthz"),
            "500 [+]ping ok\n[+]log ok\n[-]syncloop failed: reason withheld\nhealthz check "
            "failed\n");
  EXPECT_EQ(Ask("GET", "/healthz?exclude=syncloop"), "200 ok");
  EXPECT_EQ(Ask("GET", "/healthz/syncloop"),
            "500 internal server error: sync Loop took longer than expected\n");
  EXPECT_EQ(Ask("GET", "/healthz/log"), "200 ok");
  // 10248 says that the process answers and no more.
  EXPECT_EQ(Ask("GET", "/healthz", Port::kHealthz), "200 ok");
  EXPECT_EQ(Ask("GET", "/healthz?verbose", Port::kHealthz),
            "200 [+]ping ok\nhealthz check passed\n");
}

TEST_F(HandlerTest, HealthChecksAreCounted) {
  Ask("GET", "/healthz");
  syncloop_ = absl::UnavailableError("late");
  Ask("GET", "/healthz");
  const std::string slis = Ask("GET", "/metrics/slis");
  EXPECT_THAT(slis, HasSubstr("kubernetes_healthcheck{name=\"syncloop\",type=\"healthz\"} 0\n"));
  EXPECT_THAT(slis, HasSubstr("kubernetes_healthchecks_total{name=\"syncloop\",status=\"error\","
                              "type=\"healthz\"} 1\n"));
  EXPECT_THAT(slis, HasSubstr("kubernetes_healthchecks_total{name=\"ping\",status=\"success\","
                              "type=\"healthz\"} 2\n"));
  EXPECT_EQ(Ask("DELETE", "/metrics/slis"), "200 metrics reset\n");
  EXPECT_THAT(Ask("GET", "/metrics/slis"), Not(HasSubstr("syncloop")));
}

TEST_F(HandlerTest, MetricsCountRequestsByPathAndServer) {
  Ask("GET", "/pods");
  Ask("GET", "/pods", Port::kReadOnly);
  Ask("GET", "/exec/a/b/c");
  Ask("GET", "/healthz", Port::kHealthz);
  const std::string text = Ask("GET", "/metrics");
  EXPECT_EQ(response_.content_type, "text/plain; version=0.0.4; charset=utf-8");
  for (const char* line :
       {"kubelet_http_requests_total{long_running=\"false\",method=\"GET\",path=\"pods\","
        "server_type=\"readwrite\"} 1\n",
        "kubelet_http_requests_total{long_running=\"false\",method=\"GET\",path=\"pods\","
        "server_type=\"readonly\"} 1\n",
        "kubelet_http_requests_total{long_running=\"true\",method=\"GET\",path=\"exec\","
        "server_type=\"readwrite\"} 1\n",
        "kubelet_http_inflight_requests{long_running=\"false\",method=\"GET\",path=\"metrics\","
        "server_type=\"readwrite\"} 1\n",
        "kubelet_http_requests_duration_seconds_count{long_running=\"false\",method=\"GET\","
        "path=\"pods\",server_type=\"readwrite\"} 1\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, Not(HasSubstr("path=\"healthz\"")));
}

// CVE-2020-8551: what a client makes up must not become series.
TEST_F(HandlerTest, RequestsCannotMakeUpSeries) {
  for (int i = 0; i < 200; ++i) {
    Ask(StrCat("METHOD", i), StrCat("/path", i));
    Ask("GET", StrCat("/containerLogs/", i, "/", i, "/", i));
    Ask("GET", StrCat("/debug/", i));
  }
  const std::string text = Ask("GET", "/metrics");
  size_t series = 0;
  for (size_t at = 0; (at = text.find("kubelet_http_requests_total{", at)) != std::string::npos;
       ++at)
    ++series;
  EXPECT_LE(series, 5u);
  EXPECT_THAT(text, HasSubstr("method=\"other\",path=\"other\""));
}

TEST_F(HandlerTest, WithoutIdentity401) {
  options_.anonymous_enabled = false;
  for (const char* path : {"/pods", "/healthz", "/metrics", "/configz", "/exec/a/b/c",
                           "/debug/tasks", "/cubelet/status", "/stats/summary"}) {
    EXPECT_EQ(Ask("GET", path), "401 Unauthorized") << path;
  }
  // The others ask nobody.
  EXPECT_EQ(Ask("GET", "/healthz", Port::kReadOnly), "200 ok");
  EXPECT_EQ(Ask("GET", "/healthz", Port::kHealthz), "200 ok");
  // What nothing is registered for is not there for anybody.
  EXPECT_EQ(Ask("GET", "/nothing"), "404 404 page not found\n");
}

TEST_F(HandlerTest, WithoutPermission403) {
  std::vector<std::string> asked;
  authorizer_ = [&asked](User user, std::string verb,
                         std::string subresource) -> async::Task<absl::StatusOr<bool>> {
    asked.push_back(StrCat(user.name, " ", verb, " ", subresource));
    return [](bool allowed) -> async::Task<absl::StatusOr<bool>> {
      co_return allowed;
    }(subresource == "proxy" && verb == "get");
  };
  EXPECT_EQ(Ask("POST", "/pods"),
            "403 Forbidden (user=system:anonymous, verb=create, resource=nodes, "
            "subresource(s)=[pods proxy])\n");
  EXPECT_EQ(Ask("GET", "/metrics"),
            "403 Forbidden (user=system:anonymous, verb=get, resource=nodes, "
            "subresource(s)=[metrics])\n");
  asked.clear();
  EXPECT_EQ(Ask("GET", "/configz"), "200 {\"kubeletconfig\":{}}");
  EXPECT_THAT(asked,
              testing::ElementsAre("system:anonymous get configz", "system:anonymous get proxy"));
}

TEST_F(HandlerTest, AnAuthorizerThatFails500) {
  authorizer_ = [](User, std::string, std::string) -> async::Task<absl::StatusOr<bool>> {
    co_return absl::UnavailableError("no answer");
  };
  EXPECT_EQ(Ask("GET", "/pods"),
            "500 Authorization error (user=system:anonymous, verb=get, resource=nodes, "
            "subresource=pods)");
}

TEST_F(HandlerTest, WhatIsNotThereYetIs501WithASentence) {
  for (const char* path : {"/stats/summary", "/metrics/cadvisor", "/metrics/resource",
                           "/debug/pprof/heap", "/flagz", "/statusz"}) {
    EXPECT_THAT(Ask("GET", path), testing::StartsWith("501 /")) << path;
    EXPECT_THAT(response_.body, HasSubstr("this version of the kubelet does not serve"));
  }
  EXPECT_EQ(Ask("GET", "/stats/summary"),
            "501 /stats/: this version of the kubelet does not serve statistics of the node and "
            "its pods\n");
  EXPECT_THAT(Ask("POST", "/checkpoint/a/b/c"), testing::StartsWith("501 "));
}

TEST_F(HandlerTest, WrongMethodsAndPathsBelow) {
  EXPECT_EQ(Ask("POST", "/pods"), "405 405: Method Not Allowed");
  EXPECT_EQ(Ask("GET", "/run/a/b/c"), "405 405: Method Not Allowed");
  EXPECT_EQ(Ask("GET", "/pods/web"), "404 404: Page Not Found");
  EXPECT_EQ(Ask("GET", "//pods"), "404 404 page not found\n");
  EXPECT_EQ(Ask("GET", "/metrics/nothing"), "404 404 page not found\n");
}

// CVE-2019-11248, CVE-2025-0426: the ports that ask nobody serve what is listed for them only.
TEST_F(HandlerTest, TheOpenPortsServeLittle) {
  for (Port port : {Port::kHealthz, Port::kStatus}) {
    for (const char* path : {"/pods", "/metrics", "/configz", "/debug/pprof/heap", "/exec/a/b/c",
                             "/debug/flags/v", "/healthz/log", "/"}) {
      EXPECT_EQ(Ask("GET", path, port), "404 404 page not found\n") << path;
    }
  }
  EXPECT_EQ(Ask("GET", "/cubelet/status", Port::kHealthz), "404 404 page not found\n");
  for (const char* path : {"/exec/a/b/c", "/run/a/b/c", "/attach/a/b/c", "/portForward/a/b",
                           "/containerLogs/a/b/c", "/runningpods/", "/logs/", "/debug/pprof/heap"})
    EXPECT_EQ(Ask("POST", path, Port::kReadOnly), "405 Debug endpoints are disabled.\n") << path;
  for (const char* path : {"/configz", "/checkpoint/a/b/c", "/flagz", "/statusz", "/debug/tasks",
                           "/debug/flags/v", "/cubelet/status"})
    EXPECT_EQ(Ask("POST", path, Port::kReadOnly), "404 404 page not found\n") << path;
  EXPECT_THAT(Ask("GET", "/pods", Port::kReadOnly), testing::StartsWith("200 "));
  EXPECT_THAT(Ask("GET", "/metrics", Port::kReadOnly), testing::StartsWith("200 "));
}

TEST_F(HandlerTest, HandlersCanBeSwitchedOff) {
  options_.enable_system_log_handler = false;
  options_.enable_profiling_handler = false;
  options_.enable_debug_flags_handler = false;
  EXPECT_EQ(Ask("GET", "/logs/"), "405 logs endpoint is disabled.\n");
  EXPECT_EQ(Ask("GET", "/debug/pprof/heap"), "405 profiling endpoint is disabled.\n");
  EXPECT_EQ(Ask("PUT", "/debug/flags/v"), "405 flags endpoint is disabled.\n");
  options_.enable_debugging_handlers = false;
  EXPECT_EQ(Ask("GET", "/exec/a/b/c"), "405 Debug endpoints are disabled.\n");
  EXPECT_EQ(Ask("GET", "/configz"), "404 404 page not found\n");
  EXPECT_EQ(Ask("GET", "/healthz"), "200 ok");
  EXPECT_THAT(Ask("GET", "/cubelet/status", Port::kStatus), testing::StartsWith("200 "));
}

TEST_F(HandlerTest, TasksAreListedWithTheirAges) {
  async::TaskScope scope(*loop_, "pods");
  const auto sleep = [](async::Loop* loop) -> async::Task<void> {
    co_await loop->Sleep(absl::Hours(1));
  };
  scope.Spawn("default/web", sleep(loop_.get()));
  loop_->RunUntil(kNow + absl::Seconds(90));
  Handler handler({*loop_, metrics_, backend_, options_}, Authenticator(nullptr, nullptr, true),
                  nullptr);
  Request request;
  request.method = "GET";
  request.path = "/debug/tasks";
  async::TaskScope ask(*loop_, "test");
  ask.Spawn("ask", Run(&handler, std::move(request)));
  loop_->RunUntil(kNow + absl::Seconds(90));
  EXPECT_EQ(response_.body, "1m30s          pods/default/web\n0s             test/ask\n");
  scope.CancelAll();
  loop_->Run();
}

TEST_F(HandlerTest, VerbosityIsSetAtRunTime) {
  EXPECT_EQ(Ask("PUT", "/debug/flags/v", Port::kMain, "4"),
            "200 successfully set klog.logging.verbosity to 4");
  EXPECT_TRUE(VlogEnabled(4, "any.cc"));
  EXPECT_FALSE(VlogEnabled(5, "any.cc"));
  SetVerbosity(0);
  EXPECT_EQ(Ask("PUT", "/debug/flags/v", Port::kMain, "x"),
            "400 failed set klog.logging.verbosity x: strconv.ParseInt: parsing \"x\": invalid "
            "syntax");
  EXPECT_EQ(Ask("GET", "/debug/flags/v"), "406 unsupported http method");
}

}  // namespace
}  // namespace cubelet::server
