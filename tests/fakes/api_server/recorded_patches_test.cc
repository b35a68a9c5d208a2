// The status patches that the Go kubelet sent (tests/golden/api): each one is applied to the object
// as it was, and our patch from the old object to the new one must equal it.
#include <google/protobuf/message.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <memory>
#include <string>

#include "api/codec.h"
#include "api/merge_patch.h"
#include "api/types.h"
#include "api/yaml.h"
#include "base/strings.h"
#include "fakes/api_server/patch_apply.h"

namespace cubelet::fakes {
namespace {

namespace json = boost::json;
using google::protobuf::Message;

std::string TextOf(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  return value == nullptr || !value->is_string() ? "" : std::string(value->get_string().c_str());
}

// "/api/v1/nodes/lab/status?timeout=10s" is "/api/v1/nodes/lab".
std::string ObjectPath(std::string uri) {
  uri.resize(std::min(uri.find('?'), uri.size()));
  const std::string_view subresource = "/status";
  if (uri.ends_with(subresource)) uri.resize(uri.size() - subresource.size());
  return uri;
}

// What a scheduler leaves of a pod that the API server has just stored.
json::object ScheduledPod() {
  return api::ParseYaml(
             "{metadata: {}, spec: {containers: []}, status: {phase: Pending, qosClass: "
             "BestEffort, conditions: [{type: PodScheduled, status: 'True', lastProbeTime: null, "
             "lastTransitionTime: '2026-11-24T00:55:20Z'}]}}")
      ->as_object();
}

json::object WithoutTypeMeta(json::object object) {
  object.erase("kind");
  object.erase("apiVersion");
  return object;
}

// A patch of an event always names these three (node.md 19.4).
void ForgetWhatCombiningChanges(json::object& event) {
  for (const char* member : {"count", "lastTimestamp", "message"}) event.erase(member);
}

class RecordedPatches : public testing::Test {
 protected:
  void Check(const json::object& request) {
    const std::string path = ObjectPath(TextOf(request, "uri"));
    const json::object& body = request.at("body").as_object();
    if (TextOf(request, "verb") == "create") {
      objects_[path + "/" + TextOf(body.at("metadata").as_object(), "name")] =
          WithoutTypeMeta(body);
      return;
    }
    if (!objects_.contains(path)) objects_[path] = ScheduledPod();
    if (path.find("/events/") != std::string::npos) ForgetWhatCombiningChanges(objects_[path]);
    std::unique_ptr<Message> type = TypeOf(path);
    const auto after = ApplyStrategicMergePatch(objects_[path], body, type->GetDescriptor());
    ASSERT_TRUE(after.ok()) << path << ": " << after.status();
    ExpectSamePatch(path, Reread(objects_[path], *type), Reread(*after, *type), body, *type);
    objects_[path] = *after;
    ++patches_;
  }

  int patches_ = 0;

 private:
  static std::unique_ptr<Message> TypeOf(const std::string& path) {
    if (path.find("/events/") != std::string::npos) return std::make_unique<v1::Event>();
    if (path.find("/pods/") != std::string::npos) return std::make_unique<v1::Pod>();
    return std::make_unique<v1::Node>();
  }

  // Through our types, as the agent has it.
  static json::object Reread(const json::object& object, const Message& type) {
    std::unique_ptr<Message> message(type.New());
    const absl::Status status = api::FromJson(object, *message, {.strict = true});
    EXPECT_TRUE(status.ok()) << status;
    return api::ToJson(*message).as_object();
  }

  // Go holds an image's empty list of names against the absent one that the API server gives back,
  // and so sends all images again and again. We do not.
  static void ForgetImagesSentAgain(json::object& want, const json::object& got) {
    json::object& status = want["status"].as_object();
    const json::value* images = status.if_contains("images");
    if (images == nullptr || api::Serialize(*images).find(R"("names":[])") == std::string::npos)
      return;
    const json::value* ours = got.if_contains("status");
    if (ours == nullptr || !ours->as_object().contains("images")) status.erase("images");
    if (status.empty()) want.erase("status");
  }

  // The uid is a precondition, never a difference.
  static void ExpectSamePatch(const std::string& path, json::object before, json::object after,
                              json::object want, const Message& type) {
    before["metadata"] = json::object();
    json::object metadata;
    if (const json::value* sent = want.if_contains("metadata")) metadata["uid"] = sent->at("uid");
    after["metadata"] = metadata;
    const auto got = api::CreateTwoWayMergePatch(before, after, type.GetDescriptor());
    ASSERT_TRUE(got.ok()) << path << ": " << got.status();
    if (type.GetDescriptor() == v1::Node::descriptor()) ForgetImagesSentAgain(want, *got);
    EXPECT_EQ(json::value(*got), json::value(want))
        << path << "\n got " << api::Serialize(*got) << "\nwant " << api::Serialize(want);
  }

  std::map<std::string, json::object> objects_;
};

TEST_F(RecordedPatches, AreWhatWeWouldSend) {
  std::ifstream recording(std::string(CUBELET_SOURCE_DIR) + "/tests/golden/api/conversation.jsonl");
  ASSERT_TRUE(recording.good());
  for (std::string line; std::getline(recording, line);) {
    const json::object request = api::ParseJson(line)->as_object();
    const std::string uri = TextOf(request, "uri");
    const std::string verb = TextOf(request, "verb");
    const bool created =
        verb == "create" && request.contains("body") && TextOf(request, "uri").ends_with("/events");
    const bool node = verb == "create" && uri == "/api/v1/nodes" && request.at("code") == 201;
    const bool mirror = verb == "create" && uri.ends_with("/pods") && request.at("code") == 201;
    if (verb == "patch" || created || node || mirror) Check(request);
    if (HasFatalFailure()) return;
  }
  EXPECT_EQ(patches_, 63);
}

}  // namespace
}  // namespace cubelet::fakes
