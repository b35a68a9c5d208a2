#include "kube/reflector.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "async/scope.h"
#include "base/strings.h"
#include "kube/errors.h"

namespace cubelet::kube {
namespace {

std::shared_ptr<v1::Pod> Pod(std::string name, std::string version) {
  auto pod = std::make_shared<v1::Pod>();
  pod->mutable_metadata()->set_name(std::move(name));
  pod->mutable_metadata()->set_resourceversion(std::move(version));
  return pod;
}

WatchEvent Event(std::string type, const v1::Pod& pod) {
  return {std::move(type), {kProtobufType, EncodeObject(pod, "v1", "Pod")}};
}

WatchEvent Bookmark(std::string version, bool end) {
  auto pod = Pod("", std::move(version));
  if (end) (*pod->mutable_metadata()->mutable_annotations())["k8s.io/initial-events-end"] = "true";
  return Event("BOOKMARK", *pod);
}

metav1::Status Refusal(int code, std::string reason) {
  metav1::Status status;
  status.set_status("Failure");
  status.set_code(code);
  status.set_reason(std::move(reason));
  return status;
}

WatchEvent Error(int code, std::string reason) {
  return {"ERROR", {kProtobufType, EncodeObject(Refusal(code, std::move(reason)), "v1", "Status")}};
}

// What a watch will say, one after the other; then it stays silent unless it is to end.
struct Script {
  absl::Status refused;
  std::vector<WatchEvent> events;
  absl::Status end;  // OK: it stays
};

class ScriptedStream final : public WatchStream {
 public:
  ScriptedStream(async::Loop& loop, Script script) : loop_(loop), script_(std::move(script)) {}

  async::Task<absl::StatusOr<WatchEvent>> Next() override {
    co_await loop_.Sleep(absl::Milliseconds(10));
    if (next_ < script_.events.size()) co_return script_.events[next_++];
    if (script_.end.ok()) co_await loop_.Sleep(absl::InfiniteDuration());
    co_return script_.end;
  }

 private:
  async::Loop& loop_;
  const Script script_;
  size_t next_ = 0;
};

class ScriptedClient final : public Client {
 public:
  explicit ScriptedClient(async::Loop& loop) : loop_(loop) {}

  async::Task<absl::StatusOr<Answer>> Do(Request request) override {
    co_await loop_.Sleep(absl::Milliseconds(1));
    Note("list", request);
    if (lists.empty()) co_return Answer{500, "text/plain", "", {}};
    Answer answer = lists.front();
    lists.pop_front();
    co_return answer;
  }

  async::Task<absl::StatusOr<std::unique_ptr<WatchStream>>> Watch(Request request) override {
    co_await loop_.Sleep(absl::Milliseconds(1));
    Note("watch", request);
    Script script;
    if (!watches.empty()) {
      script = watches.front();
      watches.pop_front();
    }
    if (!script.refused.ok()) co_return script.refused;
    co_return std::make_unique<ScriptedStream>(loop_, std::move(script));
  }

  void CloseConnections() override {}
  void RetireConnections() override {}

  std::deque<Answer> lists;
  std::deque<Script> watches;
  std::vector<std::string> asked;  // "list rv=0", "watch initial", "watch rv=7"
  std::vector<absl::Duration> times;
  std::vector<Request> requests;

 private:
  void Note(const std::string& what, const Request& request) {
    std::map<std::string, std::string> query(request.query.begin(), request.query.end());
    const bool initial = query.contains("sendInitialEvents");
    asked.push_back(what + (initial ? " initial" : " rv=" + query["resourceVersion"]));
    times.push_back(loop_.Monotonic());
    requests.push_back(request);
  }

  async::Loop& loop_;
};

Answer ListOf(std::vector<std::shared_ptr<v1::Pod>> pods, std::string version) {
  v1::PodList list;
  list.mutable_metadata()->set_resourceversion(std::move(version));
  for (const auto& pod : pods) *list.add_items() = *pod;
  return {200, kProtobufType, EncodeObject(list, "v1", "PodList"), {}};
}

absl::Status Ended() { return absl::OutOfRangeError("ended"); }

class ReflectorTest : public testing::Test {
 protected:
  ReflectorTest()
      : loop_(async::Loop::Virtual(absl::UnixEpoch(), 7)),
        client_(*loop_),
        scope_(*loop_, "test") {}
  ~ReflectorTest() override {
    if (reflector_ == nullptr) return;
    scope_.CancelAll();
    loop_->RunUntil(loop_->Now() + absl::Seconds(1));
  }

  void Start(ReflectorOptions options = {}) {
    reflector_ = std::make_unique<Reflector<v1::Pod>>(
        *loop_, &client_, std::move(options),
        ReflectorHandler<v1::Pod>{
            .on_replace =
                [this](const std::vector<std::shared_ptr<const v1::Pod>>& pods) {
                  std::string names = "=";
                  for (const auto& pod : pods) StrAppend(&names, " ", pod->metadata().name());
                  seen_.push_back(names);
                },
            .on_change =
                [this](Change change, const std::shared_ptr<const v1::Pod>& pod) {
                  const std::string_view signs[] = {"+", "~", "-"};
                  seen_.push_back(StrCat(signs[static_cast<int>(change)], pod->metadata().name()));
                }});
    scope_.Spawn("reflector", reflector_->Run());
  }

  void RunFor(absl::Duration duration) { loop_->RunUntil(loop_->Now() + duration); }

  using Lines = std::vector<std::string>;
  std::unique_ptr<async::Loop> loop_;
  ScriptedClient client_;
  async::TaskScope scope_;
  std::unique_ptr<Reflector<v1::Pod>> reflector_;
  Lines seen_;
};

TEST_F(ReflectorTest, StreamsTheListThenItsChanges) {
  client_.watches.push_back(
      {.events = {Event("ADDED", *Pod("a", "3")), Event("ADDED", *Pod("b", "2")),
                  Bookmark("5", true), Event("ADDED", *Pod("c", "6")),
                  Event("MODIFIED", *Pod("a", "7")), Event("DELETED", *Pod("b", "8")),
                  Bookmark("20", false)}});
  Start({.field_selector = "spec.nodeName=lab"});
  RunFor(absl::Milliseconds(25));
  EXPECT_FALSE(reflector_->synced());
  EXPECT_EQ(seen_, Lines{});
  RunFor(absl::Seconds(1));
  EXPECT_TRUE(reflector_->synced());
  EXPECT_EQ(seen_, (Lines{"= a b", "+c", "~a", "-b"}));
  EXPECT_EQ(client_.asked, Lines{"watch initial"});
  const Request& request = client_.requests[0];
  EXPECT_EQ(request.path, "/api/v1/pods");
  std::map<std::string, std::string> query(request.query.begin(), request.query.end());
  const int seconds = std::stoi(query["timeoutSeconds"]);
  EXPECT_TRUE(seconds >= 300 && seconds < 600) << seconds;
  EXPECT_EQ(query["timeout"], FormatGoDuration(absl::Seconds(seconds)));
  EXPECT_EQ(query["fieldSelector"], "spec.nodeName=lab");
  EXPECT_EQ(query["allowWatchBookmarks"], "true");
  EXPECT_EQ(query["resourceVersionMatch"], "NotOlderThan");
}

TEST_F(ReflectorTest, AWatchThatEndsIsTakenUpAtOnceWhereItWas) {
  client_.watches.push_back(
      {.events = {Bookmark("5", true), Bookmark("9", false)}, .end = Ended()});
  client_.watches.push_back({.events = {Event("ADDED", *Pod("a", "11"))}, .end = Ended()});
  Start();
  RunFor(absl::Milliseconds(200));
  EXPECT_EQ(client_.asked, (Lines{"watch initial", "watch rv=9", "watch rv=11"}));
  EXPECT_EQ(seen_, (Lines{"=", "+a"}));
}

TEST_F(ReflectorTest, AConnectionThatWeHaveReplacedIsNoFailure) {
  client_.watches.push_back(
      {.events = {Bookmark("5", true)}, .end = absl::AbortedError("replaced")});
  Start();
  RunFor(absl::Milliseconds(100));
  EXPECT_EQ(client_.asked, (Lines{"watch initial", "watch rv=5"}));
  EXPECT_TRUE(reflector_->last_error().ok());
}

TEST_F(ReflectorTest, WithoutStreamingItListsAndWatches) {
  client_.watches.push_back({.refused = ToStatus(Refusal(422, "Invalid"))});
  client_.lists.push_back(ListOf({Pod("a", "3"), Pod("b", "4")}, "7"));
  client_.watches.push_back({.events = {Event("DELETED", *Pod("a", "8"))}});
  Start();
  RunFor(absl::Milliseconds(100));
  EXPECT_EQ(client_.asked, (Lines{"watch initial", "list rv=0", "watch rv=7"}));
  EXPECT_EQ(seen_, (Lines{"= a b", "-a"}));
}

TEST_F(ReflectorTest, AVersionThatIsGoneMeansANewList) {
  client_.lists.push_back(ListOf({Pod("a", "3")}, "7"));
  client_.watches.push_back({.events = {Error(410, "Expired")}});
  client_.lists.push_back(ListOf({Pod("b", "30")}, "31"));
  client_.watches.push_back({.events = {Bookmark("32", false)}});
  Start({.streaming_list = false});
  RunFor(absl::Seconds(2));
  // The second list must be newer than what the server's cache may hold.
  EXPECT_EQ(client_.asked, (Lines{"list rv=0", "watch rv=7", "list rv=", "watch rv=31"}));
  EXPECT_EQ(seen_, (Lines{"= a", "= b"}));
  EXPECT_TRUE(reflector_->last_error().ok());
}

TEST_F(ReflectorTest, GoneWhileStreamingStreamsAnew) {
  client_.watches.push_back(
      {.events = {Event("ADDED", *Pod("a", "1")), Bookmark("5", true)}, .end = Ended()});
  client_.watches.push_back({.refused = ToStatus(Refusal(410, "Gone"))});
  client_.watches.push_back({.events = {Event("ADDED", *Pod("b", "6")), Bookmark("9", true)}});
  Start();
  RunFor(absl::Seconds(3));
  EXPECT_EQ(client_.asked, (Lines{"watch initial", "watch rv=5", "watch initial"}));
  EXPECT_EQ(seen_, (Lines{"= a", "= b"}));
}

TEST_F(ReflectorTest, AStreamedListThatBreaksOffIsNotHandedOut) {
  client_.watches.push_back(
      {.events = {Event("ADDED", *Pod("a", "1"))}, .end = absl::UnavailableError("cut")});
  client_.watches.push_back({.events = {Event("ADDED", *Pod("b", "2")), Bookmark("5", true)}});
  Start();
  RunFor(absl::Seconds(3));
  EXPECT_EQ(client_.asked, (Lines{"watch initial", "watch initial"}));
  EXPECT_EQ(seen_, (Lines{"= b"}));
}

TEST_F(ReflectorTest, BacksOffAndForgets) {
  for (int i = 0; i < 8; ++i)
    client_.watches.push_back({.refused = absl::UnavailableError("down")});
  client_.watches.push_back(
      {.events = {Bookmark("5", true)}, .end = absl::UnavailableError("cut")});
  Start();
  RunFor(absl::Minutes(10));
  ASSERT_GE(client_.times.size(), 10);
  const double base[] = {0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30};
  for (int i = 0; i < 8; ++i) {
    const double waited = absl::ToDoubleSeconds(client_.times[i + 1] - client_.times[i]);
    EXPECT_GE(waited, base[i]) << i;
    EXPECT_LE(waited, base[i] * 2 + 0.1) << i;
  }
}

TEST_F(ReflectorTest, AfterTwoQuietMinutesTheBackoffBeginsAnew) {
  for (int i = 0; i < 6; ++i)
    client_.watches.push_back({.refused = absl::UnavailableError("down")});
  std::vector<WatchEvent> events = {Bookmark("5", true)};
  for (int i = 0; i < 18'000; ++i) events.push_back(Bookmark("6", false));  // three minutes
  client_.watches.push_back({.events = events, .end = absl::UnavailableError("cut")});
  Start();
  RunFor(absl::Minutes(6));
  ASSERT_GE(client_.times.size(), 8);
  const absl::Duration waited =
      client_.times[7] - client_.times[6] - absl::Milliseconds(10) * 18'002;
  EXPECT_LE(waited, absl::Seconds(2));
}

TEST_F(ReflectorTest, AWatchThatEndsWithoutAWordIsAFailure) {
  client_.lists.push_back(ListOf({}, "7"));
  for (int i = 0; i < 50; ++i) client_.watches.push_back({.end = Ended()});
  Start({.streaming_list = false});
  RunFor(absl::Seconds(10));
  EXPECT_LT(client_.asked.size(), 8);
  EXPECT_EQ(client_.asked[1], "watch rv=7");
}

TEST_F(ReflectorTest, EventsThatMakeNoSenseMeanANewList) {
  client_.lists.push_back(ListOf({}, "7"));
  client_.watches.push_back({.events = {{"ADDED", {kProtobufType, "k8s"}}}});
  client_.lists.push_back(ListOf({}, "8"));
  client_.watches.push_back({.events = {Event("ADDED", *Pod("a", ""))}});
  client_.lists.push_back(ListOf({}, "9"));
  Start({.streaming_list = false});
  RunFor(absl::Seconds(10));
  EXPECT_EQ(client_.asked, (Lines{"list rv=0", "watch rv=7", "list rv=0", "watch rv=8", "list rv=0",
                                  "watch rv=9"}));
}

TEST_F(ReflectorTest, AServerThatForgetsToEndTheWatchIsLeft) {
  client_.watches.push_back({.events = {Bookmark("5", true)}});
  Start({.min_watch_timeout = absl::Minutes(1)});
  RunFor(absl::Minutes(3));
  EXPECT_EQ(client_.asked, (Lines{"watch initial", "watch rv=5"}));
}

TEST_F(ReflectorTest, WaitsAsLongAsTheServerAsks) {
  metav1::Status busy = Refusal(429, "TooManyRequests");
  busy.mutable_details()->set_retryafterseconds(20);
  client_.watches.push_back({.refused = ToStatus(busy)});
  Start();
  RunFor(absl::Seconds(30));
  ASSERT_EQ(client_.times.size(), 2);
  EXPECT_GE(client_.times[1] - client_.times[0], absl::Seconds(20));
}

}  // namespace
}  // namespace cubelet::kube
