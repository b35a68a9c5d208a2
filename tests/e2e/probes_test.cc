// Probes of every kind, by what they make of a pod.
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <atomic>
#include <fstream>

#include "base/strings.h"
#include "e2e/node_fixture.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "os/files.h"

namespace cubelet::e2e {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

constexpr char kServe[] = "note start; exec httpd -f -p 8080 -h /j";
constexpr char kEverySecond[] = "      periodSeconds: 1\n      failureThreshold: 1\n";
constexpr char kGrpcPort[] = "5051";

// What a container with a gRPC health service would be.
class HealthService final : public grpc::health::v1::Health::CallbackService {
 public:
  std::atomic<bool> serving = true;

  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context,
                                  const grpc::health::v1::HealthCheckRequest*,
                                  grpc::health::v1::HealthCheckResponse* response) override {
    response->set_status(serving ? grpc::health::v1::HealthCheckResponse::SERVING
                                 : grpc::health::v1::HealthCheckResponse::NOT_SERVING);
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

class ProbesTest : public NodeTest {
 protected:
  static void SetUpTestSuite() {
    StartNode({.name = "probes", .subnet = 3});
    if (!has_node()) return;
    AddPod("exec-liveness",
           StrCat("  terminationGracePeriodSeconds: 1\n  containers:\n",
                  ContainerYaml("main",
                                "note start; test -e /j/second || { : > /j/second; : > /j/alive; "
                                "sleep 2; rm /j/alive; }; sleep 3; : > /j/alive; sleep 1000",
                                StrCat("    livenessProbe:\n      exec: {command: [test, -e, "
                                       "/j/alive]}\n      initialDelaySeconds: 1\n",
                                       "      periodSeconds: 1\n      failureThreshold: 1\n"))));
    AddPod("http-liveness",
           StrCat("  terminationGracePeriodSeconds: 1\n  containers:\n",
                  ContainerYaml("main", StrCat("touch /j/alive; ", kServe),
                                StrCat("    livenessProbe:\n      httpGet: {path: /alive, port: "
                                       "8080}\n",
                                       kEverySecond))));
    AddPod("http-readiness",
           StrCat("  containers:\n",
                  ContainerYaml("main", kServe,
                                StrCat("    readinessProbe:\n      httpGet: {path: /flag, port: "
                                       "8080}\n",
                                       kEverySecond))));
    AddPod("tcp-startup",
           StrCat("  containers:\n",
                  ContainerYaml("main", StrCat("sleep 2; note opens; ", kServe),
                                "    startupProbe:\n      tcpSocket: {port: 8080}\n      "
                                "periodSeconds: 1\n      failureThreshold: 30\n")));
    AddPod("grpc", StrCat("  hostNetwork: true\n  containers:\n",
                          ContainerYaml("main", "note start; sleep 1000",
                                        StrCat("    readinessProbe:\n      grpc: {port: ",
                                               kGrpcPort, "}\n", kEverySecond))));
  }

  static void Touch(const std::string& pod, const char* file) {
    std::ofstream(StrCat(JournalDirectory(pod), "/", file)) << "x";
  }
  static bool BecomesUnready(std::string_view pod) {
    return Eventually(absl::Seconds(10), [&] {
      const auto row = Row(pod);
      return row && !row->ready;
    });
  }
  static bool Restarts(std::string_view pod, int count) {
    return Eventually(absl::Seconds(20), [&] {
      const auto row = Row(pod);
      return row && row->restarts == count;
    });
  }
};

TEST_F(ProbesTest, ReadinessOverHttpComesAndGoes) {
  EXPECT_TRUE(Eventually(absl::Seconds(20), [] {
    return !Noted("http-readiness", "start").empty() && Row("http-readiness") &&
           Row("http-readiness")->phase == "Running";
  }));
  EXPECT_FALSE(Ready("http-readiness"));
  Touch("http-readiness", "flag");
  EXPECT_TRUE(BecomesReady("http-readiness", absl::Seconds(10)));
  ASSERT_TRUE(os::RemoveFile(JournalDirectory("http-readiness") + "/flag").ok());
  EXPECT_TRUE(BecomesUnready("http-readiness"));
  EXPECT_THAT(Row("http-readiness")->reason, HasSubstr("readiness probe"));
  EXPECT_EQ(Row("http-readiness")->restarts, 0);
}

TEST_F(ProbesTest, AFailedExecLivenessProbeRestarts) {
  EXPECT_TRUE(Restarts("exec-liveness", 1));
  EXPECT_THAT(Noted("exec-liveness", "start"), SizeIs(2));
}

TEST_F(ProbesTest, AFailedHttpLivenessProbeRestarts) {
  ASSERT_TRUE(BecomesReady("http-liveness"));
  EXPECT_EQ(Row("http-liveness")->restarts, 0);
  ASSERT_TRUE(os::RemoveFile(JournalDirectory("http-liveness") + "/alive").ok());
  EXPECT_TRUE(Restarts("http-liveness", 1));
  EXPECT_TRUE(BecomesReady("http-liveness"));
  EXPECT_THAT(Noted("http-liveness", "start"), SizeIs(2));
}

TEST_F(ProbesTest, AStartupProbeOverTcpWaitsForTheSocket) {
  ASSERT_TRUE(BecomesReady("tcp-startup"));
  EXPECT_THAT(Noted("tcp-startup", "opens"), SizeIs(1));
  EXPECT_EQ(Row("tcp-startup")->restarts, 0);
}

TEST_F(ProbesTest, ReadinessOverGrpcComesAndGoes) {
  EXPECT_TRUE(Eventually(absl::Seconds(20), [] { return !Noted("grpc", "start").empty(); }));
  EXPECT_FALSE(Ready("grpc"));
  HealthService health;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(StrCat("0.0.0.0:", kGrpcPort), grpc::InsecureServerCredentials());
  builder.RegisterService(&health);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  ASSERT_NE(server, nullptr);
  EXPECT_TRUE(BecomesReady("grpc", absl::Seconds(10)));
  health.serving = false;
  EXPECT_TRUE(BecomesUnready("grpc"));
  health.serving = true;
  EXPECT_TRUE(BecomesReady("grpc", absl::Seconds(10)));
  EXPECT_THAT(Noted("grpc", "start"), SizeIs(1));
}

}  // namespace
}  // namespace cubelet::e2e
