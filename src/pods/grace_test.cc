#include "pods/grace.h"

#include <gtest/gtest.h>

namespace cubelet::pods {
namespace {

v1::Pod WithGrace(int64_t seconds) {
  v1::Pod pod;
  pod.mutable_spec()->set_terminationgraceperiodseconds(seconds);
  return pod;
}

TEST(ContainerGrace, SpecThenProbeThenDeletionThenOverride) {
  v1::Pod pod = WithGrace(30);
  v1::Container container;
  container.mutable_livenessprobe()->set_terminationgraceperiodseconds(7);
  container.mutable_startupprobe()->set_terminationgraceperiodseconds(8);
  EXPECT_EQ(ContainerGraceSeconds(pod, &container, KillReason::kUnknown, std::nullopt), 30);
  EXPECT_EQ(ContainerGraceSeconds(pod, &container, KillReason::kLivenessProbe, std::nullopt), 7);
  EXPECT_EQ(ContainerGraceSeconds(pod, &container, KillReason::kStartupProbe, std::nullopt), 8);
  pod.mutable_metadata()->set_deletiongraceperiodseconds(5);
  EXPECT_EQ(ContainerGraceSeconds(pod, &container, KillReason::kLivenessProbe, std::nullopt), 5);
  EXPECT_EQ(ContainerGraceSeconds(pod, &container, KillReason::kLivenessProbe, 1), 1);
  EXPECT_EQ(ContainerGraceSeconds(v1::Pod(), nullptr, KillReason::kUnknown, std::nullopt), 2);
}

TEST(PodGrace, OnlyShrinksAndIsAtLeastOne) {
  v1::Pod pod = WithGrace(30);
  EXPECT_EQ(PodGraceSeconds(pod, 0, std::nullopt), 30);
  EXPECT_EQ(PodGraceSeconds(pod, 0, 60), 60);
  EXPECT_EQ(PodGraceSeconds(pod, 20, 60), 20);
  EXPECT_EQ(PodGraceSeconds(pod, 20, 10), 10);
  pod.mutable_metadata()->set_deletiongraceperiodseconds(0);
  EXPECT_EQ(PodGraceSeconds(pod, 20, std::nullopt), 1);
  EXPECT_EQ(PodGraceSeconds(WithGrace(0), 0, std::nullopt), 1);
}

}  // namespace
}  // namespace cubelet::pods
