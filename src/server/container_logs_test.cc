#include <gmock/gmock.h>

#include "server/log_container.h"
#include "server/log_query.h"
#include "server/server_fixture.h"

namespace cubelet::server {
namespace {

using testing::HasSubstr;

const absl::Time kTestTime =
    absl::FromCivil(absl::CivilSecond(2026, 11, 24, 10), absl::UTCTimeZone());

LogQuery Parsed(const std::string& query, Response* refusal, bool split_streams = false) {
  std::string path;
  Query parameters;
  EXPECT_TRUE(ParseTarget("/x?" + query, &path, &parameters));
  return ParseLogQuery(parameters, kTestTime, split_streams, refusal);
}

TEST(LogQueryTest, AllParameters) {
  Response refusal;
  LogQuery query = Parsed(
      "follow=true&previous=1&timestamps=TRUE&sinceSeconds=60&tailLines=5&limitBytes=7&pretty=x&"
      "insecureSkipTLSVerifyBackend=true&container=c&stream=All",
      &refusal);
  EXPECT_EQ(refusal.status, 0) << refusal.body;
  EXPECT_TRUE(query.previous);
  EXPECT_TRUE(query.options.follow);
  EXPECT_TRUE(query.options.selection.timestamps);
  EXPECT_EQ(query.options.selection.since, kTestTime - absl::Minutes(1));
  EXPECT_EQ(query.options.tail_lines, 5);
  EXPECT_EQ(query.options.selection.limit_bytes, 7);
  query = Parsed("follow=False&previous=0&sinceTime=2026-11-24T10:00:00%2B01:00&tail=3&tailLines=9",
                 &refusal);
  EXPECT_EQ(refusal.status, 0) << refusal.body;
  EXPECT_FALSE(query.previous || query.options.follow);
  EXPECT_EQ(query.options.selection.since, kTestTime - absl::Hours(1));
  EXPECT_EQ(query.options.tail_lines, 3);
  EXPECT_FALSE(Parsed("tail=all&tailLines=9", &refusal).options.tail_lines);
  EXPECT_EQ(Parsed("stream=Stderr", &refusal, true).options.selection.stream,
            logs::Stream::kStderr);
  EXPECT_EQ(refusal.status, 0);
}

TEST(LogQueryTest, Refusals) {
  const auto refused = [](const std::string& query, bool split_streams = false) {
    Response refusal;
    Parsed(query, &refusal, split_streams);
    return StrCat(refusal.status, " ", refusal.body);
  };
  for (const char* query : {"tailLines=x", "tailLines=", "sinceSeconds=1.5", "limitBytes=1k",
                            "sinceTime=yesterday", "sinceTime=infinite-past", "tail=x"})
    EXPECT_EQ(refused(query), "400 {\"message\": \"Unable to decode query.\"}") << query;
  for (const char* query : {"tailLines=-1", "sinceSeconds=0", "limitBytes=0",
                            "sinceSeconds=1&sinceTime=2026-11-24T10:00:00Z"})
    EXPECT_EQ(refused(query), "422 {\"message\": \"Invalid request.\"}") << query;
  EXPECT_EQ(refused("stream=Stdout"),
            "400 unable to return the given log stream: \"Stdout\". Please enable "
            "PodLogsQuerySplitStreams feature gate in kubelet");
  EXPECT_THAT(refused("stream=Stdout&tailLines=1", true), HasSubstr("422 "));
  EXPECT_THAT(refused("stream=both", true), HasSubstr("422 "));
}

v1::ContainerStatus* AddStatus(v1::PodStatus& status, const std::string& name) {
  v1::ContainerStatus* added = status.add_containerstatuses();
  added->set_name(name);
  return added;
}

TEST(LogContainerTest, TheLogOfTheRunningOrTheLastInstance) {
  v1::PodStatus status;
  v1::ContainerStatus* container = AddStatus(status, "c");
  const auto choose = [&](bool previous = false, const std::string& name = "c") {
    const auto id = ChooseLogContainer(status, "p", name, previous);
    return id.ok() ? *id : std::string(Message(id.status()));
  };
  const std::string subject = "container \"c\" in pod \"p\" ";
  EXPECT_EQ(choose(false, "d"), "container \"d\" in pod \"p\" is not available");
  EXPECT_EQ(choose(), subject + "is waiting to start - no logs yet");
  EXPECT_EQ(choose(true), "previous terminated " + subject + "not found");
  auto* waiting = container->mutable_state()->mutable_waiting();
  waiting->set_reason("ContainerCreating");
  EXPECT_EQ(choose(), subject + "is waiting to start: ContainerCreating");
  waiting->set_reason("ErrImagePull");
  EXPECT_EQ(choose(), subject + "is waiting to start: image can't be pulled");
  waiting->set_reason("ImagePullBackOff");
  EXPECT_EQ(choose(), subject + "is waiting to start: trying and failing to pull image");
  container->mutable_laststate()->mutable_terminated()->set_containerid("x://old");
  EXPECT_EQ(choose(), "x://old");
  EXPECT_EQ(choose(true), "x://old");
  container->mutable_state()->Clear();
  container->mutable_state()->mutable_running();
  container->set_containerid("x://now");
  EXPECT_EQ(choose(), "x://now");
  container->mutable_state()->Clear();
  container->mutable_state()->mutable_terminated();
  EXPECT_EQ(choose(), "x://old");
  container->mutable_state()->mutable_terminated()->set_containerid("x://ended");
  EXPECT_EQ(choose(), "x://ended");
  container->mutable_laststate()->Clear();
  container->mutable_state()->mutable_terminated()->clear_containerid();
  EXPECT_EQ(choose(), subject + "is terminated");
}

class ContainerLogsTest : public ServerTest {
 protected:
  ContainerLogsTest() {
    v1::Pod pod;
    pod.mutable_metadata()->set_uid("uid");
    for (const char* name : {"main", "other"}) pod.mutable_spec()->add_containers()->set_name(name);
    v1::PodStatus status;
    v1::ContainerStatus* container = AddStatus(status, "main");
    container->set_containerid("containerd://id");
    container->mutable_state()->mutable_running();
    view_ = {std::make_shared<const v1::Pod>(pod), std::make_shared<const v1::PodStatus>(status)};
    backend_.find_pod = [this](const std::string& name_space, const std::string& name) {
      return name_space == "ns" && name == "web" ? std::optional<PodView>(view_) : std::nullopt;
    };
    backend_.find_container = [this](const std::string& uid, const std::string& id) {
      const bool known = uid == "uid" && id == "id" && !path_.empty();
      return known ? std::optional<ContainerView>(ContainerView{path_, running_}) : std::nullopt;
    };
    path_ = directory_ + "/0.log";
  }

  void Log(const std::string& content) {
    std::ofstream(path_, std::ios::app) << "2026-11-24T10:00:00.5Z stdout F " << content << "\n";
  }

  PodView view_;
  std::string path_;
  std::atomic<bool> running_ = true;
};

TEST_F(ContainerLogsTest, AnswersAndErrors) {
  Log("hello");
  Log("world");
  Serve([&] {
    TestClient client(server_->port());
    ASSERT_TRUE(client.StartTls());
    const auto ask = [&](const std::string& target) {
      const TestAnswer answer = client.Ask("GET", "/containerLogs/" + target);
      return StrCat(answer.status, " ", answer.body);
    };
    EXPECT_EQ(ask("ns/web/main"), "200 hello\nworld\n");
    EXPECT_EQ(ask("ns/web/main?tailLines=1&timestamps=true"),
              "200 2026-11-24T10:00:00.500000000Z world\n");
    EXPECT_EQ(ask("ns/web/main?limitBytes=3"), "200 hel");
    EXPECT_EQ(ask("ns/web/main?tailLines=0"), "200 ");
    EXPECT_EQ(ask("ns/web/none"), "404 container \"none\" not found in pod \"web\"");
    EXPECT_EQ(ask("ns/no/main"), "404 pod \"no\" does not exist");
    EXPECT_EQ(ask("ns/web/other"), "400 container \"other\" in pod \"web\" is not available");
    EXPECT_EQ(ask("ns/web/main?tailLines=-1"), "422 {\"message\": \"Invalid request.\"}");
    EXPECT_EQ(ask("ns/web"), "404 404: Page Not Found");
    EXPECT_EQ(ask("ns/web/main/x"), "404 404: Page Not Found");
    std::filesystem::remove(path_);
    EXPECT_THAT(ask("ns/web/main"), HasSubstr("400 open the container's log: "));
    OnLoop([&] {
      path_.clear();
      return 0;
    });
    EXPECT_EQ(ask("ns/web/main"), "400 unable to retrieve container logs for containerd://id");
    EXPECT_EQ(client.Ask("GET", "/healthz").body, "ok");
  });
}

TEST_F(ContainerLogsTest, BeforeHttp11TheEndOfTheConnectionEndsIt) {
  Log("hello");
  Serve([&] {
    TestClient client(server_->port());
    ASSERT_TRUE(client.StartTls());
    client.Send("GET /containerLogs/ns/web/main HTTP/1.0\r\n\r\n");
    EXPECT_THAT(client.ReceiveHead(), testing::Not(HasSubstr("chunked")));
    EXPECT_EQ(client.ReceiveBytes(100), "hello\n");
  });
}

TEST_F(ContainerLogsTest, AFollowerSeesRotationAndEndsWithTheContainer) {
  Log("one");
  Serve([&] {
    TestClient client(server_->port());
    ASSERT_TRUE(client.StartTls());
    client.Send("GET /containerLogs/ns/web/main?follow=true HTTP/1.1\r\n\r\n");
    EXPECT_THAT(client.ReceiveHead(), HasSubstr("HTTP/1.1 200 OK\r\n"));
    EXPECT_EQ(client.ReceiveChunk(), "one\n");
    Log("two");
    EXPECT_EQ(client.ReceiveChunk(), "two\n");
    std::filesystem::rename(path_, path_ + ".1");
    Log("three");
    EXPECT_EQ(client.ReceiveChunk(), "three\n");
    running_ = false;
    EXPECT_EQ(client.ReceiveChunk(), std::nullopt);
    EXPECT_EQ(client.Ask("GET", "/healthz").body, "ok");
    EXPECT_THAT(*OnLoop([&] { return metrics_.Render("/metrics"); }),
                HasSubstr("kubelet_http_inflight_requests{long_running=\"false\",method=\"GET\","
                          "path=\"containerLogs\",server_type=\"readwrite\"} 0\n"));
  });
}

TEST_F(ContainerLogsTest, AFollowerWhoLeavesIsNoticed) {
  Log("one");
  Serve([&] {
    {
      TestClient client(server_->port());
      ASSERT_TRUE(client.StartTls());
      client.Send("GET /containerLogs/ns/web/main?follow=true HTTP/1.1\r\n\r\n");
      client.ReceiveHead();
      EXPECT_EQ(client.ReceiveChunk(), "one\n");
    }
    while (OnLoop([&] { return server_->connections(); }) > 0) std::this_thread::yield();
  });
}

// Who does not read makes the server stop reading the file, not keep it.
TEST_F(ContainerLogsTest, ASlowReaderHoldsNothing) {
  for (int i = 0; i < 20'000; ++i) Log(std::string(1000, 'x'));
  options_.limits.stream_stall = absl::Seconds(2);
  Serve([&] {
    TestClient client(server_->port());
    ASSERT_TRUE(client.StartTls());
    client.Send("GET /containerLogs/ns/web/main HTTP/1.1\r\n\r\n");
    while (OnLoop([&] { return server_->connections(); }) > 0) std::this_thread::yield();
    TestClient reader(server_->port());
    ASSERT_TRUE(reader.StartTls());
    EXPECT_EQ(reader.Ask("GET", "/containerLogs/ns/web/main").body.size(), 20'000u * 1001);
  });
}

TEST_F(ContainerLogsTest, StoppingEndsFollowers) {
  Log("one");
  std::unique_ptr<TestClient> client;
  Serve([&] {
    client = std::make_unique<TestClient>(server_->port());
    ASSERT_TRUE(client->StartTls());
    client->Send("GET /containerLogs/ns/web/main?follow=true HTTP/1.1\r\n\r\n");
    client->ReceiveHead();
    EXPECT_EQ(client->ReceiveChunk(), "one\n");
  });
  EXPECT_EQ(client->ReceiveChunk(), std::nullopt);
}

TEST_F(ContainerLogsTest, SystemLogsStayInTheirDirectory) {
  const std::string logs = directory_ + "/log";
  std::filesystem::create_directories(logs + "/sub dir");
  std::ofstream(logs + "/syslog") << "line\n";
  std::ofstream(logs + "/sub dir/<b>") << std::string(1 << 20, 'y');
  std::filesystem::create_symlink("sub dir/<b>", logs + "/inside");
  std::filesystem::create_symlink("/etc/passwd", logs + "/outside");
  std::filesystem::create_symlink("../../../../etc/passwd", logs + "/upwards");
  options_.system_log_directory = logs;
  Serve([&] {
    TestClient client(server_->port());
    ASSERT_TRUE(client.StartTls());
    const TestAnswer list = client.Ask("GET", "/logs/");
    EXPECT_THAT(list.head, HasSubstr("Content-Type: text/html; charset=utf-8"));
    EXPECT_THAT(list.body, HasSubstr("<a href=\"sub%20dir/\">sub dir/</a>\n"));
    EXPECT_EQ(client.Ask("GET", "/logs/syslog").body, "line\n");
    EXPECT_EQ(client.Ask("GET", "/logs/inside").body.size(), size_t{1} << 20);
    EXPECT_THAT(client.Ask("GET", "/logs/sub%20dir/").body,
                HasSubstr("<a href=\"%3Cb%3E\">&lt;b&gt;</a>"));
    const TestAnswer moved = client.Ask("GET", "/logs/sub%20dir");
    EXPECT_EQ(moved.status, 301);
    EXPECT_THAT(moved.head, HasSubstr("Location: sub%20dir/\r\n"));
    for (const char* path : {"outside", "upwards", "none", "../pki/kubelet.key", "%2e%2e/",
                             "/etc/passwd", "syslog/x"}) {
      const TestAnswer answer = client.Ask("GET", StrCat("/logs/", path));
      EXPECT_EQ(answer.status, 404) << path;
      EXPECT_EQ(answer.body, "404 page not found\n");
    }
  });
}

}  // namespace
}  // namespace cubelet::server
