#include "kube/exec_plugin.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "base/clock.h"
#include "base/strings.h"
#include "kube/test_loop.h"
#include "os/files.h"

namespace cubelet::kube {
namespace {

constexpr char kV1[] = "client.authentication.k8s.io/v1";

std::string Credential(std::string_view status) {
  return StrCat(R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1",)",
                R"("status":)", status, "}");
}

std::string ErrorOf(std::string_view output) {
  return std::string(Message(ParseExecCredential(output, kV1).status()));
}

TEST(ExecCredential, IsRead) {
  auto credential = ParseExecCredential(
      Credential(R"({"token":"t","expirationTimestamp":"2030-01-02T03:04:05Z"})"), kV1);
  ASSERT_TRUE(credential.ok()) << credential.status();
  EXPECT_EQ(credential->token, "t");
  EXPECT_EQ(cubelet::FormatTime(credential->expires), "2030-01-02T03:04:05Z");
  credential =
      ParseExecCredential(Credential(R"({"clientCertificateData":"c","clientKeyData":"k"})"), kV1);
  ASSERT_TRUE(credential.ok()) << credential.status();
  EXPECT_EQ(credential->certificate + credential->key, "ck");
  EXPECT_EQ(credential->expires, absl::InfiniteFuture());
}

TEST(ExecCredential, ErrorsSayWhatIsWrongAndKeepSecrets) {
  EXPECT_EQ(ErrorOf("secret"), "its output is no JSON object");
  EXPECT_EQ(ErrorOf("{\"kind\":\"ExecCredential\"}"),
            "its output is no ExecCredential of client.authentication.k8s.io/v1");
  EXPECT_EQ(ErrorOf(Credential("null")), "its output has no status");
  EXPECT_EQ(ErrorOf(Credential("{}")), "status: there is neither a token nor a certificate");
  EXPECT_EQ(ErrorOf(Credential(R"({"token":3})")), "status.token: want a string");
  EXPECT_EQ(ErrorOf(Credential(R"({"clientKeyData":"k"})")),
            "status: one of clientCertificateData and clientKeyData is there without the other");
  EXPECT_EQ(ErrorOf(Credential(R"({"token":"t","expirationTimestamp":"soon"})")),
            "status.expirationTimestamp: not a time");
}

ClusterAccess Access(std::string script) {
  ClusterAccess access;
  access.server = "https://a";
  ExecConfig& exec = access.exec.emplace();
  exec.api_version = kV1;
  exec.command = "sh";
  exec.arguments = {"-c", std::move(script)};
  return access;
}

TEST(ExecInfo, TellsOfTheClusterWhenAskedTo) {
  ClusterAccess access = Access("");
  EXPECT_EQ(ExecInfo(access, ""),
            R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1",)"
            R"("spec":{"interactive":false}})");
  access.exec->provide_cluster_info = true;
  access.insecure = true;
  EXPECT_TRUE(absl::StrContains(
      ExecInfo(access, ""),
      R"("cluster":{"server":"https://a","insecure-skip-tls-verify":true,"config":null})"));
}

class ExecPluginTest : public LoopTest {
 protected:
  async::Task<void> Asks(std::string counter) {
    int changed = 0;
    const std::string script =
        StrCat("echo x >> ", counter, "; n=$(wc -l < ", counter,
               "); test -n \"$KUBERNETES_EXEC_INFO\" && ",
               "echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"", kV1,
               "\",\"status\":{\"token\":\"'$n'\",\"clientCertificateData\":\"'$n'\",",
               "\"clientKeyData\":\"k\"}}'");
    ExecPlugin plugin(*loop_, Access(script), [&changed] { ++changed; });
    for (int i = 0; i < 3; ++i) {
      auto given = co_await plugin.Get();
      EXPECT_EQ(given.ok() ? given->token : given.status().ToString(), "1");
    }
    plugin.Refused();
    auto given = co_await plugin.Get();
    EXPECT_EQ(given.ok() ? given->token : given.status().ToString(), "2");
    EXPECT_EQ(changed, 1);
  }

  async::Task<void> Fails() {
    ExecPlugin failing(*loop_, Access("echo no such profile >&2; exit 3"), [] {});
    auto given = co_await failing.Get();
    EXPECT_EQ(Message(given.status()), "exec plugin sh: exit status 3: no such profile");
    ClusterAccess missing = Access("");
    missing.exec->command = "/no/such/plugin";
    missing.exec->install_hint = "install it";
    ExecPlugin absent(*loop_, missing, [] {});
    given = co_await absent.Get();
    EXPECT_TRUE(absl::StartsWith(given.status().message(), "exec plugin /no/such/plugin: "))
        << given.status();
    EXPECT_TRUE(absl::EndsWith(given.status().message(), " (install it)")) << given.status();
  }

  async::Task<void> AuthenticatesWith(TestServer* server, Client* client) {
    server->OnRequest([](const TestRequest& request) {
      return TestReply{.body =
                           StrCat(HeaderOf(request.headers, "authorization"), " ", request.client)};
    });
    Request request;
    request.path = "/";
    auto answer = co_await client->Do(request);
    EXPECT_EQ(answer.ok() ? answer->body : answer.status().ToString(), "Bearer t someone");
  }
};

TEST_F(ExecPluginTest, AsksOnceUntilRefused) {
  Run(Asks(testing::TempDir() + "kube-exec-" + os::RandomHex(8)));
}

TEST_F(ExecPluginTest, TellsWhyThereAreNoCredentials) { Run(Fails()); }

std::string JsonLines(const std::string& pem) {
  std::string text = JsonQuote(pem);
  return text.substr(1, text.size() - 2);
}

TEST_F(ExecPluginTest, GivesTokenAndCertificate) {
  TestServer server(*loop_, work_);
  const TestPem pem = server.authority().Issue("someone", "");
  ClusterAccess access = server.Access();
  access.exec = Access("printf '%s' \"$CREDENTIAL\"").exec;
  access.exec->environment.emplace_back(
      "CREDENTIAL",
      Credential(StrCat(R"({"token":"t","clientCertificateData":")", JsonLines(pem.certificate),
                        R"(","clientKeyData":")", JsonLines(pem.key), "\"}")));
  Run(AuthenticatesWith(&server, MakeClient({.access = access})));
}

}  // namespace
}  // namespace cubelet::kube
