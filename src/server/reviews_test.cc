#include "server/reviews.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "async/scope.h"
#include "base/strings.h"
#include "kube/object_codec.h"
#include "kube/resources.h"

namespace cubelet::server {
namespace {

using async::Task;
using ::testing::ElementsAre;
using ::testing::SizeIs;

// Answers as it is told, and keeps what it was asked.
class ScriptedClient final : public kube::Client {
 public:
  Task<absl::StatusOr<kube::Answer>> Do(kube::Request request) override {
    requests.push_back(std::move(request));
    if (answers.empty()) co_return absl::UnavailableError("no API server");
    absl::StatusOr<kube::Answer> answer = std::move(answers.front());
    answers.pop_front();
    co_return answer;
  }
  Task<absl::StatusOr<std::unique_ptr<kube::WatchStream>>> Watch(kube::Request) override {
    co_return absl::UnimplementedError("not here");
  }
  void CloseConnections() override {}
  void RetireConnections() override {}

  template <typename T>
  void WillAnswer(const T& object) {
    const kube::Resource& resource = kube::ResourceOf<T>::kValue;
    answers.push_back(kube::Answer{201, kube::kProtobufType,
                                   kube::EncodeObject(object, resource.api_version, resource.kind),
                                   absl::ZeroDuration()});
  }

  std::deque<absl::StatusOr<kube::Answer>> answers;
  std::vector<kube::Request> requests;
};

class ReviewsTest : public ::testing::Test {
 protected:
  template <typename T>
  T Await(Task<T> task) {
    std::optional<T> result;
    async::TaskScope scope(*loop_, "test");
    scope.Spawn("await", Store(std::move(task), &result));
    loop_->RunUntil(loop_->Now() + absl::Seconds(30));
    return *std::move(result);
  }
  template <typename T>
  static Task<void> Store(Task<T> task, std::optional<T>* result) {
    *result = co_await std::move(task);
  }
  void Pass(absl::Duration time) { loop_->RunUntil(loop_->Now() + time); }

  void WillSay(bool allowed) {
    authorizationv1::SubjectAccessReview review;
    review.mutable_status()->set_allowed(allowed);
    client_.WillAnswer(review);
  }
  absl::StatusOr<bool> MayGetPods(const std::string& user) {
    return Await(reviews_.authorizer()(User{user, {"ops"}}, "get", "pods"));
  }

  std::unique_ptr<async::Loop> loop_ =
      async::Loop::Virtual(absl::FromUnixSeconds(1'790'000'000), 1);
  ScriptedClient client_;
  Reviews reviews_{*loop_, &client_, "lab", {}};
};

TEST_F(ReviewsTest, ATokenIsSomebodyForTwoMinutes) {
  authenticationv1::TokenReview review;
  review.mutable_status()->set_authenticated(true);
  review.mutable_status()->mutable_user()->set_username("prometheus");
  review.mutable_status()->mutable_user()->add_groups("monitoring");
  client_.WillAnswer(review);
  for (int i = 0; i < 2; ++i) {
    const auto user = Await(reviews_.tokens()("secret"));
    ASSERT_TRUE(user.ok() && user->has_value()) << user.status();
    EXPECT_EQ((*user)->name, "prometheus");
    EXPECT_THAT((*user)->groups, ElementsAre("monitoring"));
  }
  ASSERT_THAT(client_.requests, SizeIs(1));
  EXPECT_EQ(client_.requests[0].method, "POST");
  EXPECT_EQ(client_.requests[0].path, "/apis/authentication.k8s.io/v1/tokenreviews");
  Pass(absl::Minutes(2));
  client_.WillAnswer(authenticationv1::TokenReview());
  const auto later = Await(reviews_.tokens()("secret"));
  ASSERT_TRUE(later.ok());
  EXPECT_FALSE(later->has_value()) << "it is nobody's any more";
}

TEST_F(ReviewsTest, VerdictsAreKeptYesLongerThanNo) {
  WillSay(true);
  WillSay(false);
  EXPECT_TRUE(*MayGetPods("alice"));
  EXPECT_FALSE(*MayGetPods("bob"));
  Pass(absl::Seconds(20));
  WillSay(true);
  EXPECT_TRUE(*MayGetPods("bob")) << "asked anew";
  EXPECT_TRUE(*MayGetPods("alice"));
  EXPECT_THAT(client_.requests, SizeIs(3));
}

TEST_F(ReviewsTest, AServerThatDoesNotAnswerIsAskedAgainAndIsNoYes) {
  client_.answers.push_back(absl::UnavailableError("connection refused"));
  WillSay(true);
  EXPECT_TRUE(*MayGetPods("alice"));
  EXPECT_THAT(client_.requests, SizeIs(2));
  const auto never = MayGetPods("bob");
  EXPECT_FALSE(never.ok());
  EXPECT_THAT(client_.requests, SizeIs(7));
}

}  // namespace
}  // namespace cubelet::server
