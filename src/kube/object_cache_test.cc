#include "kube/object_cache.h"

#include <gtest/gtest.h>

#include <deque>
#include <optional>

#include "async/scope.h"
#include "base/status.h"
#include "base/strings.h"

namespace cubelet::kube {
namespace {

using Lines = std::vector<std::string>;

// A server whose watches say what the test tells them to.
class WatchServer final : public Client {
 public:
  explicit WatchServer(async::Loop& loop) : loop_(loop) {}

  async::Task<absl::StatusOr<Answer>> Do(Request) override {
    co_return absl::UnimplementedError("nothing but watches here");
  }
  async::Task<absl::StatusOr<std::unique_ptr<WatchStream>>> Watch(Request request) override {
    co_await loop_.Sleep(absl::Milliseconds(1));
    std::string fields;
    for (const auto& [name, value] : request.query)
      if (name == "fieldSelector") fields = value;
    asked.push_back(StrCat(request.path, "?", fields));
    if (!refused.ok()) co_return refused;
    co_return std::make_unique<Stream>(*this);
  }
  void CloseConnections() override {}
  void RetireConnections() override {}

  void Say(std::string type, v1::ConfigMap object) {
    if (type == "BOOKMARK")
      (*object.mutable_metadata()->mutable_annotations())["k8s.io/initial-events-end"] = "true";
    object.mutable_metadata()->set_resourceversion(StrCat(++version_));
    events_.push_back({std::move(type), {kProtobufType, EncodeObject(object, "v1", "ConfigMap")}});
    said_.Notify();
  }

  Lines asked;
  int open = 0;
  absl::Status refused;

 private:
  class Stream final : public WatchStream {
   public:
    explicit Stream(WatchServer& server) : server_(server) { ++server_.open; }
    ~Stream() override { --server_.open; }
    async::Task<absl::StatusOr<WatchEvent>> Next() override {
      while (server_.events_.empty()) co_await server_.said_.Wait();
      WatchEvent event = server_.events_.front();
      server_.events_.pop_front();
      co_return event;
    }

   private:
    WatchServer& server_;
  };

  async::Loop& loop_;
  std::deque<WatchEvent> events_;
  async::Signal said_{loop_};
  int version_ = 0;
};

class ObjectCacheTest : public testing::Test {
 protected:
  using Result = absl::StatusOr<std::shared_ptr<const v1::ConfigMap>>;
  using Cache = ObjectCache<v1::ConfigMap>;

  ~ObjectCacheTest() override {
    scope_.CancelAll();
    Run(absl::Seconds(2));
  }
  static async::Task<void> Store(Cache* cache, std::string name, std::optional<Result>* result) {
    result->emplace(co_await cache->Get("shop", name));
  }
  // The value of the object's key, or what is wrong.
  std::string Get(const std::string& name) {
    std::optional<Result> result;
    scope_.Spawn("get", Store(&cache_, name, &result));
    while (!result) Run(absl::Milliseconds(1));
    if (!result->ok()) return std::string(Message(result->status()));
    return (**result)->data().at("k");
  }
  static v1::ConfigMap Object(const std::string& name, const std::string& value) {
    v1::ConfigMap object;
    object.mutable_metadata()->set_name(name);
    (*object.mutable_data())["k"] = value;
    return object;
  }
  void Run(absl::Duration duration) { loop_->RunUntil(loop_->Now() + duration); }

  std::unique_ptr<async::Loop> loop_ = async::Loop::Virtual(absl::UnixEpoch(), 5);
  WatchServer server_{*loop_};
  async::TaskScope scope_{*loop_, "test"};
  Lines changed_;
  Cache cache_{*loop_, scope_, &server_,
               [this](const std::string& user) { changed_.push_back(user); }};
};

TEST_F(ObjectCacheTest, GetWaitsForTheFirstSight) {
  cache_.Use("a", {{"shop", "x"}});
  server_.Say("ADDED", Object("x", "1"));
  server_.Say("BOOKMARK", {});
  EXPECT_EQ(Get("x"), "1");
  EXPECT_EQ(server_.asked, Lines{"/api/v1/namespaces/shop/configmaps?metadata.name=x"});
  EXPECT_EQ(changed_, Lines{}) << "who uses it asks for it";
  server_.Say("MODIFIED", Object("x", "2"));
  Run(absl::Milliseconds(1));
  EXPECT_EQ(changed_, Lines{"a"});
  EXPECT_EQ(Get("x"), "2");
  server_.Say("DELETED", Object("x", "2"));
  Run(absl::Milliseconds(1));
  EXPECT_EQ(changed_, (Lines{"a", "a"}));
  EXPECT_EQ(Get("x"), "configmap \"x\" not found");
}

TEST_F(ObjectCacheTest, ThatThereIsNoneIsAnAnswer) {
  cache_.Use("a", {{"shop", "x"}});
  server_.Say("BOOKMARK", {});
  const absl::Time before = loop_->Now();
  EXPECT_EQ(Get("x"), "configmap \"x\" not found");
  EXPECT_LT(loop_->Now() - before, absl::Milliseconds(100));
}

TEST_F(ObjectCacheTest, WithoutAnAnswerGetGivesUpAndTheAnswerIsTold) {
  cache_.Use("a", {{"shop", "x"}});
  EXPECT_EQ(Get("x"), "failed to sync configmap cache: timed out waiting for the condition");
  server_.Say("ADDED", Object("x", "1"));
  server_.Say("BOOKMARK", {});
  Run(absl::Milliseconds(1));
  EXPECT_EQ(changed_, Lines{"a"});
}

TEST_F(ObjectCacheTest, WhyThereIsNoAnswerIsSaid) {
  server_.refused = absl::PermissionDeniedError("forbidden");
  cache_.Use("a", {{"shop", "x"}});
  EXPECT_EQ(Get("x"),
            "failed to sync configmap cache: timed out waiting for the condition (watch "
            "configmaps: forbidden)");
}

TEST_F(ObjectCacheTest, UsersShareAWatchThatEndsWithTheLast) {
  cache_.Use("a", {{"shop", "x"}});
  cache_.Use("b", {{"shop", "x"}});
  server_.Say("ADDED", Object("x", "1"));
  server_.Say("BOOKMARK", {});
  EXPECT_EQ(Get("x"), "1");
  EXPECT_EQ(server_.open, 1);
  server_.Say("MODIFIED", Object("x", "2"));
  Run(absl::Milliseconds(1));
  EXPECT_EQ(changed_, (Lines{"a", "b"}));
  cache_.Use("a", {});
  Run(absl::Milliseconds(1));
  EXPECT_EQ(server_.open, 1);
  cache_.Use("b", {{"shop", "y"}});
  Run(absl::Milliseconds(5));
  EXPECT_EQ(server_.asked.size(), 2u);
  EXPECT_EQ(cache_.size(), 1u);
  EXPECT_EQ(server_.open, 1);
  EXPECT_EQ(Get("x"), "object \"shop\"/\"x\" not registered");
  cache_.Use("b", {});
  Run(absl::Milliseconds(5));
  EXPECT_EQ(server_.open, 0);
}

TEST_F(ObjectCacheTest, AnImmutableObjectIsWatchedNoLonger) {
  cache_.Use("a", {{"shop", "x"}});
  v1::ConfigMap object = Object("x", "1");
  object.set_immutable(true);
  server_.Say("ADDED", object);
  server_.Say("BOOKMARK", {});
  EXPECT_EQ(Get("x"), "1");
  Run(absl::Seconds(5));
  EXPECT_EQ(server_.open, 0);
  EXPECT_EQ(cache_.watched(), 0u);
  EXPECT_EQ(Get("x"), "1");
  cache_.Use("b", {{"shop", "x"}});
  EXPECT_EQ(Get("x"), "1");
  EXPECT_EQ(server_.asked.size(), 1u);
}

TEST_F(ObjectCacheTest, ObjectsOfOtherNamesAreNotTaken) {
  cache_.Use("a", {{"shop", "x"}});
  server_.Say("ADDED", Object("other", "1"));
  server_.Say("BOOKMARK", {});
  EXPECT_EQ(Get("x"), "failed to sync configmap cache: timed out waiting for the condition");
}

}  // namespace
}  // namespace cubelet::kube
