#include "kube/event_recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/codec.h"
#include "api/yaml.h"
#include "base/strings.h"
#include "kube/object_codec.h"

namespace cubelet::kube {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr char kEvents[] = "/api/v1/namespaces/default/events";

// Says what the test has it say, and remembers what was asked.
class ScriptedServer final : public Client {
 public:
  explicit ScriptedServer(async::Loop& loop) : loop_(loop) {}

  async::Task<absl::StatusOr<Answer>> Do(Request request) override {
    co_await loop_.Sleep(answer_time);
    asked.push_back(StrCat(request.method, " ", request.path));
    times.push_back(loop_.Monotonic());
    const bool is_patch = request.method == "PATCH";
    if (cut_off) co_return absl::UnavailableError("connection refused");
    requests.push_back(std::move(request));
    const std::optional<metav1::Status>& refusal = is_patch ? patch_refusal : post_refusal;
    if (!refusal) co_return Answer{is_patch ? 200 : 201, kProtobufType, "", {}};
    co_return Answer{refusal->code(), kProtobufType, EncodeObject(*refusal, "v1", "Status"), {}};
  }
  async::Task<absl::StatusOr<std::unique_ptr<WatchStream>>> Watch(Request) override {
    co_return absl::UnimplementedError("no watch");
  }
  void CloseConnections() override {}
  void RetireConnections() override {}

  v1::Event Posted(size_t index) {
    v1::Event event;
    const Request& request = requests.at(index);
    EXPECT_TRUE(DecodeObject({request.content_type, request.body}, event, "v1", "Event").ok());
    return event;
  }

  bool cut_off = false;
  std::optional<metav1::Status> post_refusal, patch_refusal;
  absl::Duration answer_time = absl::Milliseconds(1);
  std::vector<std::string> asked;
  std::vector<absl::Duration> times;
  std::vector<Request> requests;  // that were answered

 private:
  async::Loop& loop_;
};

class Log final : public api::EventRecorder {
 public:
  void Record(const api::ObjectReference&, api::EventType, std::string reason,
              std::string) override {
    reasons.push_back(std::move(reason));
  }
  std::vector<std::string> reasons;
};

metav1::Status Refusal(int code, std::string reason, std::string cause = "") {
  metav1::Status status;
  status.set_status("Failure");
  status.set_code(code);
  status.set_reason(reason);
  status.set_message("refused");
  if (!cause.empty()) status.mutable_details()->add_causes()->set_reason(cause);
  return status;
}

class EventRecorderTest : public testing::Test {
 protected:
  EventRecorderTest()
      : loop_(async::Loop::Virtual(absl::FromUnixSeconds(1795481722), 7)),
        server_(*loop_),
        recorder_(*loop_, &server_, "lab", log_, metrics_),
        scope_(*loop_, "test") {
    recorder_.Start(scope_);
  }
  ~EventRecorderTest() override {
    scope_.CancelAll();
    Advance(absl::Seconds(1));
  }

  void Record(std::string message, std::string pod = "web") {
    const api::ObjectReference object{
        .kind = "Pod", .name_space = "default", .name = std::move(pod), .uid = "uid"};
    recorder_.Record(object, api::EventType::kNormal, "Created", std::move(message));
  }
  void Advance(absl::Duration time) { loop_->RunUntil(loop_->Now() + time); }
  std::string Dropped(const std::string& reason) {
    const std::string text = *metrics_.Render("/metrics");
    const std::string series = StrCat("cubelet_events_dropped_total{reason=\"", reason, "\"} ");
    const size_t at = text.find(series);
    if (at == std::string::npos) return "";
    const size_t value = at + series.size();
    return text.substr(value, text.find('\n', value) - value);
  }

  std::unique_ptr<async::Loop> loop_;
  Metrics metrics_;
  Log log_;
  ScriptedServer server_;
  EventRecorder recorder_;
  async::TaskScope scope_;
};

TEST_F(EventRecorderTest, PostsTheFirstAndPatchesTheNext) {
  Record("one");
  Record("two");
  Record("one");
  EXPECT_THAT(server_.asked, SizeIs(0));  // nobody has waited for anything
  EXPECT_THAT(log_.reasons, SizeIs(3));
  Advance(absl::Seconds(1));
  const std::string post = StrCat("POST ", kEvents);
  const std::string name = server_.Posted(0).metadata().name();
  ASSERT_THAT(server_.asked, ElementsAre(post, post, StrCat("PATCH ", kEvents, "/", name)));
  EXPECT_EQ(server_.Posted(0).involvedobject().uid(), "uid");
  EXPECT_EQ(server_.Posted(1).message(), "two");
  EXPECT_EQ(server_.requests[2].content_type, "application/strategic-merge-patch+json");
  EXPECT_EQ(server_.requests[2].body,
            R"({"count":2,"lastTimestamp":"2026-11-24T00:55:22Z","message":"one"})");
  // Recorded at the same time, and still of different names.
  EXPECT_NE(server_.Posted(1).metadata().name(), name);
}

TEST_F(EventRecorderTest, PostsAnewWhatTheServerHasForgotten) {
  Record("one");
  Advance(absl::Hours(2));
  server_.patch_refusal = Refusal(404, "NotFound");
  Record("one");
  Advance(absl::Seconds(1));
  ASSERT_THAT(server_.requests, SizeIs(3));
  const v1::Event again = server_.Posted(2);
  EXPECT_EQ(again.count(), 2);
  EXPECT_EQ(again.metadata().name(), server_.Posted(0).metadata().name());
  EXPECT_EQ(again.lasttimestamp().seconds(), again.firsttimestamp().seconds() + 7200);
}

TEST_F(EventRecorderTest, TriesTwelveTimesThenGoesOn) {
  server_.cut_off = true;
  Record("one");
  Record("two");
  Advance(absl::Seconds(125));
  ASSERT_GE(server_.times.size(), 12u);
  EXPECT_LT(server_.times[1] - server_.times[0], absl::Seconds(10));
  for (size_t i = 2; i < 12; ++i)
    EXPECT_NEAR(absl::ToDoubleSeconds(server_.times[i] - server_.times[i - 1]), 10, 0.1);
  EXPECT_EQ(Dropped("no_answer"), "1");
  server_.cut_off = false;
  Advance(absl::Seconds(20));
  ASSERT_THAT(server_.requests, SizeIs(1));
  EXPECT_EQ(server_.Posted(0).message(), "two");
  EXPECT_EQ(Dropped("no_answer"), "1");
}

TEST_F(EventRecorderTest, WhatIsRefusedIsDropped) {
  server_.post_refusal = Refusal(403, "Forbidden");
  Record("one");
  Advance(absl::Seconds(30));
  EXPECT_THAT(server_.asked, SizeIs(1));
  EXPECT_EQ(Dropped("refused"), "1");
  server_.post_refusal = Refusal(403, "Forbidden", "NamespaceTerminating");
  Record("two");
  Advance(absl::Seconds(30));
  EXPECT_EQ(Dropped("refused"), "2");
  // The answer to an earlier try was lost: it is there.
  server_.post_refusal = Refusal(409, "AlreadyExists");
  Record("three");
  Advance(absl::Seconds(30));
  EXPECT_THAT(server_.asked, SizeIs(3));
  EXPECT_EQ(Dropped("refused"), "2");
}

TEST_F(EventRecorderTest, NamesThatNoServerTakesHoldNothingUp) {
  recorder_.Record({.kind = "Pod", .name_space = "..", .name = "web"}, api::EventType::kNormal,
                   "Created", "one");
  Record("two");
  Advance(absl::Seconds(1));
  ASSERT_THAT(server_.requests, SizeIs(1));
  EXPECT_EQ(server_.Posted(0).message(), "two");
  EXPECT_EQ(Dropped("refused"), "1");
}

TEST_F(EventRecorderTest, AFullQueueDropsWhatIsNew) {
  server_.answer_time = absl::Hours(1);
  Record("first");
  Advance(absl::Seconds(1));  // on its way, no longer in the queue
  for (size_t i = 0; i < EventRecorder::kMaxQueued + 5; ++i) Record("more", StrCat("pod-", i));
  EXPECT_THAT(log_.reasons, SizeIs(EventRecorder::kMaxQueued + 6));
  EXPECT_EQ(Dropped("queue_full"), "5");
  server_.answer_time = absl::Milliseconds(1);
  Advance(absl::Hours(2));
  EXPECT_THAT(server_.requests, SizeIs(EventRecorder::kMaxQueued + 1));
  EXPECT_THAT(server_.Posted(EventRecorder::kMaxQueued).metadata().name(), HasSubstr("pod-999."));
}

TEST_F(EventRecorderTest, CountsWhatTheFilterHoldsBack) {
  for (int i = 0; i < 30; ++i) Record("one");
  Advance(absl::Seconds(1));
  EXPECT_THAT(server_.asked, SizeIs(25));
  EXPECT_EQ(Dropped("too_many_of_object"), "5");
  EXPECT_THAT(log_.reasons, SizeIs(30));
}

TEST_F(EventRecorderTest, AnIdleOneHasNoTimer) {
  Record("one");
  Advance(absl::Seconds(1));
  EXPECT_FALSE(loop_->RunOne(loop_->Now() + absl::Hours(24)));
}

}  // namespace
}  // namespace cubelet::kube
