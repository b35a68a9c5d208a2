#include "sources/static_pod.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "api/pod.h"
#include "api/yaml.h"
#include "base/strings.h"

namespace cubelet::sources {
namespace {

const Origin kFile{"file", "/etc/manifests/a.yaml", "node-1"};
const Origin kHttp{"http", "http://x/pods", "node-1"};

constexpr char kWeb[] = R"(
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  containers: [{name: c, image: busybox}]
)";

std::string Manifest(const std::string& metadata, const std::string& spec = "") {
  return StrCat("{apiVersion: v1, kind: Pod, metadata: {", metadata,
                "}, spec: {containers: [{name: c, image: busybox}]", spec, "}}");
}

std::string ErrorOf(std::string_view text, const Origin& origin = kFile) {
  const auto pod = ParseStaticPod(text, origin);
  return pod.ok() ? "" : std::string(Message(pod.status()));
}

// 1.5
TEST(StaticPodTest, Defaults) {
  const auto parsed = ParseStaticPod(kWeb, kFile);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  const v1::Pod& pod = **parsed;
  EXPECT_EQ(pod.metadata().name(), "web-node-1");
  EXPECT_EQ(pod.metadata().namespace_(), "default");
  EXPECT_EQ(pod.metadata().uid().size(), 32U);
  EXPECT_EQ(*api::FindAnnotation(pod, api::kConfigHashAnnotation), pod.metadata().uid());
  EXPECT_TRUE(api::IsStatic(pod));
  EXPECT_EQ(pod.spec().nodename(), "node-1");
  EXPECT_EQ(pod.spec().restartpolicy(), "Always");
  EXPECT_EQ(pod.spec().containers(0).imagepullpolicy(), "Always");
  EXPECT_EQ(pod.status().phase(), "Pending");
  ASSERT_EQ(pod.spec().tolerations_size(), 1);
  EXPECT_EQ(pod.spec().tolerations(0).operator_(), "Exists");
  EXPECT_EQ(pod.spec().tolerations(0).effect(), "NoExecute");

  const auto remote = ParseStaticPod(kWeb, kHttp);
  ASSERT_TRUE(remote.ok());
  EXPECT_TRUE((*remote)->spec().tolerations().empty()) << "file source only";

  const auto merged = ParseStaticPod(
      Manifest("name: a",
               ", tolerations: [{operator: Exists, effect: NoExecute, tolerationSeconds: 5}, {key: "
               "k, operator: Exists}]"),
      kFile);
  ASSERT_TRUE(merged.ok()) << merged.status();
  ASSERT_EQ((*merged)->spec().tolerations_size(), 2);
  EXPECT_FALSE((*merged)->spec().tolerations(0).has_tolerationseconds());
}

// 1.5.1
TEST(StaticPodTest, Uid) {
  const auto uid = [](std::string_view text, const Origin& origin) {
    const auto pod = ParseStaticPod(text, origin);
    EXPECT_TRUE(pod.ok()) << pod.status();
    return pod.ok() ? (*pod)->metadata().uid() : "";
  };
  const std::string first = uid(Manifest("name: a, namespace: b"), kFile);
  EXPECT_EQ(uid(Manifest("namespace: b, name: a"), kFile), first) << "the order of keys";
  EXPECT_EQ(uid(Manifest("name: a, namespace: b # comment\n"), kFile), first);
  EXPECT_EQ(uid(R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","namespace":"b"},)"
                R"("spec":{"containers":[{"name":"c","image":"busybox"}]}})",
                kFile),
            first)
      << "JSON and YAML";
  EXPECT_NE(uid(Manifest("name: a, namespace: c"), kFile), first) << "content";
  EXPECT_NE(uid(Manifest("name: a, namespace: b"), {"file", "/other.yaml", "node-1"}), first);
  EXPECT_NE(uid(Manifest("name: a, namespace: b"), {"file", kFile.location, "node-2"}), first);
  EXPECT_NE(uid(Manifest("name: a, namespace: b"), kHttp), first);
  EXPECT_EQ(uid(Manifest("name: a, uid: given-1"), kFile), "given-1");
}

// A change of the form would restart every static pod on upgrade.
TEST(StaticPodTest, UidIsPinned) {
  EXPECT_EQ(GenerateUid(*api::ParseYaml("{b: 1, a: [x, {d: null, c: true}]}"), kFile),
            GenerateUid(*api::ParseYaml("{a: [x, {c: true, d: null}], b: 1}"), kFile));
  EXPECT_EQ(GenerateUid(*api::ParseYaml("{a: 1}"), {"file", "/m", "n"}),
            "6c08f61e5288e6eefec9b40a57a9b299")
      << "FNV-1a of {\"a\":1} NUL host:n NUL file:/m";
}

TEST(StaticPodTest, ClusterStateIsDropped) {
  const auto pod = ParseStaticPod(
      R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","deletionTimestamp":"2026-01-01T00:00:00Z",
      "deletionGracePeriodSeconds":3,"annotations":{"kubernetes.io/config.mirror":"x"}},
      "spec":{"containers":[{"name":"c","image":"i"}]},
      "status":{"phase":"Failed","qosClass":"Guaranteed"}})",
      kFile);
  ASSERT_TRUE(pod.ok()) << pod.status();
  EXPECT_FALSE((*pod)->metadata().has_deletiontimestamp());
  EXPECT_FALSE((*pod)->metadata().has_deletiongraceperiodseconds());
  EXPECT_FALSE(api::IsMirror(**pod));
  EXPECT_EQ((*pod)->status().phase(), "Pending");
  EXPECT_EQ(api::GetQosClass(**pod), api::QosClass::kBestEffort);
}

// 1.3.7
TEST(StaticPodTest, Failures) {
  EXPECT_EQ(ErrorOf(Manifest("namespace: b")), "invalid pod: name is needed for the pod");
  EXPECT_EQ(ErrorOf("{apiVersion: v1, kind: Service}"),
            "invalid pod: want a Pod of apiVersion v1, got kind \"Service\" of apiVersion \"v1\"");
  EXPECT_EQ(ErrorOf("{apiVersion: v2, kind: Pod}"),
            "invalid pod: want a Pod of apiVersion v1, got kind \"Pod\" of apiVersion \"v2\"");
  for (const char* text :
       {"", "{", "a: [", "just text", "[1]", "42", "---\n---\n", "\xff\xfe",
        "{apiVersion: [v1], kind: Pod}", "&a [*a]", "{apiVersion: v1, kind: Pod, spec: 7}"}) {
    const std::string error = ErrorOf(text);
    EXPECT_TRUE(error.starts_with("couldn't parse as pod(") &&
                error.ends_with("), please check config file"))
        << text << " -> " << error;
  }
  EXPECT_TRUE(ErrorOf("{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {}}")
                  .starts_with("invalid pod: spec.containers: Required value"));
  for (const char* uid : {"../../etc", "a/b", ".", "..", "a b", "'-x'"})
    EXPECT_TRUE(ErrorOf(Manifest(StrCat("name: a, uid: ", uid)))
                    .starts_with("invalid pod: metadata.uid: Invalid value: "))
        << uid;
}

// 1.5.7
TEST(StaticPodTest, ApiReferences) {
  EXPECT_EQ(ErrorOf(Manifest("name: a", ", serviceAccountName: sa")),
            "static pods may not reference serviceaccounts");
  EXPECT_EQ(
      ErrorOf(Manifest("name: a", ", volumes: [{name: v, persistentVolumeClaim: {claimName: s}}]")),
      "static pods may not reference persistentvolumeclaims");
}

TEST(StaticPodTest, UnknownFieldsArePassedOver) {
  std::vector<std::string> unknown;
  const auto pod =
      ParseStaticPod(Manifest("name: a, colour: red", ", containres: []"), kFile, &unknown);
  ASSERT_TRUE(pod.ok()) << pod.status();
  EXPECT_EQ(unknown, (std::vector<std::string>{"metadata.colour", "spec.containres"}));
}

// 1.4.2
TEST(StaticPodsTest, PodOrList) {
  const auto one = ParseStaticPods(kWeb, kHttp);
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_EQ(one->pods.size(), 1U);

  const auto list = ParseStaticPods(
      "{apiVersion: v1, kind: PodList, items: [{metadata: {name: a}, spec: {containers: [{name: c, "
      "image: i}]}}, {apiVersion: v1, kind: Pod, metadata: {name: b}, spec: {containers: [{name: "
      "c, image: i}]}}, {metadata: {}}, {kind: Service}]}",
      kHttp);
  ASSERT_TRUE(list.ok()) << list.status();
  ASSERT_EQ(list->pods.size(), 2U);
  EXPECT_EQ(list->pods[1]->metadata().name(), "b-node-1");
  EXPECT_NE(list->pods[0]->metadata().uid(), list->pods[1]->metadata().uid());
  EXPECT_EQ(list->problems.at("items[2]"), "invalid pod: name is needed for the pod");
  EXPECT_EQ(list->problems.size(), 2U);

  EXPECT_TRUE(ParseStaticPods("{apiVersion: v1, kind: PodList}", kHttp)->pods.empty());
  EXPECT_FALSE(ParseStaticPods("{apiVersion: v1, kind: PodList, items: 3}", kHttp).ok());
  EXPECT_FALSE(ParseStaticPods("{apiVersion: v1, kind: ConfigMap}", kHttp).ok());
}

}  // namespace
}  // namespace cubelet::sources
