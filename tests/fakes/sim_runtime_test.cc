#include "fakes/sim_runtime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "async/timeout.h"
#include "base/strings.h"
#include "fakes/await.h"

namespace cubelet::fakes {
namespace {

using absl::Seconds;
using absl::StatusCode;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const absl::Time kStart = absl::UnixEpoch() + absl::Hours(24 * 365 * 50);

class SimRuntimeTest : public testing::Test {
 protected:
  explicit SimRuntimeTest(SimOptions options = {}) : runtime_(*loop_, std::move(options)) {
    runtime_.image_store().Add("busybox");
  }

  template <typename T>
  T Do(async::Task<T> task) {
    return Await(*loop_, std::move(task));
  }
  void Pass(absl::Duration duration) { loop_->RunUntil(loop_->Now() + duration); }

  static criv1::PodSandboxConfig Pod(const std::string& name = "pod", uint32_t attempt = 0) {
    criv1::PodSandboxConfig config;
    config.mutable_metadata()->set_name(name);
    config.mutable_metadata()->set_namespace_("ns");
    config.mutable_metadata()->set_uid("uid-" + name);
    config.mutable_metadata()->set_attempt(attempt);
    (*config.mutable_labels())["io.kubernetes.pod.uid"] = "uid-" + name;
    return config;
  }
  static criv1::ContainerConfig Config(std::vector<std::string> command, uint32_t attempt = 0,
                                       const std::string& name = "main") {
    criv1::ContainerConfig config;
    config.mutable_metadata()->set_name(name);
    config.mutable_metadata()->set_attempt(attempt);
    config.mutable_image()->set_image("docker.io/library/busybox:latest");
    for (std::string& word : command) config.add_command(std::move(word));
    (*config.mutable_labels())["io.kubernetes.pod.uid"] = "uid-pod";
    return config;
  }

  std::string Sandbox(const std::string& name = "pod") {
    absl::StatusOr<std::string> id = Do(runtime_.RunPodSandbox(Pod(name), ""));
    EXPECT_TRUE(id.ok()) << id.status();
    return id.value_or("");
  }
  std::string Create(const std::string& sandbox, std::vector<std::string> command,
                     uint32_t attempt = 0, const std::string& name = "main") {
    absl::StatusOr<std::string> id =
        Do(runtime_.CreateContainer(sandbox, Config(std::move(command), attempt, name), Pod()));
    EXPECT_TRUE(id.ok()) << id.status();
    return id.value_or("");
  }
  std::string Run(const std::string& sandbox, std::vector<std::string> command,
                  uint32_t attempt = 0, const std::string& name = "main") {
    std::string id = Create(sandbox, std::move(command), attempt, name);
    const absl::Status status = Do(runtime_.StartContainer(id));
    EXPECT_TRUE(status.ok()) << status;
    return id;
  }
  criv1::ContainerStatus StatusOf(const std::string& id) {
    auto response = Do(runtime_.ContainerStatus(id));
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? response->status() : criv1::ContainerStatus();
  }

  std::unique_ptr<async::Loop> loop_ = async::Loop::Virtual(kStart, 1);
  SimRuntime runtime_;
};

TEST_F(SimRuntimeTest, LifeOfAContainer) {
  const std::string sandbox = Sandbox();
  const std::string id = Create(sandbox, {"sleep", "5"});
  EXPECT_EQ(id.size(), 64u);
  criv1::ContainerStatus status = StatusOf(id);
  EXPECT_EQ(status.state(), criv1::CONTAINER_CREATED);
  EXPECT_GT(status.created_at(), 0);
  EXPECT_EQ(status.started_at(), 0);
  EXPECT_EQ(status.image().image(), "docker.io/library/busybox:latest");
  EXPECT_EQ(status.image_ref(), status.image_id());
  EXPECT_THAT(status.image_id(), testing::StartsWith("sha256:"));

  EXPECT_TRUE(Do(runtime_.StartContainer(id)).ok());
  EXPECT_THAT(runtime_.LiveContainers("uid-pod", "main"), ElementsAre(id));
  status = StatusOf(id);
  EXPECT_EQ(status.state(), criv1::CONTAINER_RUNNING);
  Pass(Seconds(6));
  status = StatusOf(id);
  EXPECT_EQ(status.state(), criv1::CONTAINER_EXITED);
  EXPECT_EQ(status.exit_code(), 0);
  EXPECT_EQ(status.reason(), "Completed");
  EXPECT_EQ(absl::FromUnixNanos(status.finished_at()) - absl::FromUnixNanos(status.started_at()),
            Seconds(5));
  EXPECT_THAT(runtime_.LiveContainers("uid-pod"), IsEmpty());

  EXPECT_THAT(Message(Do(runtime_.StartContainer(id))), HasSubstr("CONTAINER_EXITED state"));
  EXPECT_TRUE(Do(runtime_.RemoveContainer(id)).ok());
  EXPECT_EQ(Do(runtime_.ContainerStatus(id)).status().code(), StatusCode::kNotFound);
  EXPECT_THAT(runtime_.journal().violations(), IsEmpty());
}

TEST_F(SimRuntimeTest, ExitCodesAndReasons) {
  const std::string sandbox = Sandbox();
  const std::string failed = Run(sandbox, {"sh", "-c", "exit 7"}, 0, "a");
  const std::string killed = Run(sandbox, {"sleep", "9"}, 0, "b");
  Pass(Seconds(1));
  EXPECT_EQ(StatusOf(failed).exit_code(), 7);
  EXPECT_EQ(StatusOf(failed).reason(), "Error");
  EXPECT_TRUE(runtime_.KillContainer(killed));
  EXPECT_FALSE(runtime_.KillContainer(killed));
  EXPECT_EQ(StatusOf(killed).exit_code(), 137);
  EXPECT_EQ(StatusOf(killed).reason(), "OOMKilled");
}

TEST_F(SimRuntimeTest, StartErrorLeavesAnExitedContainer) {
  const std::string id = Create(Sandbox(), {"sim", "start-error=exec: \"x\": not found"});
  EXPECT_THAT(Message(Do(runtime_.StartContainer(id))),
              HasSubstr("failed to create shim task: exec: \"x\": not found"));
  EXPECT_EQ(StatusOf(id).state(), criv1::CONTAINER_EXITED);
  EXPECT_EQ(StatusOf(id).exit_code(), 128);
  EXPECT_EQ(StatusOf(id).reason(), "StartError");
  EXPECT_EQ(StatusOf(id).started_at(), 0);
}

TEST_F(SimRuntimeTest, StopWaitsForTheGraceUnlessTheSignalIsHandled) {
  const std::string sandbox = Sandbox();
  const std::string deaf = Run(sandbox, {"sleep", "3600"}, 0, "deaf");
  absl::Time asked = loop_->Now();
  EXPECT_TRUE(Do(runtime_.StopContainer(deaf, Seconds(30))).ok());
  EXPECT_GE(loop_->Now(), asked + Seconds(30));
  EXPECT_LT(loop_->Now(), asked + Seconds(31));
  EXPECT_EQ(StatusOf(deaf).exit_code(), 137);

  const std::string polite = Run(sandbox, {"sim", "stop=143", "stop-delay=2s"}, 0, "polite");
  asked = loop_->Now();
  EXPECT_TRUE(Do(runtime_.StopContainer(polite, Seconds(30))).ok());
  EXPECT_LT(loop_->Now(), asked + Seconds(3));
  EXPECT_EQ(StatusOf(polite).exit_code(), 143);

  // Without a grace nothing is asked of the process.
  const std::string at_once = Run(sandbox, {"sim", "stop=0"}, 0, "at-once");
  EXPECT_TRUE(Do(runtime_.StopContainer(at_once, absl::ZeroDuration())).ok());
  EXPECT_EQ(StatusOf(at_once).exit_code(), 137);
}

TEST_F(SimRuntimeTest, StopAndRemoveAreIdempotent) {
  const std::string sandbox = Sandbox();
  const std::string id = Run(sandbox, {"sleep", "3600"});
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(Do(runtime_.StopContainer(id, Seconds(1))).ok());
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(Do(runtime_.RemoveContainer(id)).ok());
  EXPECT_TRUE(Do(runtime_.StopContainer(id, Seconds(1))).ok());
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(Do(runtime_.StopPodSandbox(sandbox)).ok());
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(Do(runtime_.RemovePodSandbox(sandbox)).ok());
  EXPECT_TRUE(Do(runtime_.StopPodSandbox(sandbox)).ok());
}

TEST_F(SimRuntimeTest, AStopThatIsCutOffDoesNotKill) {
  const std::string id = Run(Sandbox(), {"sleep", "3600"});
  const absl::Status status =
      Do(async::WithTimeout(*loop_, runtime_.StopContainer(id, Seconds(30)), Seconds(5), "stop"));
  EXPECT_EQ(status.code(), StatusCode::kDeadlineExceeded);
  Pass(Seconds(60));
  EXPECT_THAT(runtime_.LiveContainers("uid-pod"), ElementsAre(id));
}

TEST_F(SimRuntimeTest, NamesAreReserved) {
  const std::string sandbox = Sandbox();
  absl::StatusOr<std::string> again = Do(runtime_.RunPodSandbox(Pod(), ""));
  EXPECT_EQ(Message(again.status()),
            StrCat("failed to reserve sandbox name \"pod_ns_uid-pod_0\": name "
                   "\"pod_ns_uid-pod_0\" is reserved for \"",
                   sandbox, "\""));
  EXPECT_TRUE(Do(runtime_.RunPodSandbox(Pod("pod", 1), "")).ok());

  const std::string id = Create(sandbox, {"true"});
  again = Do(runtime_.CreateContainer(sandbox, Config({"true"}), Pod()));
  EXPECT_EQ(Message(again.status()),
            StrCat("failed to reserve container name \"main_pod_ns_uid-pod_0\": name "
                   "\"main_pod_ns_uid-pod_0\" is reserved for \"",
                   id, "\""));
  Create(sandbox, {"true"}, 1);
  EXPECT_TRUE(Do(runtime_.RemoveContainer(id)).ok());
  Create(sandbox, {"true"}, 0);
}

TEST_F(SimRuntimeTest, AFailedCreationGivesItsNameBack) {
  const std::string sandbox = Sandbox();
  criv1::ContainerConfig config = Config({"true"});
  config.mutable_image()->set_image("absent");
  EXPECT_EQ(Do(runtime_.CreateContainer(sandbox, config, Pod())).status().code(),
            StatusCode::kNotFound);
  Create(sandbox, {"true"});
}

TEST_F(SimRuntimeTest, UnknownIds) {
  EXPECT_EQ(Do(runtime_.PodSandboxStatus("x")).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Do(runtime_.ContainerStatus("x")).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Do(runtime_.StartContainer("x")).code(), StatusCode::kNotFound);
  EXPECT_EQ(Do(runtime_.ExecSync("x", {"true"}, Seconds(1))).status().code(),
            StatusCode::kNotFound);
  EXPECT_EQ(Do(runtime_.CreateContainer("x", Config({"true"}), Pod())).status().code(),
            StatusCode::kNotFound);
}

TEST_F(SimRuntimeTest, WhatRunsIsNotRemoved) {
  const std::string sandbox = Sandbox();
  const std::string id = Run(sandbox, {"sleep", "3600"});
  EXPECT_THAT(Message(Do(runtime_.RemoveContainer(id))), HasSubstr("still running"));
  EXPECT_THAT(Message(Do(runtime_.RemovePodSandbox(sandbox))), HasSubstr("not fully stopped"));
  EXPECT_THAT(runtime_.LiveContainers("uid-pod"), ElementsAre(id));
  EXPECT_TRUE(Do(runtime_.StopPodSandbox(sandbox)).ok());
  EXPECT_EQ(StatusOf(id).exit_code(), 137);
  EXPECT_TRUE(Do(runtime_.RemovePodSandbox(sandbox)).ok());
  EXPECT_THAT(runtime_.containers(), IsEmpty());
  EXPECT_THAT(runtime_.sandboxes(), IsEmpty());
}

TEST_F(SimRuntimeTest, NothingIsStartedInAStoppedSandbox) {
  const std::string sandbox = Sandbox();
  const std::string id = Create(sandbox, {"true"});
  EXPECT_TRUE(Do(runtime_.StopPodSandbox(sandbox)).ok());
  EXPECT_THAT(Message(Do(runtime_.StartContainer(id))), HasSubstr("is not running"));
  EXPECT_THAT(Message(Do(runtime_.CreateContainer(sandbox, Config({"true"}, 1), Pod())).status()),
              HasSubstr("is not running"));
}

TEST_F(SimRuntimeTest, AddressesAreGivenAndTakenBack) {
  const std::string first = Sandbox("a");
  const std::string second = Sandbox("b");
  EXPECT_EQ(Do(runtime_.PodSandboxStatus(first))->status().network().ip(), "10.88.0.2");
  EXPECT_EQ(Do(runtime_.PodSandboxStatus(second))->status().network().ip(), "10.88.0.3");
  EXPECT_TRUE(Do(runtime_.StopPodSandbox(first)).ok());
  EXPECT_EQ(Do(runtime_.PodSandboxStatus(first))->status().network().ip(), "");
  EXPECT_EQ(Do(runtime_.PodSandboxStatus(Sandbox("c")))->status().network().ip(), "10.88.0.2");
  criv1::PodSandboxConfig host = Pod("host");
  host.mutable_linux()->mutable_security_context()->mutable_namespace_options()->set_network(
      criv1::NODE);
  EXPECT_EQ(
      Do(runtime_.PodSandboxStatus(*Do(runtime_.RunPodSandbox(host, ""))))->status().network().ip(),
      "");
}

TEST(SimNetwork, RangesAndTheirEnd) {
  EXPECT_EQ(ParsePodNetwork("10.88.7.9/16")->first, ParseIpv4("10.88.0.0"));
  for (const char* bad : {"", "10.88.0.0", "10.88.0/16", "10.88.0.0/31", "10.88.0.256/16", "::/64"})
    EXPECT_FALSE(ParsePodNetwork(bad).ok()) << bad;
  auto loop = async::Loop::Virtual(kStart, 1);
  SimOptions options;
  options.pod_network = "10.0.0.0/30";
  SimRuntime runtime(*loop, options);
  criv1::PodSandboxConfig config;
  EXPECT_TRUE(Await(*loop, runtime.RunPodSandbox(config, "")).ok());
  config.mutable_metadata()->set_attempt(1);
  EXPECT_THAT(Message(Await(*loop, runtime.RunPodSandbox(config, "")).status()),
              HasSubstr("no IP addresses available in range 10.0.0.0/30"));
}

TEST_F(SimRuntimeTest, ListsAreFiltered) {
  const std::string a = Sandbox("a");
  const std::string b = Sandbox("b");
  const std::string running = Run(a, {"sleep", "9"}, 0, "one");
  Create(a, {"sleep", "9"}, 0, "two");
  EXPECT_TRUE(Do(runtime_.StopPodSandbox(b)).ok());

  criv1::PodSandboxFilter ready;
  ready.mutable_state()->set_state(criv1::SANDBOX_READY);
  EXPECT_THAT(Do(runtime_.ListPodSandbox(ready))->items(), SizeIs(1));
  criv1::PodSandboxFilter of_b;
  (*of_b.mutable_label_selector())["io.kubernetes.pod.uid"] = "uid-b";
  EXPECT_EQ(Do(runtime_.ListPodSandbox(of_b))->items(0).id(), b);
  EXPECT_THAT(Do(runtime_.ListPodSandbox({}))->items(), SizeIs(2));

  criv1::ContainerFilter alive;
  alive.mutable_state()->set_state(criv1::CONTAINER_RUNNING);
  EXPECT_EQ(Do(runtime_.ListContainers(alive))->containers(0).id(), running);
  criv1::ContainerFilter of_sandbox;
  of_sandbox.set_pod_sandbox_id(a);
  EXPECT_THAT(Do(runtime_.ListContainers(of_sandbox))->containers(), SizeIs(2));
}

TEST_F(SimRuntimeTest, AKilledSandboxLeavesItsContainers) {
  const std::string sandbox = Sandbox();
  const std::string id = Run(sandbox, {"sleep", "3600"});
  EXPECT_TRUE(runtime_.KillSandbox(sandbox));
  EXPECT_THAT(runtime_.ReadySandboxes("uid-pod"), IsEmpty());
  EXPECT_THAT(runtime_.LiveContainers("uid-pod"), ElementsAre(id));
  EXPECT_TRUE(Do(runtime_.StopPodSandbox(sandbox)).ok());
  EXPECT_EQ(Do(runtime_.PodSandboxStatus(sandbox))->status().network().ip(), "");
  EXPECT_THAT(runtime_.LiveContainers("uid-pod"), IsEmpty());
}

TEST_F(SimRuntimeTest, WhatCannotBeKilledHoldsUpItsCaller) {
  const std::string sandbox = Sandbox();
  const std::string id = Run(sandbox, {"sim", "unkillable"});
  EXPECT_EQ(Do(runtime_.StopContainer(id, Seconds(2))).code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(Do(runtime_.StopPodSandbox(sandbox)).code(), StatusCode::kDeadlineExceeded);
  EXPECT_THAT(runtime_.ReadySandboxes("uid-pod"), ElementsAre(sandbox));
  runtime_.KillContainer(id);
  EXPECT_TRUE(Do(runtime_.StopPodSandbox(sandbox)).ok());
  EXPECT_THAT(runtime_.ReadySandboxes("uid-pod"), IsEmpty());
}

TEST_F(SimRuntimeTest, ProcessesByFunctionAndImage) {
  runtime_.image_store().Add("server");
  Process brief;
  brief.runs_for = absl::ZeroDuration();
  brief.exit_code = 9;
  runtime_.SetImageProcess("server", brief);
  runtime_.SetProcesses([](const criv1::ContainerConfig& config,
                           const std::string& pod_uid) -> std::optional<Process> {
    EXPECT_EQ(pod_uid, "uid-pod");
    if (config.metadata().attempt() == 0) return std::nullopt;
    return Process();
  });
  const std::string sandbox = Sandbox();
  for (const uint32_t attempt : {0u, 1u}) {
    criv1::ContainerConfig config = Config({}, attempt);
    config.mutable_image()->set_image("server");
    absl::StatusOr<std::string> id = Do(runtime_.CreateContainer(sandbox, config, Pod()));
    ASSERT_TRUE(id.ok());
    EXPECT_TRUE(Do(runtime_.StartContainer(*id)).ok());
    Pass(Seconds(1));
    EXPECT_EQ(StatusOf(*id).exit_code(), attempt == 0 ? 9 : 0);
    EXPECT_EQ(runtime_.LiveContainers("uid-pod").size(), attempt);
  }
  EXPECT_EQ(runtime_.FindContainer("uid-pod", "main")->config.metadata().attempt(), 1u);
  EXPECT_EQ(runtime_.FindContainer("uid-pod", "other"), nullptr);
}

TEST_F(SimRuntimeTest, Exec) {
  const std::string id = Run(Sandbox(), {"sleep", "3600"});
  ExecOutcome outcome;
  outcome.exit_code = 3;
  outcome.out = "out";
  outcome.err = "err";
  outcome.takes = Seconds(2);
  runtime_.SetExec("main", outcome);
  auto response = Do(runtime_.ExecSync(id, {"check"}, Seconds(5)));
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response->exit_code(), 3);
  EXPECT_EQ(response->stdout(), "out");
  EXPECT_EQ(response->stderr(), "err");
  response = Do(runtime_.ExecSync(id, {"check"}, Seconds(1)));
  EXPECT_EQ(response.status().code(), StatusCode::kDeadlineExceeded);
  EXPECT_THAT(Message(response.status()), HasSubstr("timeout 1s exceeded"));
  EXPECT_TRUE(Do(runtime_.ExecSync(id, {"check"}, absl::ZeroDuration())).ok());

  runtime_.SetExecHandler([](const ExecCall& call) -> std::optional<ExecOutcome> {
    if (call.command[0] != "mine") return std::nullopt;
    ExecOutcome mine;
    mine.out = StrCat(call.pod_uid, " ", call.container_name);
    return mine;
  });
  EXPECT_EQ(Do(runtime_.ExecSync(id, {"mine"}, Seconds(5)))->stdout(), "uid-pod main");
  EXPECT_EQ(Do(runtime_.ExecSync(id, {"check"}, Seconds(5)))->exit_code(), 3);
  runtime_.KillContainer(id);
  EXPECT_THAT(Message(Do(runtime_.ExecSync(id, {"mine"}, Seconds(5))).status()),
              HasSubstr("container is in CONTAINER_EXITED state"));
}

TEST_F(SimRuntimeTest, ResourcesAreUpdated) {
  const std::string id = Run(Sandbox(), {"sleep", "3600"});
  criv1::UpdateContainerResourcesRequest request;
  request.set_container_id(id);
  request.mutable_linux()->set_cpu_shares(512);
  EXPECT_TRUE(Do(runtime_.UpdateContainerResources(request)).ok());
  EXPECT_EQ(StatusOf(id).resources().linux().cpu_shares(), 512);
}

TEST_F(SimRuntimeTest, Images) {
  EXPECT_TRUE(Do(runtime_.ImageStatus({}))->image().id().empty());
  criv1::ImageSpec spec;
  spec.set_image("busybox");
  EXPECT_THAT(Do(runtime_.ImageStatus(spec))->image().repo_tags(),
              ElementsAre("docker.io/library/busybox:latest"));
  spec.set_image("quay.io/a/b:1");
  EXPECT_FALSE(Do(runtime_.ImageStatus(spec))->has_image());
  EXPECT_EQ(Message(Do(runtime_.PullImage(spec, {}, {})).status()),
            "failed to pull and unpack image \"quay.io/a/b:1\": failed to resolve image: "
            "quay.io/a/b:1: not found");
  PullOutcome outcome;
  outcome.takes = Seconds(3);
  outcome.bytes = 77;
  runtime_.image_store().SetPull("quay.io/a/b:1", outcome);
  const absl::Time asked = loop_->Now();
  const absl::StatusOr<std::string> ref = Do(runtime_.PullImage(spec, {}, {}));
  ASSERT_TRUE(ref.ok());
  EXPECT_GE(loop_->Now() - asked, Seconds(3));
  EXPECT_EQ(Do(runtime_.ImageStatus(spec))->image().size(), 77u);
  EXPECT_THAT(Do(runtime_.ListImages())->images(), SizeIs(2));
  spec.set_image(*ref);
  EXPECT_TRUE(Do(runtime_.RemoveImage(spec)).ok());
  EXPECT_TRUE(Do(runtime_.RemoveImage(spec)).ok());
  EXPECT_THAT(Do(runtime_.ListImages())->images(), SizeIs(1));
  runtime_.SetImageFs("/var/lib/x", 5, 6);
  EXPECT_EQ(Do(runtime_.ImageFsInfo())->image_filesystems(0).fs_id().mountpoint(), "/var/lib/x");
}

TEST_F(SimRuntimeTest, TellsWhatItIs) {
  EXPECT_EQ(Do(runtime_.Version())->runtime_name(), "containerd");
  auto status = Do(runtime_.Status(false));
  EXPECT_TRUE(status->status().conditions(1).status());
  EXPECT_TRUE(Do(runtime_.RuntimeConfig()).ok());
  runtime_.SetReady(true, false, "cni plugin not initialized");
  status = Do(runtime_.Status(false));
  EXPECT_EQ(status->status().conditions(1).type(), "NetworkReady");
  EXPECT_FALSE(status->status().conditions(1).status());
  EXPECT_EQ(status->status().conditions(1).message(), "cni plugin not initialized");
  EXPECT_THAT(Message(Do(runtime_.RunPodSandbox(Pod(), "")).status()),
              HasSubstr("cni plugin not initialized"));
}

class OldRuntimeTest : public SimRuntimeTest {
 protected:
  OldRuntimeTest()
      : SimRuntimeTest([] {
          SimOptions options;
          options.offers_events = false;
          options.offers_runtime_config = false;
          options.force_remove = true;
          return options;
        }()) {}
};

TEST_F(OldRuntimeTest, DoesNotOfferWhatItDoesNotHave) {
  EXPECT_EQ(Do(runtime_.RuntimeConfig()).status().code(), StatusCode::kUnimplemented);
  auto stream = Do(runtime_.WatchEvents());
  ASSERT_TRUE(stream.ok());
  EXPECT_EQ(Do((*stream)->Next()).status().code(), StatusCode::kUnimplemented);
}

TEST_F(OldRuntimeTest, RemovesByForceWhenSetSo) {
  const std::string sandbox = Sandbox();
  Run(sandbox, {"sleep", "3600"});
  EXPECT_TRUE(Do(runtime_.RemovePodSandbox(sandbox)).ok());
  EXPECT_THAT(runtime_.containers(), IsEmpty());
  EXPECT_EQ(runtime_.journal().Changes("container exited", "uid-pod", "main"), 1u);
}

class FilesTest : public SimRuntimeTest {
 protected:
  FilesTest()
      : SimRuntimeTest([] {
          SimOptions options;
          options.write_files = true;
          return options;
        }()) {
    directory_ = StrCat(testing::TempDir(), "/sim_runtime_files_", getpid());
    std::filesystem::create_directories(directory_ + "/main");
  }
  ~FilesTest() override { std::filesystem::remove_all(directory_); }

  static std::string Read(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  std::string directory_;
};

TEST_F(FilesTest, LogsAndTerminationMessage) {
  const std::string message_file = directory_ + "/message";
  std::ofstream(message_file).close();
  criv1::PodSandboxConfig pod = Pod();
  pod.set_log_directory(directory_);
  const std::string sandbox = *Do(runtime_.RunPodSandbox(pod, ""));
  criv1::ContainerConfig config =
      Config({"sh", "-c", "echo one; sleep 10; echo two; echo why > /dev/termination-log; exit 1"});
  config.set_log_path("main/0.log");
  (*config.mutable_annotations())["io.kubernetes.container.terminationMessagePath"] =
      "/dev/termination-log";
  config.add_mounts()->set_container_path("/dev/termination-log");
  config.mutable_mounts(0)->set_host_path(message_file);
  const std::string id = *Do(runtime_.CreateContainer(sandbox, config, pod));
  const std::string log = StatusOf(id).log_path();
  EXPECT_EQ(log, directory_ + "/main/0.log");
  EXPECT_TRUE(Do(runtime_.StartContainer(id)).ok());
  Pass(Seconds(1));
  EXPECT_THAT(Read(log), testing::MatchesRegex("20..-..-..T..:..:..\\..*Z stdout F one\n"));
  std::filesystem::rename(log, log + ".1");
  EXPECT_TRUE(Do(runtime_.ReopenContainerLog(id)).ok());
  Pass(Seconds(10));
  EXPECT_THAT(Read(log), testing::EndsWith(" stdout F two\n"));
  EXPECT_EQ(Read(message_file), "why\n");
  EXPECT_THAT(Message(Do(runtime_.ReopenContainerLog(id))), "container is not running");

  // Without the directory a container cannot start.
  config.mutable_metadata()->set_attempt(1);
  config.set_log_path("absent/1.log");
  const std::string next = *Do(runtime_.CreateContainer(sandbox, config, pod));
  EXPECT_THAT(Message(Do(runtime_.StartContainer(next))), HasSubstr("absent/1.log"));
}

}  // namespace
}  // namespace cubelet::fakes
