#include "pods/crash_backoff.h"

#include <gtest/gtest.h>

namespace cubelet::pods {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1000);

TEST(CrashBackoff, FirstRestartIsImmediateThenDoublesToTheCap) {
  CrashBackoff backoff(absl::Seconds(10), absl::Seconds(300));
  absl::Time now = kStart;
  EXPECT_FALSE(backoff.Check("k", now, now));
  backoff.Next("k", now, now);
  for (const int delay : {10, 20, 40, 80, 160, 300, 300}) {
    // It ends at once.
    const auto wait = backoff.Check("k", now, now);
    ASSERT_TRUE(wait);
    EXPECT_EQ(wait->delay, absl::Seconds(delay));
    EXPECT_EQ(wait->until, now + absl::Seconds(delay));
    const absl::Time finished = now;
    now += absl::Seconds(delay);
    EXPECT_FALSE(backoff.Check("k", finished, now));
    backoff.Next("k", finished, now);
  }
}

TEST(CrashBackoff, ForgottenAfterALongRun) {
  CrashBackoff backoff(absl::Seconds(10), absl::Seconds(300));
  backoff.Next("k", kStart, kStart);
  backoff.Next("k", kStart, kStart);
  const absl::Time finished = kStart + absl::Seconds(601);
  EXPECT_FALSE(backoff.Check("k", finished, finished));
  backoff.Next("k", finished, finished);
  EXPECT_EQ(backoff.Check("k", finished, finished)->delay, absl::Seconds(10));
}

TEST(CrashBackoff, ASmallCapIsAlsoTheFirstDelay) {
  CrashBackoff backoff(absl::Seconds(10), absl::Seconds(2));
  backoff.Next("k", kStart, kStart);
  EXPECT_EQ(backoff.Check("k", kStart, kStart)->delay, absl::Seconds(2));
}

TEST(CrashBackoff, KeyChangesWithImageAndResources) {
  v1::Pod pod;
  pod.mutable_metadata()->set_uid("u");
  v1::Container container;
  container.set_name("a");
  container.set_image("x:1");
  const std::string key = CrashBackoff::Key(pod, container);
  container.add_command("other");
  EXPECT_EQ(CrashBackoff::Key(pod, container), key);
  (*container.mutable_resources()->mutable_limits())["cpu"].set_string("1");
  EXPECT_NE(CrashBackoff::Key(pod, container), key);
  container.clear_resources();
  container.set_image("x:2");
  EXPECT_NE(CrashBackoff::Key(pod, container), key);
}

}  // namespace
}  // namespace cubelet::pods
