#include "pods/object_references.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/codec.h"
#include "api/yaml.h"

namespace cubelet::pods {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

v1::Pod Parse(std::string_view yaml) {
  v1::Pod pod;
  const auto value = api::ParseYaml(yaml);
  EXPECT_TRUE(value.ok()) << value.status();
  const absl::Status decoded = api::FromJson(*value, pod, {.strict = true});
  EXPECT_TRUE(decoded.ok()) << decoded;
  return pod;
}

TEST(ObjectReferences, AreThoseOfVariablesAndVolumes) {
  const v1::Pod pod = Parse(R"(
spec:
  initContainers:
  - {name: i, envFrom: [{configMapRef: {name: c1}}, {secretRef: {name: s1}}]}
  containers:
  - name: c
    env:
    - {name: A, valueFrom: {configMapKeyRef: {name: c2, key: k}}}
    - {name: B, valueFrom: {secretKeyRef: {name: s2, key: k}}}
    - {name: C, value: text}
  ephemeralContainers:
  - {name: e, envFrom: [{configMapRef: {name: c3}}]}
  volumes:
  - {name: a, configMap: {name: c4}}
  - {name: b, secret: {secretName: s4}}
  - name: p
    projected:
      sources: [{configMap: {name: c5}}, {secret: {name: s5}}, {serviceAccountToken: {path: t}}]
  - {name: again, configMap: {name: c1}}
  - {name: other, emptyDir: {}}
)");
  const ObjectReferences all = PodReferences(pod);
  EXPECT_THAT(all.config_maps, ElementsAre("c1", "c2", "c3", "c4", "c5"));
  EXPECT_THAT(all.secrets, ElementsAre("s1", "s2", "s4", "s5"));
  const ObjectReferences of_one = EnvironmentReferences(pod.spec().containers(0));
  EXPECT_THAT(of_one.config_maps, ElementsAre("c2"));
  EXPECT_THAT(of_one.secrets, ElementsAre("s2"));
}

TEST(ObjectReferences, APodWithoutAnyHasNone) {
  const ObjectReferences none = PodReferences(Parse("spec: {containers: [{name: c}]}"));
  EXPECT_THAT(none.config_maps, IsEmpty());
  EXPECT_THAT(none.secrets, IsEmpty());
}

}  // namespace
}  // namespace cubelet::pods
