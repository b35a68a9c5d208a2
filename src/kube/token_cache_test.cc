#include "kube/token_cache.h"

#include <gtest/gtest.h>

#include <optional>

#include "async/scope.h"
#include "base/status.h"
#include "base/strings.h"
#include "kube/object_codec.h"
#include "kube/resources.h"

namespace cubelet::kube {
namespace {

// Gives tokens "t1", "t2", ... unless it is away.
class TokenServer final : public Client {
 public:
  explicit TokenServer(async::Loop& loop) : loop_(loop) {}

  async::Task<absl::StatusOr<Answer>> Do(Request request) override {
    co_await loop_.Sleep(absl::Milliseconds(1));
    path = request.path;
    if (away) co_return absl::UnavailableError("away");
    authenticationv1::TokenRequest token;
    const absl::Status decoded = DecodeObject({request.content_type, request.body}, token,
                                              "authentication.k8s.io/v1", "TokenRequest");
    if (!decoded.ok()) co_return decoded;
    asked = token.spec();
    token.mutable_status()->set_token(empty ? "" : StrCat("t", ++given));
    token.mutable_status()->mutable_expirationtimestamp()->set_seconds(
        absl::ToUnixSeconds(loop_.Now()) + token.spec().expirationseconds());
    co_return Answer{
        201, kProtobufType, EncodeObject(token, "authentication.k8s.io/v1", "TokenRequest"), {}};
  }
  async::Task<absl::StatusOr<std::unique_ptr<WatchStream>>> Watch(Request) override {
    co_return absl::UnimplementedError("no watches here");
  }
  void CloseConnections() override {}
  void RetireConnections() override {}

  bool away = false;
  bool empty = false;
  int given = 0;
  std::string path;
  authenticationv1::TokenRequestSpec asked;

 private:
  async::Loop& loop_;
};

class TokenCacheTest : public testing::Test {
 protected:
  using Result = absl::StatusOr<std::string>;

  static async::Task<void> Store(TokenCache* cache, TokenWanted wanted,
                                 std::optional<Result>* result) {
    result->emplace(co_await cache->Get(std::move(wanted)));
  }
  // The token, or what is wrong.
  std::string Get(TokenWanted wanted) {
    std::optional<Result> result;
    scope_.Spawn("get", Store(&cache_, std::move(wanted), &result));
    Run(absl::Milliseconds(10));
    return result->ok() ? **result : std::string(Message(result->status()));
  }
  std::string Get() { return Get(Wanted()); }
  static TokenWanted Wanted() { return {"shop", "web", "", 3600, "pod", "uid-1"}; }
  void Run(absl::Duration duration) { loop_->RunUntil(loop_->Now() + duration); }

  std::unique_ptr<async::Loop> loop_ = async::Loop::Virtual(absl::FromUnixSeconds(1790000000), 3);
  TokenServer server_{*loop_};
  async::TaskScope scope_{*loop_, "test"};
  std::vector<std::string> due_;
  TokenCache cache_{*loop_, &server_, [this](const std::string& uid) { due_.push_back(uid); }};
};

TEST_F(TokenCacheTest, AsksForTheAccountBoundToThePod) {
  TokenWanted wanted = Wanted();
  wanted.audience = "vault";
  EXPECT_EQ(Get(wanted), "t1");
  EXPECT_EQ(server_.path, "/api/v1/namespaces/shop/serviceaccounts/web/token");
  ASSERT_EQ(server_.asked.audiences_size(), 1);
  EXPECT_EQ(server_.asked.audiences(0), "vault");
  EXPECT_EQ(server_.asked.expirationseconds(), 3600);
  EXPECT_EQ(server_.asked.boundobjectref().kind(), "Pod");
  EXPECT_EQ(server_.asked.boundobjectref().apiversion(), "v1");
  EXPECT_EQ(server_.asked.boundobjectref().name(), "pod");
  EXPECT_EQ(server_.asked.boundobjectref().uid(), "uid-1");
  EXPECT_EQ(Get(), "t2");
  EXPECT_EQ(server_.asked.audiences_size(), 0) << "no audience is the server's own";
}

TEST_F(TokenCacheTest, IsRenewedWhenAFifthOfItsLifeIsLeft) {
  EXPECT_EQ(Get(), "t1");
  Run(absl::Minutes(47));
  EXPECT_EQ(Get(), "t1");
  EXPECT_TRUE(due_.empty());
  Run(absl::Minutes(1));
  EXPECT_EQ(due_, std::vector<std::string>{"uid-1"});
  EXPECT_EQ(Get(), "t2");
  Run(absl::Minutes(49));
  EXPECT_EQ(due_.size(), 2u) << "and so on";
}

TEST_F(TokenCacheTest, IsRenewedOnceADayHoweverLongItLives) {
  TokenWanted wanted = Wanted();
  wanted.expiration_seconds = 7 * 86400;
  EXPECT_EQ(Get(wanted), "t1");
  Run(absl::Hours(23));
  EXPECT_EQ(Get(wanted), "t1");
  Run(absl::Hours(1));
  EXPECT_EQ(due_.size(), 1u);
  EXPECT_EQ(Get(wanted), "t2");
}

TEST_F(TokenCacheTest, AServerThatIsAwayLeavesTheOldOneUntilItExpires) {
  server_.away = true;
  EXPECT_EQ(Get(), "failed to fetch token: away");
  server_.away = false;
  EXPECT_EQ(Get(), "t1");
  server_.away = true;
  Run(absl::Minutes(49));
  EXPECT_EQ(Get(), "t1");
  const size_t before = due_.size();
  Run(absl::Minutes(2));
  EXPECT_EQ(due_.size(), before + 1) << "it is tried again";
  Run(absl::Minutes(10));
  EXPECT_EQ(Get(), "token shop/web expired and refresh failed: away");
  server_.away = false;
  EXPECT_EQ(Get(), "t2");
}

TEST_F(TokenCacheTest, AnAnswerWithoutTokenIsAnError) {
  server_.empty = true;
  EXPECT_EQ(Get(), "failed to fetch token: the answer holds no token");
}

TEST_F(TokenCacheTest, WhatIsForgottenIsNotAskedForAgain) {
  EXPECT_EQ(Get(), "t1");
  TokenWanted other = Wanted();
  other.pod_uid = "uid-2";
  EXPECT_EQ(Get(other), "t2");
  cache_.Forget("uid-1");
  EXPECT_EQ(cache_.size(), 1u);
  Run(absl::Hours(2));
  EXPECT_EQ(due_, std::vector<std::string>{"uid-2"});
}

}  // namespace
}  // namespace cubelet::kube
