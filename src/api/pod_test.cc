#include "api/pod.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "api/codec.h"
#include "api/events.h"
#include "api/yaml.h"
#include "base/strings.h"

namespace cubelet::api {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

v1::Pod Pod(std::string_view yaml) {
  v1::Pod pod;
  const absl::StatusOr<boost::json::value> value = ParseYaml(yaml);
  EXPECT_TRUE(value.ok()) << value.status();
  const absl::Status decoded = FromJson(*value, pod, {.strict = true});
  EXPECT_TRUE(decoded.ok()) << decoded;
  return pod;
}

std::vector<std::pair<std::string, std::string>> Text(const ResourceAmounts& amounts) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [name, amount] : amounts) out.emplace_back(name, amount.ToString());
  return out;
}

TEST(Pod, HasThreeNames) {
  const v1::Pod pod = Pod("metadata: {name: web, namespace: prod, uid: u-1}");
  EXPECT_EQ(FormatPod(pod), "web_prod(u-1)");
  EXPECT_EQ(FullName(pod), "web_prod");
  EXPECT_EQ(PodKey(pod), "prod/web");
  const ObjectReference reference = ReferenceTo(pod, "spec.containers{c}");
  EXPECT_EQ(reference.kind, "Pod");
  EXPECT_EQ(reference.name_space, "prod");
  EXPECT_EQ(reference.uid, "u-1");
  EXPECT_EQ(reference.field_path, "spec.containers{c}");
}

TEST(Pod, IsCriticalWhenStaticMirrorOrOfSystemPriority) {
  struct Case {
    const char* yaml;
    bool is_static, mirror, critical, node_critical;
  };
  const Case cases[] = {
      {"{}", false, false, false, false},
      {"metadata: {annotations: {kubernetes.io/config.source: api}}", false, false, false, false},
      {"metadata: {annotations: {kubernetes.io/config.source: file}}", true, false, true, false},
      {"metadata: {annotations: {kubernetes.io/config.source: http}}", true, false, true, false},
      {"metadata: {annotations: {kubernetes.io/config.mirror: x}}", false, true, true, false},
      {"spec: {priority: 1999999999}", false, false, false, false},
      {"spec: {priority: 2000000000}", false, false, true, false},
      {"spec: {priority: 2000001000, priorityClassName: system-node-critical}", false, false, true,
       true},
      {"spec: {priorityClassName: system-node-critical}", false, false, false, false},
  };
  for (const Case& c : cases) {
    const v1::Pod pod = Pod(c.yaml);
    EXPECT_EQ(IsStatic(pod), c.is_static) << c.yaml;
    EXPECT_EQ(IsMirror(pod), c.mirror) << c.yaml;
    EXPECT_EQ(IsCritical(pod), c.critical) << c.yaml;
    EXPECT_EQ(IsNodeCritical(pod), c.node_critical) << c.yaml;
  }
}

TEST(Pod, PhasesThatEndIt) {
  EXPECT_FALSE(IsTerminal(Pod("status: {phase: Running}")));
  EXPECT_TRUE(IsTerminal(Pod("status: {phase: Succeeded}")));
  EXPECT_TRUE(IsTerminal(Pod("status: {phase: Failed}")));
}

TEST(Pod, ContainersAreFoundByName) {
  const v1::Pod pod = Pod(R"(
spec:
  initContainers: [{name: init}, {name: side, restartPolicy: Always}]
  containers: [{name: main}]
  ephemeralContainers:
  - {name: debug, image: i, env: [{name: A, value: b}], targetContainerName: main}
)");
  std::vector<std::string> names;
  ForEachContainer(pod, [&](const v1::Container& container, ContainerType type) {
    names.push_back(ContainerFieldPath(container.name(), type));
  });
  EXPECT_THAT(names, ElementsAre("spec.initContainers{init}", "spec.initContainers{side}",
                                 "spec.containers{main}"));
  ContainerType type = ContainerType::kEphemeral;
  EXPECT_EQ(FindContainer(pod, "main", &type), &pod.spec().containers(0));
  EXPECT_EQ(type, ContainerType::kRegular);
  EXPECT_EQ(FindContainer(pod, "debug"), nullptr);
  EXPECT_TRUE(IsSidecar(*FindContainer(pod, "side")));
  EXPECT_FALSE(IsSidecar(*FindContainer(pod, "init")));

  const v1::Container debug = AsContainer(pod.spec().ephemeralcontainers(0));
  EXPECT_EQ(debug.name(), "debug");
  EXPECT_EQ(debug.env(0).value(), "b");
  EXPECT_EQ(ContainerFieldPath(debug.name(), ContainerType::kEphemeral),
            "spec.ephemeralContainers{debug}");
}

TEST(Pod, GraceIsThirtySecondsUnlessSaid) {
  EXPECT_EQ(TerminationGraceSeconds(Pod("{}")), 30);
  EXPECT_EQ(TerminationGraceSeconds(Pod("spec: {terminationGracePeriodSeconds: 0}")), 0);
}

TEST(Pod, ClassOfService) {
  const std::pair<const char*, const char*> cases[] = {
      {"containers: [{}]", "BestEffort"},
      {"containers: [{resources: {requests: {cpu: 0, memory: 0}}}]", "BestEffort"},
      {"containers: [{resources: {limits: {nvidia.com/gpu: 1}}}]", "BestEffort"},
      {"containers: [{resources: {requests: {ephemeral-storage: 1Gi}}}]", "BestEffort"},
      {"containers: [{resources: {requests: {cpu: 1m}}}]", "Burstable"},
      {"containers: [{resources: {limits: {cpu: 1, memory: 1Gi}}}]", "Burstable"},
      {"containers: [{resources: {limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 1000m, memory: "
       "1024Mi}}}]",
       "Guaranteed"},
      {"containers: [{resources: {limits: {cpu: 1}, requests: {cpu: 1}}}]", "Burstable"},
      {"containers: [{resources: &r {limits: {cpu: 1, memory: 1}, requests: {cpu: 1, memory: 1}}}, "
       "{}]",
       "Burstable"},
      {"{containers: [{resources: &r {limits: {cpu: 1, memory: 1}, requests: {cpu: 1, memory: "
       "1}}}],"
       " initContainers: [{}]}",
       "Burstable"},
      {"{containers: [{resources: &r {limits: {cpu: 1, memory: 1}, requests: {cpu: 1, memory: "
       "1}}}],"
       " initContainers: [{resources: *r}]}",
       "Guaranteed"},
      // With amounts for the whole pod the containers do not count.
      {"{containers: [{}], resources: {limits: {cpu: 1, memory: 1}, requests: {cpu: 1, memory: "
       "1}}}",
       "Guaranteed"},
      {"{containers: [{resources: {requests: {cpu: 1}}}], resources: {requests: {hugepages-2Mi: "
       "2Mi}}}",
       "BestEffort"},
      {"{containers: [{}], resources: {limits: {cpu: 1}, requests: {cpu: 1}}}", "Burstable"},
  };
  for (const auto& [spec, want] : cases)
    EXPECT_STREQ(QosClassName(GetQosClass(Pod(StrCat("spec: ", spec[0] == '{' ? "" : "{", spec,
                                                     spec[0] == '{' ? "" : "}")))),
                 want)
        << spec;
  EXPECT_EQ(GetQosClass(Pod("status: {qosClass: Guaranteed}")), QosClass::kGuaranteed);
}

constexpr char kManyContainers[] = R"(
spec:
  overhead: {cpu: 10m, memory: 1Mi}
  initContainers:
  - {name: a, resources: {requests: {cpu: 3}, limits: {cpu: 4}}}
  - name: s
    restartPolicy: Always
    resources: {requests: {cpu: 500m, memory: 10Mi}, limits: {memory: 20Mi}}
  - {name: b, resources: {requests: {cpu: 2800m, memory: 5Mi}}}
  containers:
  - {name: x, resources: {requests: {cpu: 1, memory: 100Mi}, limits: {memory: 200Mi, cpu: 2}}}
  - {name: z, resources: {requests: {cpu: 200m, example.com/fpga: 1}}}
)";

TEST(Pod, EffectiveRequestsAndLimits) {
  const v1::Pod pod = Pod(kManyContainers);
  // cpu: b beside the sidecar needs 3300m, more than a's 3 and the 1700m of all that run later.
  EXPECT_THAT(
      Text(PodRequests(pod, false)),
      ElementsAre(Pair("cpu", "3300m"), Pair("example.com/fpga", "1"), Pair("memory", "110Mi")));
  EXPECT_THAT(
      Text(PodRequests(pod)),
      ElementsAre(Pair("cpu", "3310m"), Pair("example.com/fpga", "1"), Pair("memory", "111Mi")));
  EXPECT_THAT(Text(PodLimits(pod, false)), ElementsAre(Pair("cpu", "4"), Pair("memory", "220Mi")));
  EXPECT_THAT(Text(PodLimits(pod)), ElementsAre(Pair("cpu", "4010m"), Pair("memory", "221Mi")));
  EXPECT_THAT(Text(PodRequests(Pod("spec: {containers: [{}]}"))), IsEmpty());
}

TEST(Pod, OverheadMakesNoLimitOfItsOwn) {
  const v1::Pod pod =
      Pod("spec: {overhead: {cpu: 1, memory: 1Mi}, containers: [{resources: "
          "{limits: {cpu: 0}}}]}");
  EXPECT_THAT(Text(PodLimits(pod)), ElementsAre(Pair("cpu", "0")));
}

TEST(Pod, AmountsOfThePodReplaceTheSums) {
  const v1::Pod pod = Pod(R"(
spec:
  overhead: {cpu: 10m}
  resources: {requests: {cpu: 2, hugepages-2Mi: 4Mi, example.com/fpga: 9}, limits: {memory: 1Gi}}
  containers: [{resources: {requests: {cpu: 3, memory: 1Mi, example.com/fpga: 1}}}]
)");
  EXPECT_THAT(Text(PodRequests(pod)),
              ElementsAre(Pair("cpu", "2010m"), Pair("example.com/fpga", "1"),
                          Pair("hugepages-2Mi", "4Mi"), Pair("memory", "1Mi")));
  EXPECT_THAT(Text(PodLimits(pod)), ElementsAre(Pair("memory", "1Gi")));
}

TEST(Pod, OneAmountOfAContainer) {
  const v1::Pod pod = Pod(kManyContainers);
  EXPECT_EQ(FindRequest(pod.spec().containers(1), "cpu"), Quantity::FromMilli(200));
  EXPECT_EQ(FindRequest(pod.spec().containers(1), "memory"), std::nullopt);
  EXPECT_EQ(FindLimit(pod.spec().containers(0), "cpu"), Quantity::FromInt(2));
}

}  // namespace
}  // namespace cubelet::api
