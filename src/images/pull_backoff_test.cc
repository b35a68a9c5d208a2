#include "images/pull_backoff.h"

#include <gtest/gtest.h>

#include "images/pull_errors.h"

namespace cubelet::images {
namespace {

using absl::Seconds;

class PullBackoffTest : public testing::Test {
 protected:
  PullBackoff backoff_{Seconds(10), Seconds(300)};
  absl::Duration now_ = Seconds(1000);

  absl::Duration Left(const std::string& uid, const std::string& image) {
    const auto hold = backoff_.Check(uid, image, now_);
    return hold ? hold->left : absl::ZeroDuration();
  }
};

TEST_F(PullBackoffTest, DoublesFromTenSecondsToFiveMinutes) {
  const int expected[] = {10, 20, 40, 80, 160, 300, 300};
  for (const int seconds : expected) {
    EXPECT_EQ(backoff_.Check("u", "i", now_), std::nullopt);
    backoff_.Failed("u", "i", "e", now_);
    EXPECT_EQ(Left("u", "i"), Seconds(seconds));
    now_ += Seconds(seconds) - absl::Nanoseconds(1);
    EXPECT_EQ(Left("u", "i"), absl::Nanoseconds(1));
    now_ += absl::Nanoseconds(1);
  }
}

TEST_F(PullBackoffTest, IsKeptByPodAndImage) {
  backoff_.Failed("u", "i", "e", now_);
  EXPECT_EQ(Left("u", "j"), absl::ZeroDuration());
  EXPECT_EQ(Left("v", "i"), absl::ZeroDuration());
}

TEST_F(PullBackoffTest, StartsAnewTenMinutesAfterTheLastFailure) {
  backoff_.Failed("u", "i", "e", now_);
  backoff_.Failed("u", "i", "e", now_);
  now_ += Seconds(600);
  backoff_.Failed("u", "i", "e", now_);
  EXPECT_EQ(Left("u", "i"), Seconds(40));
  now_ += Seconds(600) + absl::Nanoseconds(1);
  backoff_.Failed("u", "i", "e", now_);
  EXPECT_EQ(Left("u", "i"), Seconds(10));
}

TEST_F(PullBackoffTest, ExpireAndForgetPodFreeMemory) {
  backoff_.Failed("u", "i", "e", now_);
  backoff_.Failed("v", "i", "e", now_ + Seconds(10));
  backoff_.Expire(now_ + Seconds(601));
  EXPECT_EQ(backoff_.pods(), 1u);
  backoff_.ForgetPod("v");
  EXPECT_EQ(backoff_.pods(), 0u);
}

TEST_F(PullBackoffTest, RemembersTheErrorUntilTheNextTry) {
  backoff_.Failed("u", "i", "ErrImagePull: no", now_);
  EXPECT_EQ(backoff_.Check("u", "i", now_)->previous_error, "ErrImagePull: no");
  backoff_.Started("u", "i");
  EXPECT_EQ(backoff_.Check("u", "i", now_)->previous_error, "");
}

TEST(PullErrors, TextKeepsTheCodeUnlessItSaysNothing) {
  EXPECT_EQ(PullErrorText(absl::NotFoundError("x: not found")),
            "rpc error: code = NotFound desc = x: not found");
  EXPECT_EQ(PullErrorText(absl::UnknownError("x")), "x");
}

TEST(PullErrors, ReasonsOfTheRuntime) {
  struct Case {
    std::string error, reason, message;
  };
  const Case cases[] = {
      {"boom", "ErrImagePull", "boom"},
      {"RegistryUnavailable", "RegistryUnavailable",
       "image pull failed for a:1 because the registry is unavailable"},
      {"RegistryUnavailable: 503", "RegistryUnavailable",
       "image pull failed for a:1 because the registry is unavailable: 503"},
      {"SignatureValidationFailed: bad key", "SignatureValidationFailed",
       "image pull failed for a:1 because the signature validation failed: bad key"},
      {"rpc error: code = Internal desc = RegistryUnavailable", "ErrImagePull",
       "rpc error: code = Internal desc = RegistryUnavailable"},
  };
  for (const Case& c : cases) {
    const PullFailure failure = ClassifyPullError("a:1", c.error);
    EXPECT_EQ(failure.reason, c.reason);
    EXPECT_EQ(failure.message, c.message);
  }
}

}  // namespace
}  // namespace cubelet::images
