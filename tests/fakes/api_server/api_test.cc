// What clients can do with objects: creation, updates, conflicts, deletion, subresources, lists.
#include "fakes/api_server/api.h"

#include <gtest/gtest.h>

#include "base/strings.h"
#include "fakes/api_server/test_request.h"

namespace cubelet::fakes {
namespace {

const std::string kWeb = StrCat(kPods, "/web");
constexpr const char* kStrategic = "application/strategic-merge-patch+json";
constexpr const char* kMerge = "application/merge-patch+json";

TEST_F(FakeApiTest, CreatesPodsWithDefaults) {
  CreatePod("web");
  const ApiAnswer pod = Ask("GET", kWeb);
  EXPECT_EQ(pod.code, 200);
  EXPECT_EQ(At(pod, "/kind"), "Pod");
  EXPECT_EQ(At(pod, "/metadata/generation"), "1");
  EXPECT_EQ(At(pod, "/metadata/uid").size(), 36);
  EXPECT_EQ(At(pod, "/spec/restartPolicy"), "Always");
  EXPECT_EQ(At(pod, "/status/phase"), "Pending");
  EXPECT_EQ(At(pod, "/status/qosClass"), "BestEffort");
}

TEST_F(FakeApiTest, SaysWhatIsWrongWithARequest) {
  CreatePod("web");
  const ApiAnswer twice = Ask("POST", kPods, "{metadata: {name: web}, spec: {containers: []}}");
  EXPECT_EQ(twice.code, 409);
  EXPECT_EQ(At(twice, "/reason"), "AlreadyExists");
  EXPECT_EQ(At(twice, "/message"), "pods \"web\" already exists");
  const ApiAnswer missing = Ask("GET", "/apis/coordination.k8s.io/v1/namespaces/default/leases/x");
  EXPECT_EQ(missing.code, 404);
  EXPECT_EQ(At(missing, "/message"), "leases.coordination.k8s.io \"x\" not found");
  EXPECT_EQ(Ask("POST", "/api/v1/namespaces/none/pods", "{metadata: {name: a}}").code, 404);
  EXPECT_EQ(Ask("GET", "/api/v1/namespaces/default/puds").code, 404);
  EXPECT_EQ(Ask("GET", StrCat(kWeb, "/puds")).code, 404);
  EXPECT_EQ(Ask("PUT", kPods, "{}").code, 405);
  EXPECT_EQ(Ask("POST", kPods, "{metadata: []}").code, 400);
  EXPECT_EQ(Ask("POST", StrCat(kPods, "?fieldValidation=Strict"), "{spec: {nope: 1}}").code, 400);
  EXPECT_EQ(Ask("POST", kPods, "{}").code, 422);
}

TEST_F(FakeApiTest, MakesNamesFromGenerateName) {
  const ApiAnswer made = Ask("POST", kPods, "{metadata: {generateName: web-}}");
  EXPECT_TRUE(At(made, "/metadata/name").starts_with("web-"));
  EXPECT_EQ(At(made, "/metadata/name").size(), 9);
}

TEST_F(FakeApiTest, RefusesUpdatesOfAnOldVersion) {
  CreatePod("web");
  const auto read = api_.Get<v1::Pod>("default", "web");
  ASSERT_TRUE(read.ok());
  v1::Pod first = *read;
  (*first.mutable_metadata()->mutable_labels())["a"] = "x";
  ASSERT_TRUE(api_.Update(first).ok());
  v1::Pod second = *read;
  (*second.mutable_metadata()->mutable_labels())["b"] = "y";
  EXPECT_EQ(api_.Update(second).status().code(), absl::StatusCode::kAborted);
  second.mutable_metadata()->clear_resourceversion();
  EXPECT_TRUE(api_.Update(second).ok());
}

TEST_F(FakeApiTest, KeepsTheVersionWhenNothingChanges) {
  CreatePod("web");
  const std::string before = At(Ask("GET", kWeb), "/metadata/resourceVersion");
  Ask("PATCH", kWeb, "{metadata: {labels: {}}}", kMerge);
  EXPECT_EQ(At(Ask("GET", kWeb), "/metadata/resourceVersion"), before);
}

TEST_F(FakeApiTest, KeepsStatusAndTheRestApart) {
  CreatePod("web");
  const std::string status = StrCat(kWeb, "/status");
  const ApiAnswer patched = Ask(
      "PATCH", status,
      "{metadata: {labels: {a: b}}, spec: {nodeName: x}, status: {phase: Running}}", kStrategic);
  EXPECT_EQ(At(patched, "/status/phase"), "Running");
  EXPECT_EQ(At(patched, "/spec/nodeName"), "-");
  EXPECT_EQ(At(patched, "/metadata/labels"), "-");
  EXPECT_EQ(At(patched, "/metadata/generation"), "1");
  Ask("PATCH", kWeb, "{status: {phase: Failed}, spec: {activeDeadlineSeconds: 5}}", kStrategic);
  EXPECT_EQ(At(Ask("GET", kWeb), "/status/phase"), "Running");
  EXPECT_EQ(At(Ask("GET", kWeb), "/metadata/generation"), "2");
}

TEST_F(FakeApiTest, TakesTheUidOfAPatchAsAPrecondition) {
  CreatePod("web");
  const ApiAnswer other = Ask("PATCH", StrCat(kWeb, "/status"),
                              "{metadata: {uid: other}, status: {phase: Running}}", kStrategic);
  EXPECT_EQ(other.code, 409);
  EXPECT_EQ(At(other, "/reason"), "Conflict");
  EXPECT_EQ(At(Ask("GET", kWeb), "/status/phase"), "Pending");
}

TEST_F(FakeApiTest, KnowsThreeKindsOfPatches) {
  CreatePod("web");
  EXPECT_EQ(Ask("PATCH", kWeb, "[{op: add, path: /metadata/labels, value: {a: x}}]",
                "application/json-patch+json")
                .code,
            200);
  EXPECT_EQ(Ask("PATCH", kWeb, "{metadata: {labels: {b: z}}}", kMerge).code, 200);
  EXPECT_EQ(At(Ask("GET", kWeb), "/metadata/labels"), R"({"a":"x","b":"z"})");
  EXPECT_EQ(Ask("PATCH", kWeb, "{}", "application/apply-patch+yaml").code, 400);
  EXPECT_EQ(
      Ask("PATCH", kWeb, "[{op: remove, path: /spec/none}]", "application/json-patch+json").code,
      400);
}

TEST_F(FakeApiTest, BindsAPodOnce) {
  CreatePod("web");
  const std::string binding = "{metadata: {name: web}, target: {kind: Node, name: lab}}";
  EXPECT_EQ(Ask("POST", StrCat(kWeb, "/binding"), binding).code, 201);
  const ApiAnswer pod = Ask("GET", kWeb);
  EXPECT_EQ(At(pod, "/spec/nodeName"), "lab");
  EXPECT_EQ(At(pod, "/status/conditions/0/type"), "PodScheduled");
  EXPECT_EQ(Ask("POST", StrCat(kWeb, "/binding"), binding).code, 409);
}

TEST_F(FakeApiTest, DeletesPodsOnNodesGracefully) {
  CreatePod("web");
  ASSERT_TRUE(api_.objects().Bind("default", "web", "lab").ok());
  const ApiAnswer asked = Ask("DELETE", kWeb);
  EXPECT_EQ(At(asked, "/metadata/deletionGracePeriodSeconds"), "30");
  EXPECT_EQ(At(asked, "/metadata/generation"), "2");
  const std::string when = At(asked, "/metadata/deletionTimestamp");
  EXPECT_NE(when, "-");
  // Longer than what is left changes nothing; shorter does.
  Ask("DELETE", StrCat(kWeb, "?gracePeriodSeconds=60"));
  EXPECT_EQ(At(Ask("GET", kWeb), "/metadata/deletionTimestamp"), when);
  Ask("DELETE", kWeb, "{gracePeriodSeconds: 5}");
  EXPECT_EQ(At(Ask("GET", kWeb), "/metadata/deletionGracePeriodSeconds"), "5");
  const ApiAnswer wrong = Ask("DELETE", kWeb, "{gracePeriodSeconds: 0, preconditions: {uid: x}}");
  EXPECT_EQ(wrong.code, 409);
  EXPECT_EQ(Ask("DELETE", kWeb, "{gracePeriodSeconds: 0}").code, 200);
  EXPECT_EQ(Ask("GET", kWeb).code, 404);
}

TEST_F(FakeApiTest, DeletesPodsThatNobodyRunsAtOnce) {
  CreatePod("web");
  EXPECT_EQ(Ask("DELETE", kWeb).code, 200);
  EXPECT_EQ(Ask("GET", kWeb).code, 404);
}

TEST_F(FakeApiTest, EvictsPods) {
  CreatePod("web");
  ASSERT_TRUE(api_.objects().Bind("default", "web", "lab").ok());
  EXPECT_EQ(Ask("POST", StrCat(kWeb, "/eviction"), "{deleteOptions: {gracePeriodSeconds: 7}}").code,
            201);
  EXPECT_EQ(At(Ask("GET", kWeb), "/metadata/deletionGracePeriodSeconds"), "7");
}

TEST_F(FakeApiTest, HoldsObjectsUntilTheirFinalizersAreGone) {
  CreatePod("web", ", finalizers: [a/b]");
  Ask("DELETE", kWeb);
  EXPECT_NE(At(Ask("GET", kWeb), "/metadata/deletionTimestamp"), "-");
  Ask("PATCH", kWeb, "{metadata: {finalizers: null}}", kMerge);
  EXPECT_EQ(Ask("GET", kWeb).code, 404);
}

TEST_F(FakeApiTest, TakesContentsAlongWithANamespace) {
  ASSERT_EQ(Ask("POST", "/api/v1/namespaces", "{metadata: {name: foo}}").code, 201);
  EXPECT_EQ(Ask("GET", "/api/v1/namespaces/foo/serviceaccounts/default").code, 200);
  EXPECT_EQ(Ask("DELETE", "/api/v1/namespaces/foo").code, 200);
  EXPECT_EQ(Ask("GET", "/api/v1/namespaces/foo/serviceaccounts/default").code, 404);
}

TEST_F(FakeApiTest, SelectsWhatIsListed) {
  CreatePod("a", ", labels: {app: web}");
  CreatePod("b", ", labels: {app: db}");
  ASSERT_TRUE(api_.objects().Bind("default", "b", "lab").ok());
  const auto names = [&](const std::string& query) {
    const ApiAnswer list = Ask("GET", StrCat("/api/v1/pods?", query));
    std::string text;
    for (int i = 0; At(list, StrCat("/items/", i)) != "-"; ++i)
      text += At(list, StrCat("/items/", i, "/metadata/name"));
    return text;
  };
  EXPECT_EQ(names(""), "ab");
  EXPECT_EQ(names("labelSelector=app%3Dweb"), "a");
  EXPECT_EQ(names("labelSelector=app+in+(web,db)"), "ab");
  EXPECT_EQ(names("fieldSelector=spec.nodeName%3Dlab"), "b");
  EXPECT_EQ(names("fieldSelector=metadata.name!%3Db,status.phase=Pending"), "a");
  EXPECT_EQ(Ask("GET", "/api/v1/pods?fieldSelector=nonsense").code, 400);
}

TEST_F(FakeApiTest, ListsInPieces) {
  for (const char* name : {"a", "b", "c"}) CreatePod(name);
  const ApiAnswer first = Ask("GET", StrCat(kPods, "?limit=2"));
  EXPECT_EQ(At(first, "/items/1/metadata/name"), "b");
  EXPECT_EQ(At(first, "/metadata/remainingItemCount"), "1");
  const ApiAnswer second =
      Ask("GET", StrCat(kPods, "?limit=2&continue=", At(first, "/metadata/continue")));
  EXPECT_EQ(At(second, "/items/0/metadata/name"), "c");
  EXPECT_EQ(At(second, "/metadata/continue"), "-");
}

TEST_F(FakeApiTest, DeletesCollections) {
  CreatePod("a", ", labels: {app: web}");
  CreatePod("b");
  EXPECT_EQ(Ask("DELETE", StrCat(kPods, "?labelSelector=app")).code, 200);
  EXPECT_EQ(Ask("GET", StrCat(kPods, "/a")).code, 404);
  EXPECT_EQ(Ask("GET", StrCat(kPods, "/b")).code, 200);
}

TEST_F(FakeApiTest, RecordsTheConversation) {
  api_.ForgetRequests();
  Ask("GET", StrCat(kWeb, "?resourceVersion=0"));
  ASSERT_EQ(api_.requests().size(), 1);
  EXPECT_EQ(api_.requests()[0].path, kWeb);
  EXPECT_EQ(api_.requests()[0].query, "resourceVersion=0");
  EXPECT_EQ(api_.requests()[0].user, "system:anonymous");
  EXPECT_EQ(api_.requests()[0].code, 404);
}

}  // namespace
}  // namespace cubelet::fakes
