#include "kube/event_object.h"

#include <gtest/gtest.h>

#include <string>

#include "api/codec.h"
#include "api/names.h"
#include "api/yaml.h"

namespace cubelet::kube {
namespace {

constexpr int64_t kNanos = 0x18ead51a13f4156f;

api::ObjectReference Web() {
  return {.kind = "Pod",
          .name_space = "default",
          .name = "web-lab",
          .uid = "2bf90875577982e7ca273ae1daadabc6",
          .field_path = "spec.containers{web}"};
}

v1::Event Make(const api::ObjectReference& object, std::string message = "Container created") {
  return MakeEvent("lab", object, api::EventType::kNormal, "Created", message,
                   absl::FromUnixNanos(kNanos));
}

// As recorded of the Go kubelet.
TEST(MakeEvent, IsTheEventOfAContainer) {
  v1::Event recorded;
  const auto json = api::ParseJson(R"({
      "kind": "Event", "apiVersion": "v1",
      "metadata": {"name": "web-lab.18ead51a13f4156f", "namespace": "default"},
      "involvedObject": {"kind": "Pod", "namespace": "default", "name": "web-lab",
                         "uid": "2bf90875577982e7ca273ae1daadabc6", "apiVersion": "v1",
                         "fieldPath": "spec.containers{web}"},
      "reason": "Created", "message": "Container created",
      "source": {"component": "kubelet", "host": "lab"},
      "firstTimestamp": "2026-11-24T00:55:09Z", "lastTimestamp": "2026-11-24T00:55:09Z",
      "count": 1, "type": "Normal", "eventTime": null,
      "reportingComponent": "kubelet", "reportingInstance": "lab"})");
  ASSERT_TRUE(json.ok()) << json.status();
  ASSERT_TRUE(api::FromJson(*json, recorded).ok());
  EXPECT_EQ(api::Serialize(api::ToJson(Make(Web()))), api::Serialize(api::ToJson(recorded)));
}

TEST(MakeEvent, OfANodeIsInDefault) {
  const v1::Event made = Make({.kind = "Node", .name = "lab"});
  EXPECT_EQ(made.metadata().namespace_(), "default");
  EXPECT_EQ(api::Serialize(api::ToJson(made.involvedobject())),
            R"({"kind":"Node","name":"lab","apiVersion":"v1"})");
}

TEST(MakeEvent, HasANameThatTheServerTakes) {
  api::ObjectReference object = Web();
  object.name = std::string(253, 'a');
  const std::string name = Make(object).metadata().name();
  EXPECT_TRUE(api::Dns1123SubdomainFaults(name).empty()) << name;
  object.name[0] = 'b';
  EXPECT_NE(Make(object).metadata().name(), name);
}

TEST(MakeEvent, BoundsAndCleansTheMessage) {
  EXPECT_EQ(Make(Web(), std::string(1 << 20, 'x')).message().size(), kMaxEventMessageBytes);
  EXPECT_EQ(Make(Web(), "a\xff").message(), "a\xEF\xBF\xBD");
}

TEST(EventPatch, CountsOneMore) {
  v1::Event event = Make(Web(), "say \"hi\"");
  event.set_count(2);
  event.mutable_lasttimestamp()->set_seconds(1795481722);
  EXPECT_EQ(EventPatch(event),
            R"({"count":2,"lastTimestamp":"2026-11-24T00:55:22Z","message":"say \"hi\""})");
}

}  // namespace
}  // namespace cubelet::kube
