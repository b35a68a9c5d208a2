#include "api/merge_patch.h"

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <boost/json/value.hpp>
#include <string>

#include "api/codec.h"
#include "api/pod_test_util.h"
#include "api/yaml.h"

namespace cubelet::api {
namespace {

namespace json = boost::json;

json::value Parse(std::string_view yaml) {
  const absl::StatusOr<json::value> value = ParseYaml(yaml);
  EXPECT_TRUE(value.ok()) << value.status();
  return value.ok() ? *value : json::value();
}

// The patch as text; an error as its message.
std::string PatchText(std::string_view from, std::string_view to,
                      const google::protobuf::Descriptor* type) {
  const auto patch = CreateTwoWayMergePatch(Parse(from).as_object(), Parse(to).as_object(), type);
  return patch.ok() ? Serialize(*patch) : std::string(Message(patch.status()));
}

std::string PodPatch(std::string_view from, std::string_view to) {
  return PatchText(from, to, v1::Pod::descriptor());
}

TEST(CreateTwoWayMergePatch, OfEqualObjectsIsEmpty) {
  EXPECT_EQ(PodPatch("{status: {phase: Running}}", "{status: {phase: Running}}"), "{}");
}

TEST(CreateTwoWayMergePatch, SetsWhatIsNewAndNullsWhatIsGone) {
  EXPECT_EQ(PodPatch("{status: {phase: Pending, reason: Evicted}}",
                     "{status: {phase: Running, podIP: 10.0.0.1}}"),
            R"({"status":{"phase":"Running","podIP":"10.0.0.1","reason":null}})");
}

TEST(CreateTwoWayMergePatch, MergesConditionsByTypeAndGivesTheirOrder) {
  EXPECT_EQ(
      PodPatch("{status: {conditions: [{type: Ready, status: 'False', reason: x},"
               "{type: Old, status: 'True'}, {type: Same, status: 'True'}]}}",
               "{status: {conditions: [{type: New, status: 'True'},"
               "{type: Ready, status: 'True'}, {type: Same, status: 'True'}]}}"),
      R"({"status":{"$setElementOrder/conditions":[{"type":"New"},{"type":"Ready"},)"
      R"({"type":"Same"}],"conditions":[{"status":"True","type":"New"},)"
      R"({"reason":null,"status":"True","type":"Ready"},{"$patch":"delete","type":"Old"}]}})");
}

TEST(CreateTwoWayMergePatch, GivesTheOrderAloneWhenOnlyItChanged) {
  EXPECT_EQ(PodPatch("{status: {podIPs: [{ip: 10.0.0.1}, {ip: fd00::1}]}}",
                     "{status: {podIPs: [{ip: fd00::1}, {ip: 10.0.0.1}]}}"),
            R"({"status":{"$setElementOrder/podIPs":[{"ip":"fd00::1"},{"ip":"10.0.0.1"}]}})");
}

TEST(CreateTwoWayMergePatch, ReplacesContainerStatusesWhole) {
  EXPECT_EQ(PodPatch("{status: {containerStatuses: [{name: a, ready: false}, {name: b}]}}",
                     "{status: {containerStatuses: [{name: a, ready: true}, {name: b}]}}"),
            R"({"status":{"containerStatuses":[{"name":"a","ready":true},{"name":"b"}]}})");
}

TEST(CreateTwoWayMergePatch, ReplacesTaintsWhole) {
  EXPECT_EQ(PatchText("{spec: {taints: [{key: a, effect: NoSchedule}]}}",
                      "{spec: {taints: [{key: a, effect: NoExecute}, {key: b}]}}",
                      v1::Node::descriptor()),
            R"({"spec":{"taints":[{"effect":"NoExecute","key":"a"},{"key":"b"}]}})");
}

TEST(CreateTwoWayMergePatch, TakesFinalizersOneByOne) {
  EXPECT_EQ(
      PodPatch("{metadata: {finalizers: [a/a, b/b]}}", "{metadata: {finalizers: [b/b, c/c]}}"),
      R"({"metadata":{"$deleteFromPrimitiveList/finalizers":["a/a"],)"
      R"("$setElementOrder/finalizers":["b/b","c/c"],"finalizers":["c/c"]}})");
}

TEST(CreateTwoWayMergePatch, NamesWhatStaysOfAVolume) {
  EXPECT_EQ(PodPatch("{spec: {volumes: [{name: data, emptyDir: {}}]}}",
                     "{spec: {volumes: [{name: data, hostPath: {path: /srv}}]}}"),
            R"({"spec":{"$setElementOrder/volumes":[{"name":"data"}],"volumes":)"
            R"([{"$retainKeys":["hostPath","name"],"emptyDir":null,"hostPath":{"path":"/srv"},)"
            R"("name":"data"}]}})");
}

TEST(CreateTwoWayMergePatch, MergesPortsByTheirNumber) {
  EXPECT_EQ(PodPatch("{spec: {containers: [{name: a, ports: [{containerPort: 80, name: http}]}]}}",
                     "{spec: {containers: [{name: a, ports: [{containerPort: 80, name: web}]}]}}"),
            R"({"spec":{"$setElementOrder/containers":[{"name":"a"}],"containers":)"
            R"([{"$setElementOrder/ports":[{"containerPort":80}],"name":"a","ports":)"
            R"([{"containerPort":80,"name":"web"}]}]}})");
}

TEST(CreateTwoWayMergePatch, RefusesItemsWithoutTheirKey) {
  EXPECT_EQ(PodPatch("{status: {conditions: [{status: 'True'}]}}",
                     "{status: {conditions: [{type: Ready}]}}"),
            R"(status: conditions: an item lacks the key "type" by which it is merged)");
  EXPECT_EQ(PodPatch("{status: {conditions: [{type: Ready}]}}", "{status: {conditions: [Ready]}}"),
            R"(status: conditions: an item lacks the key "type" by which it is merged)");
}

TEST(CreateTwoWayMergePatch, MergesMapsWithoutASchema) {
  EXPECT_EQ(PodPatch("{metadata: {labels: {a: x, b: y}}}", "{metadata: {labels: {a: x, c: z}}}"),
            R"({"metadata":{"labels":{"b":null,"c":"z"}}})");
}

TEST(PodStatusPatch, CarriesTheUidUnlessNothingChanged) {
  const auto from = FromYaml<v1::PodStatus>("{phase: Pending}");
  const auto to = FromYaml<v1::PodStatus>("{phase: Running}");
  EXPECT_EQ(Serialize(*PodStatusPatch("u-1", from, to)),
            R"({"metadata":{"uid":"u-1"},"status":{"phase":"Running"}})");
  EXPECT_TRUE(PodStatusPatch("u-1", to, to)->empty());
}

TEST(NodeStatusPatch, ReplacesAddressesThatDiffer) {
  const auto from =
      FromYaml<v1::NodeStatus>("{addresses: [{type: InternalIP, address: 10.0.0.1}]}");
  const auto to = FromYaml<v1::NodeStatus>(
      "{addresses: [{type: InternalIP, address: 10.0.0.2},"
      "{type: InternalIP, address: 'fd00::2'}]}");
  EXPECT_EQ(Serialize(*NodeStatusPatch(from, to)),
            R"({"status":{"addresses":[{"address":"10.0.0.2","type":"InternalIP"},)"
            R"({"address":"fd00::2","type":"InternalIP"},{"$patch":"replace"}]}})");
  EXPECT_TRUE(NodeStatusPatch(to, to)->empty());
}

}  // namespace
}  // namespace cubelet::api
