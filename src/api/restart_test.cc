#include "api/restart.h"

#include <gtest/gtest.h>

#include <string>

#include "api/codec.h"
#include "api/yaml.h"
#include "base/strings.h"

namespace cubelet::api {
namespace {

v1::Pod Pod(std::string_view policy, std::string_view container) {
  v1::Pod pod;
  const std::string yaml =
      StrCat("spec: {restartPolicy: ", policy, ", containers: [", container, "]}");
  EXPECT_TRUE(FromJson(*ParseYaml(yaml), pod, {.strict = true}).ok()) << yaml;
  return pod;
}

bool Restarts(std::string_view policy, std::string_view container, int exit_code) {
  const v1::Pod pod = Pod(policy, container);
  return RestartsAfter(pod, pod.spec().containers(0), exit_code);
}

TEST(Restart, FollowsThePodsPolicy) {
  EXPECT_TRUE(Restarts("Always", "{}", 0));
  EXPECT_TRUE(Restarts("Always", "{}", 1));
  EXPECT_FALSE(Restarts("OnFailure", "{}", 0));
  EXPECT_TRUE(Restarts("OnFailure", "{}", 137));
  EXPECT_FALSE(Restarts("Never", "{}", 0));
  EXPECT_FALSE(Restarts("Never", "{}", 1));
  EXPECT_TRUE(Restarts("\"\"", "{}", 0));
  EXPECT_TRUE(Restarts("Sometimes", "{}", 0));
}

TEST(Restart, TheContainersOwnPolicyComesFirst) {
  EXPECT_TRUE(Restarts("Never", "{restartPolicy: Always}", 0));
  EXPECT_FALSE(Restarts("Always", "{restartPolicy: Never}", 1));
  EXPECT_FALSE(Restarts("Always", "{restartPolicy: OnFailure}", 0));
  EXPECT_TRUE(Restarts("Never", "{restartPolicy: OnFailure}", 2));
}

TEST(Restart, RulesComeBeforeTheContainersPolicy) {
  constexpr char kRules[] =
      "{restartPolicy: Never, restartPolicyRules: ["
      "{action: Restart, exitCodes: {operator: In, values: [42, 43]}},"
      "{action: RestartAllContainers, exitCodes: {operator: In, values: [7]}}]}";
  EXPECT_TRUE(Restarts("Never", kRules, 42));
  EXPECT_TRUE(Restarts("Never", kRules, 7));
  EXPECT_FALSE(Restarts("Always", kRules, 1));
  constexpr char kNotIn[] =
      "{restartPolicy: Never, restartPolicyRules: [{action: Restart, exitCodes: {operator: NotIn, "
      "values: [1]}}]}";
  EXPECT_FALSE(Restarts("Never", kNotIn, 1));
  EXPECT_TRUE(Restarts("Never", kNotIn, 0));
  // Without a policy of the container's own, rules do not count here.
  EXPECT_FALSE(Restarts("Never",
                        "{restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: "
                        "[42]}}]}",
                        42));
}

TEST(Restart, RulesThatSayNothingAreNotFollowed) {
  EXPECT_FALSE(
      Restarts("Never", "{restartPolicy: Never, restartPolicyRules: [{action: Restart}]}", 1));
  EXPECT_FALSE(Restarts("Never",
                        "{restartPolicy: Never, restartPolicyRules: [{action: Restart, exitCodes: "
                        "{operator: Is, values: [1]}}]}",
                        1));
  EXPECT_FALSE(Restarts("Never",
                        "{restartPolicy: Never, restartPolicyRules: [{action: Dance, exitCodes: "
                        "{operator: In, values: [1]}}]}",
                        1));
}

TEST(Restart, EffectivePolicy) {
  const auto policy = [](std::string_view pod_policy, std::string_view container) {
    const v1::Pod pod = Pod(pod_policy, container);
    return EffectiveRestartPolicy(pod, pod.spec().containers(0));
  };
  EXPECT_EQ(policy("Never", "{}"), "Never");
  EXPECT_EQ(policy("Never", "{restartPolicy: Always}"), "Always");
  EXPECT_EQ(policy("\"\"", "{}"), "Always");
}

TEST(Restart, AllContainersStartAnewWhenTheFirstMatchingRuleSaysSo) {
  const v1::Pod pod =
      Pod("Never",
          "{restartPolicyRules: ["
          "{action: Restart, exitCodes: {operator: In, values: [1]}},"
          "{action: RestartAllContainers, exitCodes: {operator: In, values: [1, 2]}}"
          "]}");
  EXPECT_FALSE(RestartsAllContainers(pod.spec().containers(0), 1));
  EXPECT_TRUE(RestartsAllContainers(pod.spec().containers(0), 2));
  EXPECT_FALSE(RestartsAllContainers(pod.spec().containers(0), 3));
  EXPECT_TRUE(HasRestartAllRule(pod));
  EXPECT_FALSE(HasRestartAllRule(Pod("Never", "{}")));
}

}  // namespace
}  // namespace cubelet::api
