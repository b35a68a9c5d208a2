#include "kubelet/status_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "base/fd.h"
#include "base/strings.h"
#include "server/socket.h"
#include "server/status_report.h"

namespace cubelet::kubelet {
namespace {

using testing::HasSubstr;

struct Ran {
  int code = -1;
  std::string out;
  std::string err;
};

Ran RunCommand(const std::vector<std::string>& args) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Ran ran;
  ran.code = RunStatusCommand(args);
  ran.out = testing::internal::GetCapturedStdout();
  ran.err = testing::internal::GetCapturedStderr();
  return ran;
}

class StatusCommandTest : public testing::Test {
 protected:
  StatusCommandTest() : socket_(StrCat(testing::TempDir(), "/status_command.", ::getpid())) {}
  ~StatusCommandTest() override { ::unlink(socket_.c_str()); }

  // Runs the command while one connection to the socket is answered with `json`.
  Ran RunAgainst(const std::string& json, std::vector<std::string> args) {
    auto listening = server::ListenUnix(socket_);
    EXPECT_TRUE(listening.ok()) << listening.status();
    std::thread kubelet([&] {
      pollfd entry{listening->fd.get(), POLLIN, 0};
      ::poll(&entry, 1, 10000);
      const UniqueFd fd(::accept4(listening->fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
      char request[1024];
      EXPECT_GT(::read(fd.get(), request, sizeof request), 0);
      const std::string answer =
          StrCat("HTTP/1.1 200 OK\r\nContent-Length: ", json.size(), "\r\n\r\n", json);
      EXPECT_GT(::write(fd.get(), answer.data(), answer.size()), 0);
    });
    args.push_back("--status-socket=" + socket_);
    const Ran ran = RunCommand(args);
    kubelet.join();
    return ran;
  }

  const std::string socket_;
};

TEST_F(StatusCommandTest, ShowsTheTable) {
  const Ran ran = RunAgainst(server::StatusJson({}), {});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.out, "No pods on this node.\n");
  EXPECT_EQ(ran.err, "");
}

TEST_F(StatusCommandTest, GivesJsonAsItCame) {
  const std::string json = server::StatusJson({});
  for (const std::vector<std::string>& args : std::vector<std::vector<std::string>>{
           {"-o", "json"}, {"-o=json"}, {"-ojson"}, {"--output=json"}, {"--output", "json"}}) {
    const Ran ran = RunAgainst(json, args);
    EXPECT_EQ(ran.code, 0);
    EXPECT_EQ(ran.out, json);
  }
}

TEST_F(StatusCommandTest, SaysWhenNobodyAnswers) {
  const Ran ran = RunCommand({"--status-socket", socket_});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err, StrCat("kubelet status: connect to ", socket_,
                            ": No such file or directory: is the kubelet running on this node?\n"));
}

TEST_F(StatusCommandTest, TheEnvironmentNamesTheSocket) {
  ::setenv("KUBELET_STATUS_SOCKET", socket_.c_str(), 1);
  EXPECT_THAT(RunCommand({}).err, HasSubstr("connect to " + socket_));
  ::unsetenv("KUBELET_STATUS_SOCKET");
}

TEST_F(StatusCommandTest, RefusesOtherArguments) {
  for (const std::vector<std::string>& args : std::vector<std::vector<std::string>>{
           {"pods"}, {"-o", "yaml"}, {"-o"}, {"--outputx=json"}, {"--no-such-flag"}}) {
    const Ran ran = RunCommand(args);
    EXPECT_EQ(ran.code, 2) << args[0];
    EXPECT_THAT(ran.err, HasSubstr("Usage: kubelet status"));
  }
  EXPECT_EQ(RunCommand({"--help"}).code, 0);
}

}  // namespace
}  // namespace cubelet::kubelet
