// Port 10250 as kubectl uses it, on a real runtime: logs that are followed over rotation, commands,
// terminals and ports.
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <map>

#include "base/strings.h"
#include "e2e/node_fixture.h"
#include "e2e/web_socket.h"
#include "os/files.h"
#include "server/test_client.h"

namespace cubelet::e2e {
namespace {

using server::TestAnswer;
using server::TestClient;
using testing::HasSubstr;

constexpr uint16_t kPort = 10250;

class EndpointsTest : public NodeTest {
 protected:
  static void SetUpTestSuite() {
    std::signal(SIGPIPE, SIG_IGN);
    StartNode({.name = "ends",
               .subnet = 8,
               .configuration = "containerLogMaxSize: 1Mi\ncontainerLogMaxFiles: 3\n"});
    if (!has_node()) return;
    AddPod("server",
           StrCat("  terminationGracePeriodSeconds: 1\n  containers:\n",
                  ContainerYaml("main",
                                "while true; do nc -l -p 8080 -e cat; done & "
                                "while read line; do echo \"got $line\"; done",
                                "    stdin: true\n    tty: false\n"),
                  ContainerYaml("short", "echo once; echo twice >&2; note short; sleep 1000")));
  }

  static bool Connect(TestClient& client) {
    return client.Connect(kPort) && client.StartTls(&node().identity());
  }
  static TestAnswer Ask(const std::string& method, const std::string& target) {
    TestClient client;
    if (!Connect(client)) return {};
    return client.Ask(method, target);
  }
  static std::string Path(std::string_view what, std::string_view pod) {
    return StrCat("/", what, "/default/", FullName(pod));
  }
};

TEST_F(EndpointsTest, Logs) {
  ASSERT_TRUE(BecomesReady("server"));
  const std::string path = Path("containerLogs", "server") + "/short";
  ASSERT_TRUE(Eventually(absl::Seconds(5),
                         [&] { return Ask("GET", path).body.find("twice") != std::string::npos; }));
  EXPECT_THAT(Ask("GET", path + "?timestamps=true&tailLines=1").body,
              testing::MatchesRegex("[0-9-]+T[0-9:]+\\.[0-9]{9}(Z|[+-][0-9:]+) (once|twice)\n"));
  EXPECT_EQ(Ask("GET", path + "?previous=true").body,
            StrCat("previous terminated container \"short\" in pod \"", FullName("server"),
                   "\" not found"));
  EXPECT_EQ(Ask("GET", Path("containerLogs", "none") + "/main").status, 404);
}

TEST_F(EndpointsTest, LogsAreFollowedOverRotation) {
  AddPod("chatty", StrCat("  restartPolicy: Never\n  containers:\n",
                          ContainerYaml("main",
                                        "pad=$(printf '%0180d' 0); i=0; while [ $i -lt 15000 ]; do "
                                        "echo \"$i $pad\"; [ $((i % 100)) = 0 ] && sleep 0.1; "
                                        "i=$((i+1)); done; note end; echo done")));
  TestClient client;
  ASSERT_TRUE(Eventually(absl::Seconds(20), [&] {
    return Ask("GET", Path("containerLogs", "chatty") + "/main?tailLines=1").status == 200;
  }));
  ASSERT_TRUE(Connect(client));
  client.Send(StrCat("GET ", Path("containerLogs", "chatty"),
                     "/main?follow=true&tailLines=1 HTTP/1.1\r\n\r\n"));
  EXPECT_THAT(client.ReceiveHead(), HasSubstr(" 200 "));
  std::string text;
  while (std::optional<std::string> piece = client.ReceiveChunk()) text += *piece;
  // It ends by itself when the container has, with all that was written.
  EXPECT_TRUE(text.ends_with("done\n"))
      << text.substr(text.size() - std::min<size_t>(99, text.size()));
  const auto row = Row("chatty");
  ASSERT_TRUE(row);
  const auto files = os::ListDirectory(
      StrCat(node().pod_logs(), "/default_", FullName("chatty"), "_", row->uid, "/main"));
  ASSERT_TRUE(files.ok());
  EXPECT_GT(files->size(), 1u);
  // It was rotated meanwhile, and nothing is missing; containerd may have cut a line in two.
  std::string expected;
  for (int64_t i = std::atoll(text.c_str()); i < 15'000; ++i)
    StrAppend(&expected, i, " ", std::string(180, '0'));
  text.erase(std::remove(text.begin(), text.end(), '\n'), text.end());
  EXPECT_TRUE(text == expected + "done") << text.size() << " of " << expected.size();
  RemovePod("chatty");
}

TEST_F(EndpointsTest, ExecOverAWebSocket) {
  ASSERT_TRUE(BecomesReady("server"));
  TestClient client;
  ASSERT_TRUE(Connect(client));
  ASSERT_EQ(WebSocket::Open(client, Path("exec", "server") +
                                        "/main?command=sh&command=-c&command=read+x%3B+echo+"
                                        "%22out+%24x%22%3B+echo+err+%3E%262%3B+exit+3"
                                        "&input=1&output=1&error=1"),
            "");
  WebSocket socket(client);
  socket.Send(0, "hello\n");
  std::map<char, std::string> channels;
  while (std::optional<std::string> message = socket.Receive()) {
    if (!message->empty()) channels[message->front()] += message->substr(1);
  }
  EXPECT_EQ(channels[1], "out hello\n");
  EXPECT_EQ(channels[2], "err\n");
  EXPECT_THAT(channels[3], HasSubstr("\"message\":\"3\""));
}

TEST_F(EndpointsTest, AttachAndTheContainersInput) {
  ASSERT_TRUE(BecomesReady("server"));
  TestClient client;
  ASSERT_TRUE(Connect(client));
  ASSERT_EQ(WebSocket::Open(client, Path("attach", "server") + "/main?input=1&output=1"), "");
  WebSocket socket(client);
  socket.Send(0, "line\n");
  EXPECT_EQ(socket.ReceiveAll(1, "\n"), "got line\n");
}

TEST_F(EndpointsTest, PortForward) {
  ASSERT_TRUE(BecomesReady("server"));
  TestClient client;
  ASSERT_TRUE(Connect(client));
  ASSERT_EQ(WebSocket::Open(client, Path("portForward", "server") + "?port=8080"), "");
  WebSocket socket(client);
  socket.Send(0, "echo\n");
  // Each channel begins with the port.
  EXPECT_EQ(socket.ReceiveAll(0, "\n"), StrCat("\x90\x1f", "echo\n"));
}

TEST_F(EndpointsTest, RunAndErrors) {
  ASSERT_TRUE(BecomesReady("server"));
  EXPECT_EQ(Ask("POST", Path("run", "server") + "/main?cmd=echo+a+b").body, "a b\n");
  const TestAnswer failed = Ask("POST", Path("run", "server") + "/main?cmd=ls+/none");
  EXPECT_EQ(failed.status, 500);
  EXPECT_THAT(failed.body, HasSubstr("command 'ls /none' exited with "));
  TestClient client;
  ASSERT_TRUE(Connect(client));
  EXPECT_THAT(WebSocket::Open(client, Path("exec", "server") + "/none?command=sh&output=1"),
              HasSubstr("container not found (\"none\")"));
}

}  // namespace
}  // namespace cubelet::e2e
