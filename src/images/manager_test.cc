#include "images/manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/system/system_error.hpp>
#include <memory>

#include "async/scope.h"
#include "base/strings.h"
#include "fakes/sim_runtime.h"

namespace cubelet::images {
namespace {

using absl::Seconds;
using fakes::Fault;
using fakes::PullOutcome;
using testing::ElementsAre;
using testing::IsEmpty;

const absl::Time kStart = absl::UnixEpoch() + absl::Hours(24 * 365 * 50);
constexpr char kImage[] = "docker.io/library/does-not-exist:9";
constexpr char kNotFound[] =
    "rpc error: code = NotFound desc = failed to pull and unpack image "
    "\"docker.io/library/does-not-exist:9\": failed to resolve image: "
    "docker.io/library/does-not-exist:9: not found";

class Recorder final : public api::EventRecorder {
 public:
  void Record(const api::ObjectReference& object, api::EventType type, std::string reason,
              std::string message) override {
    events.push_back(
        StrCat(type == api::EventType::kNormal ? "Normal " : "Warning ", reason, ": ", message));
    fields.push_back(object.field_path);
  }
  std::vector<std::string> Take() { return std::exchange(events, {}); }

  std::vector<std::string> events;
  std::vector<std::string> fields;
};

// The runtime with what it was asked written down.
class Spy final : public cri::Images {
 public:
  explicit Spy(cri::Images& images) : images_(images) {}
  async::Task<absl::StatusOr<criv1::ListImagesResponse>> ListImages() override {
    return images_.ListImages();
  }
  async::Task<absl::StatusOr<criv1::ImageStatusResponse>> ImageStatus(
      criv1::ImageSpec image) override {
    calls.push_back(StrCat("ImageStatus ", image.ShortDebugString()));
    if (image_status) return image_status();
    return images_.ImageStatus(std::move(image));
  }
  async::Task<absl::StatusOr<std::string>> PullImage(criv1::ImageSpec image, criv1::AuthConfig auth,
                                                     criv1::PodSandboxConfig sandbox) override {
    calls.push_back(StrCat("PullImage ", image.ShortDebugString(), " sandbox ",
                           sandbox.metadata().name(), auth.ByteSizeLong() > 0 ? " auth" : ""));
    most_pulls = std::max(most_pulls, ++pulls);
    Leave leave{this};
    try {
      co_return co_await images_.PullImage(std::move(image), std::move(auth), std::move(sandbox));
    } catch (const boost::system::system_error&) {
      // A gRPC call that is cancelled ends with a status.
      if (!cancels_with_status) throw;
    }
    co_return absl::CancelledError("CANCELLED");
  }
  async::Task<absl::Status> RemoveImage(criv1::ImageSpec image) override {
    return images_.RemoveImage(std::move(image));
  }
  async::Task<absl::StatusOr<criv1::ImageFsInfoResponse>> ImageFsInfo() override {
    return images_.ImageFsInfo();
  }

  std::vector<std::string> calls;
  std::function<async::Task<absl::StatusOr<criv1::ImageStatusResponse>>()> image_status;
  bool cancels_with_status = false;
  int pulls = 0;
  int most_pulls = 0;

 private:
  struct Leave {
    Spy* spy;
    ~Leave() { --spy->pulls; }
  };
  cri::Images& images_;
};

class ManagerTest : public testing::Test {
 protected:
  void Make(Options options = {}) {
    manager_ = std::make_unique<Manager>(*loop_, spy_, recorder_, options);
  }
  void SetUp() override { Make(); }

  static Request MakeRequest(std::string image, std::string policy, std::string uid = "uid-1") {
    auto pod = std::make_shared<v1::Pod>();
    pod->mutable_metadata()->set_uid(uid);
    (*pod->mutable_metadata()->mutable_annotations())["a"] = "b";
    Request request;
    request.pod = pod;
    request.target = {"Pod", "ns", "pod", uid, "spec.containers{main}"};
    request.image = std::move(image);
    request.pull_policy = std::move(policy);
    request.sandbox.mutable_metadata()->set_name("pod");
    request.sandbox.mutable_metadata()->set_uid(uid);
    return request;
  }

  static async::Task<void> Into(Manager* manager, Request request, Result* result,
                                std::vector<std::string>* done) {
    const std::string image = request.image;
    *result = co_await manager->Ensure(std::move(request));
    done->push_back(image);
  }

  // Starts without waiting.
  Result* Begin(Request request) {
    results_.push_back(std::make_unique<Result>());
    scope_.Spawn("ensure", Into(manager_.get(), std::move(request), results_.back().get(), &done_));
    return results_.back().get();
  }
  void Pass(absl::Duration duration) { loop_->RunUntil(loop_->Now() + duration); }

  Result Ensure(Request request) {
    Result* result = Begin(std::move(request));
    Pass(absl::Milliseconds(1));
    EXPECT_EQ(scope_.size(), 0u);
    return *result;
  }

  std::unique_ptr<async::Loop> loop_ = async::Loop::Virtual(kStart, 1);
  fakes::SimRuntime runtime_{*loop_};
  Spy spy_{runtime_};
  Recorder recorder_;
  std::unique_ptr<Manager> manager_;
  async::TaskScope scope_{*loop_, "test"};
  std::vector<std::unique_ptr<Result>> results_;
  std::vector<std::string> done_;
};

TEST_F(ManagerTest, PresentImageIsTaken) {
  const std::string id = runtime_.image_store().Add("busybox:latest");
  const Result result = Ensure(MakeRequest("busybox", "IfNotPresent"));
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.image_ref, id);
  EXPECT_EQ(result.reason, "");
  EXPECT_THAT(recorder_.events,
              ElementsAre("Normal Pulled: Container image \"busybox\" already present on machine "
                          "and can be accessed by the pod"));
  EXPECT_THAT(recorder_.fields, ElementsAre("spec.containers{main}"));
  EXPECT_THAT(spy_.calls,
              ElementsAre("ImageStatus image: \"busybox:latest\" annotations { key: \"a\" value: "
                          "\"b\" }"));
}

TEST_F(ManagerTest, AlwaysDoesNotLook) {
  runtime_.image_store().Add("busybox:latest");
  PullOutcome outcome;
  outcome.bytes = 1234;
  runtime_.image_store().SetPull("busybox", outcome);
  Request request = MakeRequest("busybox:latest", "Always");
  request.runtime_handler = "kata";
  const Result result = Ensure(std::move(request));
  EXPECT_TRUE(result.status.ok());
  const std::string spec =
      "image: \"busybox:latest\" annotations { key: \"a\" value: \"b\" } runtime_handler: \"kata\"";
  // The second one is for the size in the event.
  EXPECT_THAT(spy_.calls, ElementsAre("PullImage " + spec + " sandbox pod", "ImageStatus " + spec));
  EXPECT_THAT(recorder_.events,
              ElementsAre("Normal Pulling: Pulling image \"busybox:latest\"",
                          "Normal Pulled: Successfully pulled image \"busybox:latest\" in 0s (0s "
                          "including waiting). Image size: 1234 bytes."));
}

TEST_F(ManagerTest, PullTimesAreInMilliseconds) {
  PullOutcome slow;
  slow.takes = absl::Microseconds(1234567);
  runtime_.image_store().SetOtherPulls(slow);
  Metrics metrics;
  manager_->SetMetrics(&metrics);
  Begin(MakeRequest("a", "IfNotPresent"));
  Begin(MakeRequest("b", "IfNotPresent"));
  Pass(Seconds(5));
  EXPECT_THAT(recorder_.events,
              testing::Contains("Normal Pulled: Successfully pulled image \"b\" in 1.234s (2.469s "
                                "including waiting). Image size: 4000000 bytes."));
  const std::string text = *metrics.Render("/metrics");
  EXPECT_THAT(text, testing::HasSubstr("kubelet_image_pull_duration_seconds_count{image_size_in_"
                                       "bytes=\"0-10MB\"} 2"));
  EXPECT_THAT(text, testing::HasSubstr("kubelet_image_manager_ensure_image_requests_total{present_"
                                       "locally=\"false\",pull_policy=\"ifnotpresent\",pull_"
                                       "required=\"true\"} 2"));
}

// The recorded pod 16-image-missing, from both of its containers.
TEST_F(ManagerTest, MissingImageAsRecorded) {
  Result result = Ensure(MakeRequest(kImage, "IfNotPresent"));
  EXPECT_EQ(result.reason, "ErrImagePull");
  EXPECT_EQ(Message(result.status), kNotFound);
  EXPECT_EQ(result.retry_at, absl::InfinitePast());
  EXPECT_THAT(
      recorder_.Take(),
      ElementsAre(StrCat("Normal Pulling: Pulling image \"", kImage, "\""),
                  StrCat("Warning Failed: Failed to pull image \"", kImage, "\": ", kNotFound)));

  const absl::Time failed_at = loop_->Now();
  result = Ensure(MakeRequest(kImage, "IfNotPresent"));
  EXPECT_EQ(result.reason, "ImagePullBackOff");
  EXPECT_EQ(Message(result.status),
            StrCat("Back-off pulling image \"", kImage, "\": ErrImagePull: ", kNotFound));
  EXPECT_GT(result.retry_at, failed_at + Seconds(9));
  EXPECT_LE(result.retry_at, failed_at + Seconds(10));
  EXPECT_THAT(recorder_.Take(),
              ElementsAre(StrCat("Normal BackOff: Back-off pulling image \"", kImage, "\"")));

  result = Ensure(MakeRequest("docker.io/library/absent:1", "Never"));
  const std::string never =
      "Container image \"docker.io/library/absent:1\" is not present with pull policy of Never";
  EXPECT_EQ(result.reason, "ErrImageNeverPull");
  EXPECT_EQ(Message(result.status), never);
  EXPECT_THAT(recorder_.Take(), ElementsAre("Warning ErrImageNeverPull: " + never));

  EXPECT_EQ(spy_.calls.size(), 4u);  // ImageStatus, PullImage; ImageStatus; ImageStatus
  EXPECT_THAT(spy_.calls[1], testing::StartsWith("PullImage"));
}

TEST_F(ManagerTest, BackOffDoublesEndsAndIsOfThePodAlone) {
  const Request request = MakeRequest(kImage, "IfNotPresent");
  EXPECT_EQ(Ensure(request).reason, "ErrImagePull");
  for (const int seconds : {10, 20, 40}) {
    EXPECT_EQ(Ensure(request).reason, "ImagePullBackOff") << seconds;
    Pass(Seconds(seconds) - absl::Milliseconds(3));
    EXPECT_EQ(Ensure(request).reason, "ImagePullBackOff") << seconds;
    Pass(absl::Milliseconds(2));
    EXPECT_EQ(Ensure(request).reason, "ErrImagePull") << seconds;
  }
  EXPECT_EQ(Ensure(MakeRequest(kImage, "IfNotPresent", "uid-2")).reason, "ErrImagePull");
  manager_->ForgetPod("uid-1");
  EXPECT_EQ(Ensure(request).reason, "ErrImagePull");
}

// A try under way has no previous error to tell; whoever asks meanwhile is not held back.
TEST_F(ManagerTest, ASecondAskerDuringAPullPullsToo) {
  Make({.serialize_pulls = false});
  PullOutcome slow;
  slow.takes = Seconds(5);
  runtime_.image_store().SetOtherPulls(slow);
  Result* first = Begin(MakeRequest("a", "IfNotPresent"));
  Pass(Seconds(1));
  Result* second = Begin(MakeRequest("a", "IfNotPresent"));
  Pass(Seconds(10));
  EXPECT_TRUE(first->status.ok());
  EXPECT_TRUE(second->status.ok());
  EXPECT_EQ(spy_.most_pulls, 2);
}

TEST_F(ManagerTest, InvalidNameIsNotAskedFor) {
  const Result result = Ensure(MakeRequest("Alpine:3", "Always"));
  const std::string message =
      "Failed to apply default image tag \"Alpine:3\": couldn't parse image name \"Alpine:3\": "
      "invalid reference format: repository name (library/Alpine) must be lowercase";
  EXPECT_EQ(result.reason, "InvalidImageName");
  EXPECT_EQ(Message(result.status), message);
  EXPECT_THAT(recorder_.events, ElementsAre("Warning InspectFailed: " + message));
  EXPECT_THAT(spy_.calls, IsEmpty());
}

TEST_F(ManagerTest, InspectionErrors) {
  runtime_.faults().Script("ImageStatus", Fault::Before(absl::UnavailableError("gone")));
  Result result = Ensure(MakeRequest("a", "Never"));
  EXPECT_EQ(result.reason, "ImageInspectError");
  EXPECT_EQ(Message(result.status),
            "Failed to inspect image \"\": rpc error: code = Unavailable desc = gone");
  EXPECT_THAT(recorder_.Take(),
              ElementsAre("Warning InspectFailed: Failed to inspect image \"\": rpc error: code = "
                          "Unavailable desc = gone"));

  // A runtime that tells nothing of use about an image.
  spy_.image_status = []() -> async::Task<absl::StatusOr<criv1::ImageStatusResponse>> {
    criv1::ImageStatusResponse response;
    response.mutable_image()->set_id("sha256:1");
    co_return response;
  };
  result = Ensure(MakeRequest("a", "IfNotPresent"));
  EXPECT_EQ(result.reason, "ImageInspectError");
  EXPECT_EQ(Message(result.status),
            "Failed to inspect image \"\": Id or size of image \"a:latest\" is not set");
}

TEST_F(ManagerTest, ReasonsOfTheRuntime) {
  PullOutcome outcome;
  outcome.error = absl::UnknownError("RegistryUnavailable: 503");
  runtime_.image_store().SetOtherPulls(outcome);
  Result result = Ensure(MakeRequest("a:1", "IfNotPresent"));
  EXPECT_EQ(result.reason, "RegistryUnavailable");
  EXPECT_EQ(Message(result.status),
            "image pull failed for a:1 because the registry is unavailable: 503");
  EXPECT_EQ(recorder_.events.back(),
            "Warning Failed: Failed to pull image \"a:1\": RegistryUnavailable: 503");
  result = Ensure(MakeRequest("a:1", "IfNotPresent"));
  EXPECT_EQ(Message(result.status),
            "Back-off pulling image \"a:1\": RegistryUnavailable: image pull failed for a:1 "
            "because the registry is unavailable: 503");
}

TEST_F(ManagerTest, SizeIsForTheEventOnly) {
  runtime_.image_store().SetOtherPulls({});
  runtime_.faults().Script("ImageStatus", Fault());
  runtime_.faults().Script("ImageStatus", Fault::Before());
  const Result result = Ensure(MakeRequest("a", "IfNotPresent"));
  EXPECT_TRUE(result.status.ok());
  EXPECT_THAT(recorder_.events.back(), testing::EndsWith("Image size: 0 bytes."));
}

TEST_F(ManagerTest, SerializedPullsGoInOrder) {
  PullOutcome slow;
  slow.takes = Seconds(10);
  PullOutcome fast;
  fast.takes = Seconds(1);
  runtime_.image_store().SetOtherPulls(fast);
  runtime_.image_store().SetPull("slow", slow);
  Begin(MakeRequest("slow", "Always"));
  for (int i = 0; i < 5; ++i) Begin(MakeRequest(StrCat("fast", i), "Always"));
  Pass(absl::Seconds(12.5));
  EXPECT_THAT(done_, ElementsAre("slow", "fast0", "fast1"));
  Pass(Seconds(10));
  EXPECT_THAT(done_, ElementsAre("slow", "fast0", "fast1", "fast2", "fast3", "fast4"));
  EXPECT_EQ(spy_.most_pulls, 1);
}

TEST_F(ManagerTest, ParallelPullsUpToTheLimit) {
  Make({.serialize_pulls = false, .max_parallel_pulls = 3});
  PullOutcome outcome;
  outcome.takes = Seconds(1);
  runtime_.image_store().SetOtherPulls(outcome);
  // Three end in the same turn: all three places must be taken again.
  for (int i = 0; i < 9; ++i) Begin(MakeRequest(StrCat("image", i), "Always"));
  Pass(absl::Milliseconds(3500));
  EXPECT_EQ(done_.size(), 9u);
  EXPECT_EQ(spy_.most_pulls, 3);
}

TEST_F(ManagerTest, ParallelPullsWithoutALimit) {
  Make({.serialize_pulls = false});
  PullOutcome outcome;
  outcome.takes = Seconds(1);
  runtime_.image_store().SetOtherPulls(outcome);
  for (int i = 0; i < 9; ++i) Begin(MakeRequest(StrCat("image", i), "Always"));
  Pass(absl::Milliseconds(1500));
  EXPECT_EQ(spy_.most_pulls, 9);
  EXPECT_EQ(done_.size(), 9u);
}

TEST_F(ManagerTest, RateLimitFailsAtOnceAndBacksOff) {
  Make({.serialize_pulls = false, .registry_pull_qps = 1, .registry_burst = 2});
  runtime_.image_store().SetOtherPulls({});
  for (int i = 0; i < 3; ++i) Begin(MakeRequest(StrCat("image", i), "Always"));
  Pass(absl::Milliseconds(1));
  EXPECT_TRUE(results_[1]->status.ok());
  EXPECT_EQ(results_[2]->reason, "ErrImagePull");
  EXPECT_EQ(Message(results_[2]->status), "pull QPS exceeded");
  EXPECT_THAT(recorder_.events,
              testing::Contains("Warning Failed: Failed to pull image \"image2\": pull QPS "
                                "exceeded"));
  EXPECT_EQ(Ensure(MakeRequest("image2", "Always")).reason, "ImagePullBackOff");
}

TEST_F(ManagerTest, CancellingTheAskerCancelsThePullAndFreesItsTurn) {
  PullOutcome endless;
  endless.takes = absl::InfiniteDuration();
  runtime_.image_store().SetPull("endless", endless);
  runtime_.image_store().SetPull("next", {});
  Begin(MakeRequest("endless", "Always"));
  Begin(MakeRequest("next", "Always"));
  Pass(absl::Hours(1));
  EXPECT_THAT(done_, IsEmpty());
  scope_.Cancel(1);
  Pass(Seconds(1));
  EXPECT_THAT(done_, ElementsAre("next"));
  EXPECT_EQ(spy_.pulls, 0);
}

TEST_F(ManagerTest, ACancelledPullIsNoFailure) {
  spy_.cancels_with_status = true;
  PullOutcome endless;
  endless.takes = absl::InfiniteDuration();
  runtime_.image_store().SetPull("endless", endless);
  Begin(MakeRequest("endless", "Always"));
  Pass(Seconds(1));
  scope_.Cancel(1);
  Pass(Seconds(1));
  EXPECT_EQ(scope_.size(), 0u);
  EXPECT_THAT(done_, IsEmpty());
  EXPECT_THAT(recorder_.Take(), ElementsAre("Normal Pulling: Pulling image \"endless\""));
  // A runtime that cancels by itself has failed.
  PullOutcome cancelled;
  cancelled.error = absl::CancelledError("context canceled");
  runtime_.image_store().SetPull("endless", cancelled);
  EXPECT_EQ(Message(Ensure(MakeRequest("endless", "Always")).status),
            "rpc error: code = Canceled desc = context canceled");
}

}  // namespace
}  // namespace cubelet::images
