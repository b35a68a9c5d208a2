// cri::Client against a real CRI server on a unix socket, in one process and on one loop.
#include "cri/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <optional>

#include "async/scope.h"
#include "base/strings.h"
#include "fakes/cri_server.h"
#include "fakes/sim_runtime.h"

namespace cubelet {
namespace {

using absl::Milliseconds;
using absl::Seconds;
using absl::StatusCode;
using async::Task;
using fakes::Fault;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Longer than anything here may take on a busy machine; no test waits for it to pass.
constexpr absl::Duration kPatience = absl::Seconds(30);

fakes::SimOptions ModernRuntime() {
  fakes::SimOptions options;
  options.call_timeout = absl::Hours(1);  // the client's deadlines are what is tested
  return options;
}

class CriClientTest : public testing::Test {
 protected:
  explicit CriClientTest(fakes::SimOptions options = ModernRuntime())
      : runtime_(*loop_, std::move(options)) {
    runtime_.image_store().Add("busybox");
    Serve();
    Connect({});
  }

  void Serve() {
    auto server = fakes::CriServer::Start(*loop_, runtime_, socket_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  void Connect(cri::ClientOptions options) {
    options.endpoint = StrCat("unix://", socket_);
    auto client = cri::Client::Create(*loop_, std::move(options));
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
  }
  cri::Runtime& runtime() { return client_->runtime(); }
  cri::Images& images() { return client_->images(); }

  // Runs the test's coroutine to its end, then everything else.
  void Run(Task<void> body) {
    scope_.Spawn("body", Finish(this, std::move(body)));
    loop_->Run();
  }
  static Task<void> Finish(CriClientTest* test, Task<void> body) {
    co_await std::move(body);
    co_await test->background_.Close();
    if (test->server_ != nullptr) co_await test->server_->Stop();
    test->server_.reset();
    test->client_.reset();
    test->loop_->Stop();
  }

  // Waits until `condition` holds, looking again every few milliseconds.
  static Task<bool> Eventually(async::Loop* loop, std::function<bool()> condition) {
    const absl::Duration until = loop->Monotonic() + kPatience;
    while (!condition()) {
      if (loop->Monotonic() > until) co_return false;
      co_await loop->Sleep(Milliseconds(5));
    }
    co_return true;
  }

  bool ServerRuns(const std::string& call) {
    for (const async::Loop::TaskInfo& task : loop_->Tasks()) {
      if (task.scope == "fake runtime" && task.name == call) return true;
    }
    return false;
  }

  static criv1::PodSandboxConfig Pod(uint32_t attempt = 0) {
    criv1::PodSandboxConfig config;
    config.mutable_metadata()->set_name("pod");
    config.mutable_metadata()->set_namespace_("ns");
    config.mutable_metadata()->set_uid("uid");
    config.mutable_metadata()->set_attempt(attempt);
    return config;
  }
  static criv1::ContainerConfig Config(std::vector<std::string> command, uint32_t attempt = 0) {
    criv1::ContainerConfig config;
    config.mutable_metadata()->set_name("main");
    config.mutable_metadata()->set_attempt(attempt);
    config.mutable_image()->set_image("busybox");
    for (std::string& word : command) config.add_command(std::move(word));
    return config;
  }

  const std::string socket_ = StrCat(testing::TempDir(), "/cri_client_test_", getpid(), ".sock");
  std::unique_ptr<async::Loop> loop_ = async::Loop::Real(2);
  fakes::SimRuntime runtime_;
  std::unique_ptr<fakes::CriServer> server_;
  std::unique_ptr<cri::Client> client_;
  async::TaskScope scope_{*loop_, "test"};
  async::TaskScope background_{*loop_, "background"};

 public:
  static Task<void> EveryCall(CriClientTest* test);
  static Task<void> Errors(CriClientTest* test);
  static Task<void> Deadlines(CriClientTest* test);
  static Task<void> Cancellation(CriClientTest* test);
  static Task<void> Loss(CriClientTest* test);
  static Task<void> Events(CriClientTest* test);
  static Task<void> EventsAbandoned(CriClientTest* test);
  static Task<void> ManyEvents(CriClientTest* test);
  static Task<void> StreamLoss(CriClientTest* test);
  static Task<void> LargeAnswers(CriClientTest* test);
  static Task<void> Observed(CriClientTest* test);
  static Task<void> Concurrent(CriClientTest* test);
};

template <typename T>
Task<void> Store(Task<T> task, std::optional<T>* result) {
  result->emplace(co_await std::move(task));
}

Task<void> CriClientTest::EveryCall(CriClientTest* test) {
  cri::Runtime& runtime = test->runtime();
  cri::Images& images = test->images();
  auto version = co_await runtime.Version();
  EXPECT_EQ(version->runtime_version(), "v2.1.9");
  auto status = co_await runtime.Status(true);
  EXPECT_THAT(status->status().conditions(), SizeIs(2));
  auto config = co_await runtime.RuntimeConfig();
  EXPECT_EQ(config->linux().cgroup_driver(), criv1::CGROUPFS);

  auto sandbox = co_await runtime.RunPodSandbox(Pod(), "runc");
  EXPECT_TRUE(sandbox.ok()) << sandbox.status();
  auto sandbox_status = co_await runtime.PodSandboxStatus(*sandbox);
  EXPECT_EQ(sandbox_status->status().metadata().uid(), "uid");
  EXPECT_EQ(sandbox_status->status().runtime_handler(), "runc");
  criv1::PodSandboxFilter of_nobody;
  of_nobody.set_id("nobody");
  auto sandboxes = co_await runtime.ListPodSandbox({});
  EXPECT_THAT(sandboxes->items(), SizeIs(1));
  sandboxes = co_await runtime.ListPodSandbox(of_nobody);
  EXPECT_THAT(sandboxes->items(), IsEmpty());

  auto container = co_await runtime.CreateContainer(*sandbox, Config({"sim", "stop=143"}), Pod());
  EXPECT_TRUE(container.ok()) << container.status();
  EXPECT_TRUE((co_await runtime.StartContainer(*container)).ok());
  auto containers = co_await runtime.ListContainers({});
  EXPECT_EQ(containers->containers(0).state(), criv1::CONTAINER_RUNNING);
  criv1::ContainerFilter exited;
  exited.mutable_state()->set_state(criv1::CONTAINER_EXITED);
  containers = co_await runtime.ListContainers(exited);
  EXPECT_THAT(containers->containers(), IsEmpty());
  criv1::UpdateContainerResourcesRequest update;
  update.set_container_id(*container);
  update.mutable_linux()->set_cpu_quota(1234);
  EXPECT_TRUE((co_await runtime.UpdateContainerResources(update)).ok());
  auto container_status = co_await runtime.ContainerStatus(*container);
  EXPECT_EQ(container_status->status().resources().linux().cpu_quota(), 1234);
  EXPECT_TRUE((co_await runtime.ReopenContainerLog(*container)).ok());

  test->runtime_.SetExecHandler(
      [](const fakes::ExecCall& call) -> std::optional<fakes::ExecOutcome> {
        fakes::ExecOutcome outcome;
        outcome.exit_code = 3;
        outcome.out = GoList(call.command);
        return outcome;
      });
  std::vector<std::string> command = {"a", "b c"};
  auto executed = co_await runtime.ExecSync(*container, command, Seconds(5));
  EXPECT_EQ(executed->stdout(), "[a b c]");
  EXPECT_EQ(executed->exit_code(), 3);

  criv1::ExecRequest exec;
  exec.set_container_id(*container);
  EXPECT_EQ((co_await runtime.Exec(exec)).status().code(), StatusCode::kUnimplemented);
  test->runtime_.SetStreamingServer("http://127.0.0.1:1");
  auto url = co_await runtime.Exec(exec);
  EXPECT_TRUE(url.ok() && url->starts_with("http://127.0.0.1:1/exec/")) << url.status();
  criv1::AttachRequest attach;
  attach.set_container_id("none");
  EXPECT_EQ((co_await runtime.Attach(attach)).status().code(), StatusCode::kNotFound);
  attach.set_container_id(*container);
  url = co_await runtime.Attach(attach);
  EXPECT_TRUE(url.ok() && url->starts_with("http://127.0.0.1:1/attach/")) << url.status();
  criv1::PortForwardRequest forward;
  forward.set_pod_sandbox_id(*sandbox);
  url = co_await runtime.PortForward(forward);
  EXPECT_TRUE(url.ok() && url->starts_with("http://127.0.0.1:1/portforward/")) << url.status();

  EXPECT_TRUE((co_await runtime.StopContainer(*container, kPatience)).ok());
  container_status = co_await runtime.ContainerStatus(*container);
  EXPECT_EQ(container_status->status().exit_code(), 143);
  EXPECT_TRUE((co_await runtime.RemoveContainer(*container)).ok());
  EXPECT_TRUE((co_await runtime.StopPodSandbox(*sandbox)).ok());
  EXPECT_TRUE((co_await runtime.RemovePodSandbox(*sandbox)).ok());
  EXPECT_THAT(test->runtime_.sandboxes(), IsEmpty());

  criv1::ImageSpec image;
  image.set_image("quay.io/a/b:1");
  auto image_status = co_await images.ImageStatus(image);
  EXPECT_FALSE(image_status->has_image());
  test->runtime_.image_store().SetPull("quay.io/a/b:1", {});
  auto ref = co_await images.PullImage(image, {}, Pod());
  EXPECT_THAT(*ref, testing::StartsWith("sha256:"));
  auto listed = co_await images.ListImages();
  EXPECT_THAT(listed->images(), SizeIs(2));
  EXPECT_TRUE((co_await images.RemoveImage(image)).ok());
  auto usage = co_await images.ImageFsInfo();
  EXPECT_THAT(usage->image_filesystems(), SizeIs(1));
}

TEST_F(CriClientTest, EveryCallReachesTheRuntimeAndItsAnswerComesBack) { Run(EveryCall(this)); }

Task<void> CriClientTest::Errors(CriClientTest* test) {
  const StatusCode codes[] = {StatusCode::kNotFound,           StatusCode::kUnknown,
                              StatusCode::kUnimplemented,      StatusCode::kResourceExhausted,
                              StatusCode::kFailedPrecondition, StatusCode::kInternal};
  for (const StatusCode code : codes) {
    test->runtime_.faults().Script("StartContainer",
                                   Fault::Before(absl::Status(code, "the \"reason\"")));
    const absl::Status status = co_await test->runtime().StartContainer("x");
    EXPECT_EQ(status, absl::Status(code, "the \"reason\""));
  }
  auto missing = co_await test->runtime().ContainerStatus("absent");
  EXPECT_EQ(Message(missing.status()),
            "an error occurred when try to find container \"absent\": not found");
}

TEST_F(CriClientTest, ErrorsKeepCodeAndMessage) { Run(Errors(this)); }

Task<void> CriClientTest::Deadlines(CriClientTest* test) {
  test->Connect({.timeout = Milliseconds(300)});
  auto sandbox = co_await test->runtime().RunPodSandbox(Pod(), "");
  EXPECT_TRUE(sandbox.ok()) << sandbox.status();
  test->runtime_.faults().Script("CreateContainer", Fault::Late(absl::Minutes(30)));
  absl::Duration asked = test->loop_->Monotonic();
  auto created = co_await test->runtime().CreateContainer(*sandbox, Config({}), Pod());
  EXPECT_EQ(created.status().code(), StatusCode::kDeadlineExceeded);
  EXPECT_GE(test->loop_->Monotonic() - asked, Milliseconds(250));
  EXPECT_LT(test->loop_->Monotonic() - asked, kPatience);
  // The server hears of it and gives up as well.
  EXPECT_TRUE(co_await Eventually(test->loop_.get(),
                                  [test] { return !test->ServerRuns("CreateContainer"); }));
  EXPECT_THAT(test->runtime_.containers(), IsEmpty());

  // Sandboxes have twice the time.
  test->runtime_.faults().Script("RunPodSandbox", Fault::Late(Milliseconds(400)));
  auto second = co_await test->runtime().RunPodSandbox(Pod(1), "");
  EXPECT_TRUE(second.ok()) << second.status();

  // A stop has its grace on top, a command its own timeout, a pull has no deadline.
  created = co_await test->runtime().CreateContainer(*sandbox, Config({"sleep", "99"}), Pod());
  EXPECT_TRUE((co_await test->runtime().StartContainer(*created)).ok());
  fakes::ExecOutcome slow;
  slow.takes = Milliseconds(700);
  test->runtime_.SetExec("main", slow);
  auto executed = co_await test->runtime().ExecSync(*created, {}, Seconds(1));
  EXPECT_TRUE(executed.ok()) << executed.status();
  executed = co_await test->runtime().ExecSync(*created, {}, absl::ZeroDuration());
  EXPECT_TRUE(executed.ok()) << executed.status();
  slow.takes = Seconds(10);
  test->runtime_.SetExec("main", slow);
  asked = test->loop_->Monotonic();
  executed = co_await test->runtime().ExecSync(*created, {}, Seconds(1));
  EXPECT_EQ(executed.status().code(), StatusCode::kDeadlineExceeded);
  EXPECT_LT(test->loop_->Monotonic() - asked, Seconds(9));
  EXPECT_TRUE((co_await test->runtime().StopContainer(*created, Seconds(1))).ok());
  fakes::PullOutcome pull;
  pull.takes = Milliseconds(700);
  test->runtime_.image_store().SetOtherPulls(pull);
  criv1::ImageSpec image;
  image.set_image("any");
  EXPECT_TRUE((co_await test->images().PullImage(image, {}, {})).ok());
}

TEST_F(CriClientTest, Deadlines) { Run(Deadlines(this)); }

Task<void> CriClientTest::Cancellation(CriClientTest* test) {
  fakes::PullOutcome endless;
  endless.takes = absl::InfiniteDuration();
  test->runtime_.image_store().SetOtherPulls(endless);
  criv1::ImageSpec image;
  image.set_image("any");
  std::optional<absl::StatusOr<std::string>> answer;
  const auto id =
      test->background_.Spawn("pull", Store(test->images().PullImage(image, {}, {}), &answer));
  EXPECT_TRUE(
      co_await Eventually(test->loop_.get(), [test] { return test->ServerRuns("PullImage"); }));
  test->background_.Cancel(id);
  EXPECT_TRUE(
      co_await Eventually(test->loop_.get(), [test] { return !test->ServerRuns("PullImage"); }));
  co_await test->background_.Join();
}

TEST_F(CriClientTest, CancellingTheTaskCancelsTheCall) { Run(Cancellation(this)); }

Task<void> CriClientTest::Loss(CriClientTest* test) {
  EXPECT_TRUE((co_await test->runtime().Version()).ok());
  test->runtime_.faults().Script("Version", Fault::Late(absl::Minutes(30)));
  std::optional<absl::StatusOr<criv1::VersionResponse>> cut_off;
  test->background_.Spawn("version", Store(test->runtime().Version(), &cut_off));
  EXPECT_TRUE(
      co_await Eventually(test->loop_.get(), [test] { return test->ServerRuns("Version"); }));
  co_await test->server_->Stop();
  test->server_.reset();
  co_await test->background_.Join();
  EXPECT_FALSE(cut_off->ok());
  // While it is away, calls fail at once.
  const absl::Duration asked = test->loop_->Monotonic();
  for (int i = 0; i < 20; ++i) {
    auto answer = co_await test->runtime().Version();
    EXPECT_EQ(answer.status().code(), StatusCode::kUnavailable) << answer.status();
  }
  EXPECT_LT(test->loop_->Monotonic() - asked, Seconds(10));
  // Once it is back, calls work again by themselves.
  test->Serve();
  absl::Status back = absl::UnavailableError("");
  while (!back.ok() && test->loop_->Monotonic() - asked < kPatience) {
    back = (co_await test->runtime().Version()).status();
    co_await test->loop_->Sleep(Milliseconds(20));
  }
  EXPECT_TRUE(back.ok()) << back;
}

TEST_F(CriClientTest, ConnectionIsLostAndComesBack) { Run(Loss(this)); }

Task<void> CriClientTest::Events(CriClientTest* test) {
  auto stream = co_await test->runtime().WatchEvents();
  EXPECT_TRUE(stream.ok());
  EXPECT_TRUE(co_await Eventually(test->loop_.get(),
                                  [test] { return test->ServerRuns("GetContainerEvents"); }));
  auto sandbox = co_await test->runtime().RunPodSandbox(Pod(), "");
  auto container = co_await test->runtime().CreateContainer(*sandbox, Config({"true"}), Pod());
  EXPECT_TRUE((co_await test->runtime().StartContainer(*container)).ok());
  std::vector<std::string> types;
  for (int i = 0; i < 5; ++i) {
    auto event = co_await (*stream)->Next();
    EXPECT_TRUE(event.ok()) << event.status();
    if (!event.ok()) co_return;
    EXPECT_EQ(event->pod_sandbox_status().metadata().uid(), "uid");
    types.push_back(criv1::ContainerEventType_Name(event->container_event_type()));
  }
  EXPECT_THAT(types, ElementsAre("CONTAINER_CREATED_EVENT", "CONTAINER_STARTED_EVENT",
                                 "CONTAINER_CREATED_EVENT", "CONTAINER_STARTED_EVENT",
                                 "CONTAINER_STOPPED_EVENT"));
}

TEST_F(CriClientTest, Events) { Run(Events(this)); }

Task<void> CriClientTest::EventsAbandoned(CriClientTest* test) {
  // Dropped without being read, while events wait, and while somebody waits for one.
  for (int i = 0; i < 20; ++i) {
    auto stream = co_await test->runtime().WatchEvents();
    if (i % 2 == 0) co_await test->loop_->Sleep(Milliseconds(i));
    auto sandbox = co_await test->runtime().RunPodSandbox(Pod(static_cast<uint32_t>(i)), "");
    EXPECT_TRUE(sandbox.ok());
  }
  auto stream = co_await test->runtime().WatchEvents();
  std::optional<absl::StatusOr<criv1::ContainerEventResponse>> event;
  const auto id = test->background_.Spawn("next", Store((*stream)->Next(), &event));
  EXPECT_TRUE(co_await Eventually(test->loop_.get(),
                                  [test] { return test->ServerRuns("GetContainerEvents"); }));
  test->background_.Cancel(id);
  co_await test->background_.Join();
  stream->reset();
  EXPECT_TRUE(co_await Eventually(test->loop_.get(),
                                  [test] { return !test->ServerRuns("GetContainerEvents"); }));
}

TEST_F(CriClientTest, EventStreamsMayBeAbandonedAtAnyTime) { Run(EventsAbandoned(this)); }

Task<void> CriClientTest::ManyEvents(CriClientTest* test) {
  auto stream = co_await test->runtime().WatchEvents();
  EXPECT_TRUE(co_await Eventually(test->loop_.get(),
                                  [test] { return test->ServerRuns("GetContainerEvents"); }));
  constexpr uint32_t kSandboxes = 500;
  for (uint32_t i = 0; i < kSandboxes; ++i) {
    auto sandbox = co_await test->runtime().RunPodSandbox(Pod(i), "");
    EXPECT_TRUE(sandbox.ok());
  }
  for (uint32_t i = 0; i < kSandboxes * 2; ++i) {
    auto event = co_await (*stream)->Next();
    EXPECT_TRUE(event.ok());
    if (!event.ok()) co_return;
    EXPECT_EQ(event->pod_sandbox_status().metadata().attempt(), i / 2);
  }
}

TEST_F(CriClientTest, NoEventIsLostOnASlowReader) { Run(ManyEvents(this)); }

Task<void> CriClientTest::StreamLoss(CriClientTest* test) {
  auto stream = co_await test->runtime().WatchEvents();
  EXPECT_TRUE(co_await Eventually(test->loop_.get(),
                                  [test] { return test->ServerRuns("GetContainerEvents"); }));
  std::optional<absl::StatusOr<criv1::ContainerEventResponse>> event;
  test->background_.Spawn("next", Store((*stream)->Next(), &event));
  co_await test->server_->Stop();
  test->server_.reset();
  co_await test->background_.Join();
  EXPECT_FALSE(event->ok());
  // It stays ended.
  auto again = co_await (*stream)->Next();
  EXPECT_EQ(again.status(), event->status());
  auto while_away = co_await test->runtime().WatchEvents();
  auto none = co_await (*while_away)->Next();
  EXPECT_EQ(none.status().code(), StatusCode::kUnavailable);
}

TEST_F(CriClientTest, AnEventStreamEndsWithItsConnection) { Run(StreamLoss(this)); }

Task<void> CriClientTest::LargeAnswers(CriClientTest* test) {
  // More than gRPC's own limit of 4 MiB.
  criv1::PodSandboxConfig config = Pod();
  (*config.mutable_annotations())["large"] = std::string(200'000, 'x');
  for (uint32_t i = 0; i < 40; ++i) {
    config.mutable_metadata()->set_attempt(i);
    auto sandbox = co_await test->runtime().RunPodSandbox(config, "");
    EXPECT_TRUE(sandbox.ok()) << sandbox.status();
  }
  auto sandboxes = co_await test->runtime().ListPodSandbox({});
  EXPECT_TRUE(sandboxes.ok()) << sandboxes.status();
  if (sandboxes.ok()) {
    EXPECT_THAT(sandboxes->items(), SizeIs(40));
  }
}

TEST_F(CriClientTest, LargeAnswers) { Run(LargeAnswers(this)); }

Task<void> CriClientTest::Observed(CriClientTest* test) {
  std::vector<std::string> seen;
  test->client_->SetObserver(
      [&seen](std::string_view operation, absl::Duration took, const absl::Status& status) {
        EXPECT_GE(took, absl::ZeroDuration());
        seen.push_back(StrCat(operation, " ", absl::StatusCodeToString(status.code())));
      });
  EXPECT_TRUE((co_await test->runtime().Version()).ok());
  EXPECT_FALSE((co_await test->runtime().ContainerStatus("x")).ok());
  EXPECT_TRUE((co_await test->images().ListImages()).ok());
  test->client_->SetObserver(nullptr);
  EXPECT_THAT(seen, ElementsAre("version OK", "container_status NOT_FOUND", "list_images OK"));
}

TEST_F(CriClientTest, EveryCallIsObserved) { Run(Observed(this)); }

Task<void> StartOne(cri::Runtime* runtime, uint32_t attempt, int* started) {
  criv1::PodSandboxConfig pod;
  pod.mutable_metadata()->set_uid(StrCat("uid-", attempt));
  auto sandbox = co_await runtime->RunPodSandbox(pod, "");
  EXPECT_TRUE(sandbox.ok()) << sandbox.status();
  if (!sandbox.ok()) co_return;
  criv1::ContainerConfig config;
  config.mutable_metadata()->set_name("main");
  config.mutable_image()->set_image("busybox");
  auto container = co_await runtime->CreateContainer(*sandbox, config, pod);
  EXPECT_TRUE(container.ok()) << container.status();
  if (!container.ok()) co_return;
  const absl::Status status = co_await runtime->StartContainer(*container);
  EXPECT_TRUE(status.ok()) << status;
  ++*started;
}

Task<void> CriClientTest::Concurrent(CriClientTest* test) {
  int started = 0;
  for (uint32_t i = 0; i < 300; ++i)
    test->background_.Spawn("start", StartOne(&test->runtime(), i, &started));
  co_await test->background_.Join();
  EXPECT_EQ(started, 300);
  EXPECT_THAT(test->runtime_.containers(), SizeIs(300));
}

TEST_F(CriClientTest, ManyCallsAtOnce) { Run(Concurrent(this)); }

class OldRuntimeTest : public CriClientTest {
 protected:
  OldRuntimeTest()
      : CriClientTest([] {
          fakes::SimOptions options = ModernRuntime();
          options.offers_events = false;
          options.offers_runtime_config = false;
          return options;
        }()) {}

 public:
  static Task<void> NotOffered(OldRuntimeTest* test) {
    auto config = co_await test->runtime().RuntimeConfig();
    EXPECT_EQ(config.status().code(), StatusCode::kUnimplemented);
    auto stream = co_await test->runtime().WatchEvents();
    EXPECT_TRUE(stream.ok());
    auto event = co_await (*stream)->Next();
    EXPECT_EQ(event.status().code(), StatusCode::kUnimplemented);
  }
};

TEST_F(OldRuntimeTest, WhatIsNotOfferedIsUnimplemented) { Run(NotOffered(this)); }

TEST(CriClient, EndpointsThatAreNone) {
  auto loop = async::Loop::Real();
  for (const char* bad : {"", "/run/x.sock", "tcp://localhost:1", "unix://run/x.sock"}) {
    const auto client = cri::Client::Create(*loop, {.endpoint = bad});
    EXPECT_EQ(client.status().code(), StatusCode::kInvalidArgument) << bad;
    EXPECT_THAT(Message(client.status()), HasSubstr(GoQuote(bad)));
    EXPECT_FALSE(cri::Client::Create(*loop, {.endpoint = "unix:///x", .image_endpoint = "y"}).ok());
  }
}

TEST(CriServer, SaysWhereItCannotListen) {
  auto loop = async::Loop::Real();
  fakes::SimRuntime runtime(*loop);
  const auto server = fakes::CriServer::Start(*loop, runtime, "/proc/cannot/be.sock");
  EXPECT_THAT(Message(server.status()), HasSubstr("listen on /proc/cannot/be.sock"));
}

}  // namespace
}  // namespace cubelet
