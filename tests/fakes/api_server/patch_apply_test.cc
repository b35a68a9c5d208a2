#include "fakes/api_server/patch_apply.h"

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <string>

#include "api/codec.h"
#include "api/types.h"
#include "api/yaml.h"
#include "base/status.h"
#include "base/strings.h"

namespace cubelet::fakes {
namespace {

namespace json = boost::json;

json::value Parse(std::string_view yaml) {
  const absl::StatusOr<json::value> value = api::ParseYaml(yaml);
  EXPECT_TRUE(value.ok()) << value.status();
  return value.ok() ? *value : json::value();
}

std::string Strategic(std::string_view original, std::string_view patch) {
  const auto result = ApplyStrategicMergePatch(Parse(original).as_object(),
                                               Parse(patch).as_object(), v1::Pod::descriptor());
  return result.ok() ? api::Serialize(*result) : std::string(Message(result.status()));
}

TEST(ApplyStrategicMergePatch, MergesListsByTheirKeyInTheOrderGiven) {
  EXPECT_EQ(Strategic("{status: {conditions: [{type: A, status: x}, {type: B}, {type: C}]}}",
                      "{status: {$setElementOrder/conditions: [{type: D}, {type: A}, {type: C}],"
                      "conditions: [{type: A, status: z}, {type: D}, {type: B, $patch: delete}]}}"),
            R"({"status":{"conditions":[{"type":"D"},{"type":"A","status":"z"},{"type":"C"}]}})");
}

TEST(ApplyStrategicMergePatch, KeepsWhatThePatchDoesNotKnowInItsPlace) {
  EXPECT_EQ(Strategic("{spec: {containers: [{name: a}, {name: other}, {name: b}]}}",
                      "{spec: {$setElementOrder/containers: [{name: a}, {name: b}]}}"),
            R"({"spec":{"containers":[{"name":"a"},{"name":"other"},{"name":"b"}]}})");
}

TEST(ApplyStrategicMergePatch, ReplacesOnRequest) {
  EXPECT_EQ(Strategic("{spec: {containers: [{name: a}]}}",
                      "{spec: {containers: [{name: b}, {$patch: replace}]}}"),
            R"({"spec":{"containers":[{"name":"b"}]}})");
  EXPECT_EQ(
      Strategic("{metadata: {labels: {a: x}}}", "{metadata: {labels: {$patch: replace, b: z}}}"),
      R"({"metadata":{"labels":{"b":"z"}}})");
}

TEST(ApplyStrategicMergePatch, RetainsTheNamedKeysAlone) {
  EXPECT_EQ(Strategic("{spec: {volumes: [{name: v, emptyDir: {}}]}}",
                      "{spec: {volumes: [{name: v, $retainKeys: [name, hostPath],"
                      "hostPath: {path: /a}}]}}"),
            R"({"spec":{"volumes":[{"name":"v","hostPath":{"path":"/a"}}]}})");
}

TEST(ApplyStrategicMergePatch, TakesStringsOneByOne) {
  EXPECT_EQ(Strategic("{metadata: {finalizers: [a, b]}}",
                      "{metadata: {$deleteFromPrimitiveList/finalizers: [a], finalizers: [c],"
                      "$setElementOrder/finalizers: [c, b]}}"),
            R"({"metadata":{"finalizers":["c","b"]}})");
  EXPECT_EQ(Strategic("{metadata: {finalizers: [a, b]}}",
                      "{metadata: {$deleteFromPrimitiveList/finalizers: [a]}}"),
            R"({"metadata":{"finalizers":["b"]}})");
}

TEST(ApplyStrategicMergePatch, RefusesItemsWithoutTheirKey) {
  EXPECT_EQ(Strategic("{}", "{spec: {containers: [{image: x}]}}"),
            R"(spec: containers: {"image":"x"} does not contain declared merge key: name)");
}

TEST(ApplyMergePatch, SetsAndRemoves) {
  EXPECT_EQ(api::Serialize(ApplyMergePatch(Parse("{a: {b: 1, c: 2}, d: [1]}"),
                                           Parse("{a: {b: null, e: {f: null, g: 3}}, d: [2]}"))),
            R"({"a":{"c":2,"e":{"g":3}},"d":[2]})");
}

std::string JsonPatch(std::string_view original, std::string_view patch) {
  const auto result = ApplyJsonPatch(Parse(original), Parse(patch).as_array());
  return result.ok() ? api::Serialize(*result) : std::string(Message(result.status()));
}

TEST(ApplyJsonPatch, KnowsAllOperations) {
  EXPECT_EQ(JsonPatch("{a: [1, 3]}", "[{op: add, path: /a/1, value: 2}]"), R"({"a":[1,2,3]})");
  EXPECT_EQ(JsonPatch("{a: [1]}", "[{op: add, path: /a/-, value: 2}]"), R"({"a":[1,2]})");
  EXPECT_EQ(JsonPatch("{a: [1, 2]}", "[{op: remove, path: /a/0}]"), R"({"a":[2]})");
  EXPECT_EQ(JsonPatch("{a: 1}", "[{op: replace, path: /a, value: x}]"), R"({"a":"x"})");
  EXPECT_EQ(JsonPatch("{a: 1}", "[{op: move, from: /a, path: /b}]"), R"({"b":1})");
  EXPECT_EQ(JsonPatch("{a: 1}", "[{op: copy, from: /a, path: /b}]"), R"({"a":1,"b":1})");
  EXPECT_EQ(JsonPatch("{'x/y': {'~': 1}}", "[{op: remove, path: /x~1y/~0}]"), R"({"x/y":{}})");
}

TEST(ApplyJsonPatch, SaysWhatIsWrong) {
  EXPECT_EQ(JsonPatch("{a: 1}", "[{op: test, path: /a, value: 2}]"),
            "operation 0: the test failed");
  EXPECT_EQ(JsonPatch("{a: 1}", "[{op: remove, path: /b}]"), R"(operation 0: there is no "b")");
  EXPECT_EQ(JsonPatch("{a: [1]}", "[{op: add, path: /a/5, value: 2}]"),
            R"(operation 0: there is no "5")");
  EXPECT_EQ(JsonPatch("{a: 1}", "[{op: turn, path: /a}]"),
            R"(operation 0: unknown operation "turn")");
  EXPECT_EQ(JsonPatch("{a: 1}", "[{op: add, path: a, value: 1}]"),
            R"(operation 0: path "a" does not begin with /)");
}

}  // namespace
}  // namespace cubelet::fakes
