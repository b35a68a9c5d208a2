// What watches see.
#include "fakes/api_server/watch.h"

#include <gtest/gtest.h>

#include <boost/json/value.hpp>
#include <sstream>

#include "base/strings.h"
#include "fakes/api_server/test_request.h"
#include "k8s.io/apimachinery/pkg/runtime/generated.pb.h"

namespace cubelet::fakes {
namespace {

class WatchTest : public FakeApiTest {
 protected:
  std::shared_ptr<BodyStream> Watch(const std::string& query) {
    const ApiAnswer answer = Ask("GET", StrCat(kPods, "?watch=true&", query));
    EXPECT_EQ(answer.code, 200);
    return answer.stream;
  }

  // "ADDED web, BOOKMARK": what waits in a watch.
  static std::string Taken(BodyStream& watch) {
    std::string text;
    std::istringstream lines(watch.Take());
    for (std::string line; std::getline(lines, line);) {
      const boost::json::value event = *api::ParseJson(line);
      const boost::json::value& object = event.at("object");
      if (!text.empty()) text += ", ";
      text += event.at("type").as_string().c_str();
      if (object.at("kind") == "Status") {
        StrAppend(&text, " ", object.at("code").as_int64());
      } else if (object.at("metadata").as_object().contains("name")) {
        StrAppend(&text, " ", object.at("metadata").at("name").as_string().c_str());
      }
    }
    return text;
  }

  std::string Version() { return std::to_string(api_.store().version()); }
};

TEST_F(WatchTest, FollowsOneObjectThroughItsLife) {
  const auto watch = Watch("resourceVersion=" + Version());
  CreatePod("web");
  ASSERT_TRUE(api_.objects().Bind("default", "web", "lab").ok());
  ASSERT_TRUE(api_.Delete<v1::Pod>("default", "web", {.grace_period_seconds = 0}).ok());
  EXPECT_EQ(Taken(*watch), "ADDED web, MODIFIED web, DELETED web");
}

TEST_F(WatchTest, BeginsWithWhatIsThereWithoutAVersion) {
  CreatePod("web");
  EXPECT_EQ(Taken(*Watch("")), "ADDED web");
  EXPECT_EQ(Taken(*Watch("resourceVersion=0")), "ADDED web");
}

TEST_F(WatchTest, CatchesUpFromAnOlderVersion) {
  const std::string version = Version();
  CreatePod("web");
  CreatePod("db");
  EXPECT_EQ(Taken(*Watch("resourceVersion=" + version)), "ADDED web, ADDED db");
}

TEST_F(WatchTest, SeesObjectsComeIntoItsSelectionAndLeaveIt) {
  const auto watch = Watch("resourceVersion=" + Version() + "&fieldSelector=spec.nodeName%3Dlab");
  CreatePod("web");
  EXPECT_EQ(Taken(*watch), "");
  ASSERT_TRUE(api_.objects().Bind("default", "web", "lab").ok());
  EXPECT_EQ(Taken(*watch), "ADDED web");
  v1::Pod pod = *api_.Get<v1::Pod>("default", "web");
  pod.mutable_spec()->set_nodename("other");
  ASSERT_TRUE(api_.Update(pod).ok());
  EXPECT_EQ(Taken(*watch), "DELETED web");
}

TEST_F(WatchTest, StreamsTheInitialListAndMarksItsEnd) {
  CreatePod("web");
  const ApiAnswer answer =
      Ask("GET", StrCat(kPods,
                        "?watch=1&sendInitialEvents=true&allowWatchBookmarks=true"
                        "&resourceVersionMatch=NotOlderThan"));
  const std::string frames = answer.stream->Take();
  EXPECT_NE(frames.find(R"("type":"ADDED")"), std::string::npos);
  EXPECT_NE(frames.find(R"("k8s.io/initial-events-end":"true")"), std::string::npos);
}

TEST_F(WatchTest, GetsBookmarksWhenItAskedForThem) {
  const auto with = Watch("resourceVersion=" + Version() + "&allowWatchBookmarks=true");
  const auto without = Watch("resourceVersion=" + Version());
  api_.objects().SendBookmarks();
  EXPECT_EQ(Taken(*with), "BOOKMARK");
  EXPECT_EQ(Taken(*without), "");
}

TEST_F(WatchTest, IsToldThatItsVersionIsGone) {
  const std::string version = Version();
  CreatePod("web");
  api_.store().Compact();
  const auto watch = Watch("resourceVersion=" + version);
  EXPECT_EQ(Taken(*watch), "ERROR 410");
  EXPECT_TRUE(watch->ended());
}

TEST_F(WatchTest, CanBeEndedAndExpired) {
  const auto ended = Watch("resourceVersion=" + Version());
  api_.objects().EndWatches("pods");
  EXPECT_TRUE(ended->ended());
  const auto expired = Watch("resourceVersion=" + Version());
  api_.objects().ExpireWatches("nodes");
  EXPECT_FALSE(expired->ended());
  api_.objects().ExpireWatches("");
  EXPECT_EQ(Taken(*expired), "ERROR 410");
}

TEST_F(WatchTest, EndsAfterItsTimeout) {
  const auto watch = Watch("resourceVersion=" + Version() + "&timeoutSeconds=10");
  loop_->RunUntil(loop_->Now() + absl::Seconds(9));
  EXPECT_FALSE(watch->ended());
  loop_->RunUntil(loop_->Now() + absl::Seconds(2));
  EXPECT_TRUE(watch->ended());
}

TEST_F(WatchTest, FramesProtobufByLength) {
  ApiRequest request;
  request.method = "GET";
  request.path = kPods;
  request.query = "watch=true";
  request.accept = "application/vnd.kubernetes.protobuf;stream=watch, application/json";
  CreatePod("web");
  const ApiAnswer answer = Await(*loop_, api_.Serve(std::move(request)));
  const std::string bytes = answer.stream->Take();
  ASSERT_GT(bytes.size(), 4);
  metav1::WatchEvent event;
  ASSERT_TRUE(event.ParseFromString(bytes.substr(4)));
  EXPECT_EQ(event.type(), "ADDED");
  k8s::io::apimachinery::pkg::runtime::Unknown envelope;
  ASSERT_EQ(event.object().raw().substr(0, 4), std::string("k8s\0", 4));
  ASSERT_TRUE(envelope.ParseFromString(event.object().raw().substr(4)));
  EXPECT_EQ(envelope.typemeta().kind(), "Pod");
  v1::Pod pod;
  ASSERT_TRUE(pod.ParseFromString(envelope.raw()));
  EXPECT_EQ(pod.metadata().name(), "web");
}

}  // namespace
}  // namespace cubelet::fakes
