// The life of the kubelet program: its runtime comes and goes, it is ended and started again, a
// service manager looks after it, its pods come from files and servers.
#include "integration/kubelet_node.h"
//
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <csignal>
#include <functional>

#include "absl/strings/str_split.h"
#include "base/fd.h"
#include "base/strings.h"
#include "os/files.h"

namespace cubelet::integration {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(KubeletTest, StartsBeforeItsRuntime) {
  WriteManifest("a.yaml", Simple("a"));
  StartKubelet();
  EXPECT_TRUE(HasProblem("does not answer: no pods are run"));
  EXPECT_THAT(StatusCommand().output, HasSubstr("does not answer: no pods are run"));
  StartRuntime();
  EXPECT_TRUE(BecomesReady("a"));
  EXPECT_THAT(Status()->problems, IsEmpty());
}

TEST_F(KubeletTest, OutlivesItsRuntime) {
  StartRuntime();
  WriteManifest("a.yaml", Simple("a"));
  StartKubelet();
  ASSERT_TRUE(BecomesReady("a"));
  ASSERT_TRUE(runtime_process().End(SIGKILL, kLimit).ok());
  EXPECT_TRUE(HasProblem("container runtime is down", absl::Seconds(60)));
  // Nobody knows how the pod is: it is not given up.
  EXPECT_TRUE(Row("a").has_value());
  EXPECT_EQ(GetHealth("/healthz")->body, "ok");
  // The fake runtime has forgotten everything.
  StartRuntime();
  WriteManifest("b.yaml", Simple("b"));
  EXPECT_TRUE(e2e::Eventually(
      absl::Seconds(60), [this] { return Running("a").size() == 1 && Running("b").size() == 1; }));
  EXPECT_TRUE(BecomesReady("a"));
  EXPECT_TRUE(BecomesReady("b"));
}

TEST_F(KubeletTest, EndsWithinASecondAndLeavesContainersRunning) {
  StartRuntime();
  WriteManifest("a.yaml", Simple("a"));
  StartKubelet();
  ASSERT_TRUE(BecomesReady("a"));
  const std::vector<std::string> before = Running("a");
  ASSERT_THAT(before, SizeIs(1));
  const absl::Duration begun = e2e::Uptime();
  const auto code = kubelet().End(SIGTERM, kLimit);
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_EQ(*code, 0);
  EXPECT_LT(e2e::Uptime() - begun, absl::Seconds(1));
  EXPECT_EQ(Running("a"), before);
  StartKubelet();
  EXPECT_TRUE(BecomesReady("a"));
  EXPECT_EQ(Running("a"), before);
  EXPECT_EQ(Row("a")->restarts, 0);
}

// A service manager's end of NOTIFY_SOCKET.
class NotifySocket {
 public:
  explicit NotifySocket(const std::string& path)
      : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    EXPECT_LT(path.size(), sizeof at.sun_path);
    path.copy(at.sun_path, sizeof at.sun_path - 1);
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
  }
  // All lines received so far.
  const std::vector<std::string>& Lines() {
    char text[4096];
    ssize_t n = 0;
    while ((n = ::recv(fd_.get(), text, sizeof text, 0)) > 0) {
      for (absl::string_view line :
           absl::StrSplit(absl::string_view(text, static_cast<size_t>(n)), '\n', absl::SkipEmpty()))
        lines_.emplace_back(line);
    }
    return lines_;
  }

 private:
  UniqueFd fd_;
  std::vector<std::string> lines_;
};

TEST_F(KubeletTest, TellsTheServiceManager) {
  NotifySocket manager(directory() + "/notify.sock");
  StartRuntime();
  StartKubelet("",
               {StrCat("NOTIFY_SOCKET=", directory(), "/notify.sock"), "WATCHDOG_USEC=1200000"});
  EXPECT_TRUE(e2e::Eventually(kLimit, [&] {
    const auto& lines = manager.Lines();
    return std::count(lines.begin(), lines.end(), "WATCHDOG=1") >= 3;
  }));
  EXPECT_EQ(std::count(manager.Lines().begin(), manager.Lines().end(), "READY=1"), 1);
  EXPECT_EQ(std::count(manager.Lines().begin(), manager.Lines().end(), "STOPPING=1"), 0);
  ASSERT_TRUE(kubelet().End(SIGTERM, kLimit).ok());
  EXPECT_THAT(manager.Lines(), Contains("STOPPING=1"));
}

TEST_F(KubeletTest, OneFileCanBeAllManifests) {
  StartRuntime();
  const std::string path = directory() + "/pod.yaml";
  ASSERT_TRUE(os::WriteFileAtomic(path, Simple("a"), 0644).ok());
  StartKubelet(StrCat("staticPodPath: ", path, "\n"));
  EXPECT_TRUE(BecomesReady("a"));
  ASSERT_TRUE(os::WriteFileAtomic(path, Simple("b"), 0644).ok());
  EXPECT_TRUE(BecomesReady("b"));
  EXPECT_TRUE(e2e::Eventually(kLimit, [this] { return !Row("a"); }));
  EXPECT_THAT(Running("a"), IsEmpty());
}

// Answers every request that has come in with the same body, whenever it is given the time.
class ManifestServer {
 public:
  ManifestServer() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&at), size), 0);
    EXPECT_EQ(::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&at), &size), 0);
    EXPECT_EQ(::listen(fd_.get(), 16), 0);
    port_ = ntohs(at.sin_port);
  }
  uint16_t port() const { return port_; }
  void SetBody(std::string body) { body_ = std::move(body); }
  const std::string& last_request() const { return last_request_; }

  void Serve() {
    while (true) {
      const UniqueFd client(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!client.valid()) return;
      const timeval time{.tv_sec = 5};
      ::setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
      std::string request;
      char chunk[4096];
      ssize_t n = 0;
      while (request.find("\r\n\r\n") == std::string::npos &&
             (n = ::recv(client.get(), chunk, sizeof chunk, 0)) > 0)
        request.append(chunk, static_cast<size_t>(n));
      last_request_ = request;
      const std::string answer =
          StrCat("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ", body_.size(),
                 "\r\n\r\n", body_);
      EXPECT_EQ(::send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL),
                static_cast<ssize_t>(answer.size()));
    }
  }

 private:
  UniqueFd fd_;
  uint16_t port_ = 0;
  std::string body_;
  std::string last_request_;
};

TEST_F(KubeletTest, PodsComeFromAServer) {
  ManifestServer server;
  const auto serving_until = [&](const std::function<bool()>& condition) {
    return e2e::Eventually(kLimit, [&] {
      server.Serve();
      return condition();
    });
  };
  const auto ready = [this](const std::string& pod) {
    const auto row = Row(pod);
    return row && row->ready;
  };
  StartRuntime();
  server.SetBody(Simple("a"));
  StartKubelet(StrCat("staticPodURL: http://127.0.0.1:", server.port(),
                      "/pods\nstaticPodURLHeader: {X-Node: [it]}\nhttpCheckFrequency: 1s\n"));
  EXPECT_TRUE(serving_until([&] { return ready("a"); }));
  EXPECT_THAT(server.last_request(), HasSubstr("GET /pods HTTP/1.1\r\n"));
  EXPECT_THAT(server.last_request(), HasSubstr("X-Node: it\r\n"));
  const std::vector<std::string> before = Running("a");
  server.SetBody("nonsense");
  EXPECT_TRUE(serving_until([this] { return !Status()->problems.empty(); }));
  EXPECT_EQ(Running("a"), before);
  server.SetBody(Simple("b"));
  EXPECT_TRUE(serving_until([&] { return ready("b") && !Row("a"); }));
  EXPECT_THAT(Status()->problems, IsEmpty());
}

TEST_F(KubeletTest, TheRuntimesErrorsAreTheOperatorsAnswer) {
  StartRuntime({"--fail", "CreateContainer=1"});
  WriteManifest("a.yaml", Simple("a"));
  StartKubelet();
  EXPECT_TRUE(SaysOf("a", "CreateContainerError"));
  ASSERT_TRUE(runtime_process().End(SIGTERM, kLimit).ok());
  StartRuntime({"--fail", "RunPodSandbox=1"});
  WriteManifest("b.yaml", Simple("b"));
  EXPECT_TRUE(SaysOf("b", "Failed to create sandbox", absl::Seconds(60)));
  ASSERT_TRUE(runtime_process().End(SIGTERM, kLimit).ok());
  StartRuntime();
  EXPECT_TRUE(BecomesReady("a", absl::Seconds(60)));
  EXPECT_TRUE(BecomesReady("b", absl::Seconds(60)));
}

TEST_F(KubeletTest, ASlowRuntimeDelaysThePod) {
  StartRuntime({"--delay-run-sandbox", "700ms", "--delay-start", "500ms"});
  StartKubelet();
  const absl::Duration begun = e2e::Uptime();
  WriteManifest("a.yaml", Simple("a"));
  EXPECT_TRUE(BecomesReady("a"));
  EXPECT_GE(e2e::Uptime() - begun, absl::Milliseconds(1200));
}

}  // namespace
}  // namespace cubelet::integration
