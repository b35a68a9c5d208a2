// The server on its socket, asked by curl and by real kubectl.
#include "fakes/api_server/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "async/scope.h"
#include "base/check.h"
#include "base/strings.h"
#include "fakes/api_server/server.h"

namespace cubelet::fakes {
namespace {

namespace fs = std::filesystem;

struct Output {
  int code = -1;
  std::string text;  // both streams
};

Output RunCommand(const std::string& command) {
  Output output;
  FILE* const pipe = ::popen(StrCat("timeout 30 ", command, " 2>&1").c_str(), "r");
  if (pipe == nullptr) return output;
  char buffer[4096];
  for (size_t count = 0; (count = ::fread(buffer, 1, sizeof buffer, pipe)) > 0;)
    output.text.append(buffer, count);
  const int status = ::pclose(pipe);
  if (WIFEXITED(status)) output.code = WEXITSTATUS(status);
  return output;
}

class HttpServerTest : public testing::Test {
 protected:
  void SetUp() override {
    SetBugsAreFatal(true);
    std::string pattern = (fs::temp_directory_path() / "fake-apiserver-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    ASSERT_TRUE(server_.Start().ok());
    Write("admin.conf", server_.AdminKubeconfig());
    Write("ca.crt", server_.CaPem());
    const KeyPair node = server_.api().authority().ForClient("system:node:lab", {"system:nodes"});
    Write("node.crt", node.certificate);
    Write("node.key", node.key);
  }

  void TearDown() override {
    Finish(server_.Stop());
    fs::remove_all(directory_);
  }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(directory_ / name) << text;
  }

  // Runs the loop until the task is done.
  void Finish(async::Task<void> task) {
    async::TaskScope scope(*loop_, "test");
    scope.Spawn("task", std::move(task));
    while (scope.size() > 0) loop_->io().run_one();
  }

  // A command on the pool, while the server serves.
  Output Run(const std::string& command) {
    std::optional<Output> output;
    Finish(Store(loop_.get(), command, &output));
    return *output;
  }

  Output Kubectl(const std::string& arguments) {
    return Run(StrCat("env HOME=", directory_.string(), " KUBECONFIG=",
                      (directory_ / "admin.conf").string(), " kubectl ", arguments));
  }

  Output Curl(const std::string& path, const std::string& options = "") {
    const auto file = [&](const char* name) { return (directory_ / name).string(); };
    return Run(StrCat("curl -sS --http2 --max-time 20 --cacert ", file("ca.crt"), " --cert ",
                      file("node.crt"), " --key ", file("node.key"), " ", options, " '",
                      server_.Address(), path, "'"));
  }

  FakeApi& api() { return server_.api(); }

  std::unique_ptr<async::Loop> loop_ = async::Loop::Real();
  FakeApiServer server_{*loop_};
  fs::path directory_;

 private:
  static async::Task<void> Store(async::Loop* loop, std::string command,
                                 std::optional<Output>* output) {
    output->emplace(co_await loop->Blocking([command] { return RunCommand(command); }));
  }
};

TEST_F(HttpServerTest, TellsClientsByTheirCertificates) {
  EXPECT_EQ(Curl("/version", "-o /dev/null -w '%{http_code} %{http_version}'").text, "200 2");
  EXPECT_EQ(api().requests().back().user, "system:node:lab");
  EXPECT_TRUE(api().requests().back().user_agent.starts_with("curl/"));
}

TEST_F(HttpServerTest, RefusesCertificatesOfOthers) {
  const Authority other;
  const KeyPair pair = other.ForClient("system:node:lab", {"system:nodes"});
  Write("node.crt", pair.certificate);
  Write("node.key", pair.key);
  EXPECT_EQ(Curl("/version", "-o /dev/null -w '%{http_code}'").text, "401");
}

TEST_F(HttpServerTest, BreaksOffAnAnswer) {
  api().faults().Add({.what = ApiFault::CutAfter(10)});
  const Output output = Curl("/version", "-o /dev/null -w '%{http_code} %{size_download} '");
  EXPECT_EQ(output.code, 92) << output.text;  // curl's "stream error"
  EXPECT_THAT(output.text, testing::HasSubstr("200 10 "));
}

TEST_F(HttpServerTest, BreaksConnections) {
  api().faults().Add({.what = ApiFault::Cut(), .times = 1});
  EXPECT_NE(Curl("/version").code, 0);
  EXPECT_EQ(Curl("/version").code, 0);
  EXPECT_EQ(server_.http().accepted(), 2);
}

TEST_F(HttpServerTest, IsSilentWhilePartitioned) {
  server_.http().SetPartitioned(true);
  EXPECT_EQ(Curl("/version", "--max-time 1").code, 28);  // curl's timeout
  server_.http().SetPartitioned(false);
  EXPECT_EQ(Curl("/version").code, 0);
}

TEST_F(HttpServerTest, StreamsWatchesUntilTheirEnd) {
  const Output output = Curl("/api/v1/namespaces?watch=true&timeoutSeconds=1");
  EXPECT_EQ(output.code, 0) << output.text;
  EXPECT_NE(output.text.find(R"({"type":"ADDED","object":{"kind":"Namespace")"), std::string::npos)
      << output.text;
}

class KubectlTest : public HttpServerTest {
 protected:
  void SetUp() override {
    HttpServerTest::SetUp();
    if (RunCommand("kubectl version --client").code != 0) GTEST_SKIP() << "kubectl is not here";
    Write("pod.yaml", R"(
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {containers: [{name: main, image: 'busybox:1.36'}]}
)");
  }
  std::string PodFile() const { return (directory_ / "pod.yaml").string(); }
};

TEST_F(KubectlTest, AppliesAndReads) {
  EXPECT_EQ(Kubectl("apply -f " + PodFile()).text, "pod/web created\n");
  EXPECT_EQ(Kubectl("apply -f " + PodFile()).text, "pod/web unchanged\n");
  EXPECT_EQ(Kubectl("get pods -o name").text, "pod/web\n");
  EXPECT_EQ(Kubectl("get pod web -o jsonpath={.spec.containers[0].image}").text, "busybox:1.36");
  EXPECT_EQ(Kubectl("get pods -l app=db -o name").text, "");
  EXPECT_EQ(Kubectl("get pods --field-selector=status.phase=Pending -o name").text, "pod/web\n");
}

TEST_F(KubectlTest, PatchesInThreeWays) {
  Kubectl("apply -f " + PodFile());
  EXPECT_EQ(Kubectl(R"(patch pod web -p '{"metadata":{"labels":{"a":"b"}}}')").code, 0);
  EXPECT_EQ(Kubectl(R"(patch pod web --type merge -p '{"metadata":{"labels":{"a":"c"}}}')").code,
            0);
  const Output tested = Kubectl(
      R"(patch pod web --type json -p '[{"op":"test","path":"/metadata/labels/a","value":"c"}]')");
  EXPECT_EQ(tested.text, "pod/web patched (no change)\n");
  const Output unknown = Kubectl(R"(patch pod web -p '{"spec":{"nope":1}}')");
  EXPECT_EQ(unknown.code, 0) << unknown.text;
}

TEST_F(KubectlTest, Waits) {
  Kubectl("apply -f " + PodFile());
  Kubectl(
      "patch pod web --subresource status -p "
      R"('{"status":{"conditions":[{"type":"Ready","status":"True"}]}}')");
  EXPECT_EQ(Kubectl("wait --for condition=Ready pod/web --timeout 10s").text,
            "pod/web condition met\n");
}

TEST_F(KubectlTest, DeletesAndSeesItGone) {
  Kubectl("apply -f " + PodFile());
  EXPECT_EQ(Kubectl("delete pod web --timeout 10s").text, "pod \"web\" deleted\n");
  EXPECT_EQ(Kubectl("get pod web").text, "Error from server (NotFound): pods \"web\" not found\n");
}

TEST_F(KubectlTest, DrainsANode) {
  v1::Node node;
  node.mutable_metadata()->set_name("lab");
  ASSERT_TRUE(api().Create(node).ok());
  Kubectl("apply -f " + PodFile());
  const Output drained = Kubectl("drain lab --force --timeout 10s");
  EXPECT_EQ(drained.code, 0) << drained.text;
  EXPECT_TRUE(api().Get<v1::Node>("", "lab")->spec().unschedulable());
}

// Another server takes the kubelet's place: it knows nobody here and answers 401, but what it was
// asked is on record.
TEST_F(KubectlTest, ReachesTheKubelet) {
  FakeApiServer kubelet(*loop_);
  const auto port = kubelet.Start();
  ASSERT_TRUE(port.ok());
  v1::Node node;
  node.mutable_metadata()->set_name("lab");
  ASSERT_TRUE(api().Create(node).ok());
  v1::NodeAddress& address = *node.mutable_status()->add_addresses();
  address.set_type("InternalIP");
  address.set_address("127.0.0.1");
  node.mutable_status()->mutable_daemonendpoints()->mutable_kubeletendpoint()->set_port(*port);
  ASSERT_TRUE(api().Update(node, "status").ok());
  Kubectl("apply -f " + PodFile());
  ASSERT_TRUE(api().objects().Bind("default", "web", "lab").ok());

  EXPECT_EQ(Kubectl("logs web --tail 3").code, 1);
  ASSERT_EQ(kubelet.api().requests().size(), 1);
  EXPECT_EQ(kubelet.api().requests()[0].path, "/containerLogs/default/web/main");
  EXPECT_EQ(kubelet.api().requests()[0].query, "tailLines=3");
  const Output executed = Kubectl("exec web -- date");
  EXPECT_NE(executed.text.find("Unauthorized"), std::string::npos) << executed.text;
  EXPECT_EQ(kubelet.api().requests().back().path, "/exec/default/web/main");
  Finish(kubelet.Stop());
}

TEST_F(KubectlTest, TriesAgainWhenToldTo) {
  api().faults().Add({.what = ApiFault::Answer(429, absl::Seconds(1)),
                      .times = 1,
                      .matches = ApiFaults::Method("GET", "/secrets")});
  const Output output = Kubectl("get secrets -o name");
  EXPECT_EQ(output.code, 0) << output.text;
}

}  // namespace
}  // namespace cubelet::fakes
