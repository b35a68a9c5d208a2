#include "kube/typed.h"

#include <gtest/gtest.h>

#include "base/strings.h"
#include "kube/errors.h"
#include "kube/object_codec.h"
#include "kube/test_loop.h"

namespace cubelet::kube {
namespace {

using TypedTest = LoopTest;

TEST(PathOf, IsTheApis) {
  EXPECT_EQ(PathOf(ResourceOf<v1::Pod>::kValue, "default", "web", "status"),
            "/api/v1/namespaces/default/pods/web/status");
  EXPECT_EQ(PathOf(ResourceOf<v1::Pod>::kValue, "", ""), "/api/v1/pods");
  EXPECT_EQ(PathOf(ResourceOf<coordinationv1::Lease>::kValue, "kube-node-lease", "lab"),
            "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/lab");
  EXPECT_EQ(PathOf(ResourceOf<v1::Node>::kValue, "", "lab"), "/api/v1/nodes/lab");
}

TEST(ObjectCodec, WritesAndReadsTheEnvelope) {
  v1::Node node;
  node.mutable_metadata()->set_name("lab");
  const std::string bytes = EncodeObject(node, "v1", "Node");
  EXPECT_EQ(bytes.substr(0, 4), std::string("k8s\0", 4));
  v1::Node read;
  EXPECT_TRUE(DecodeObject({kProtobufType, bytes}, read, "v1", "Node").ok());
  EXPECT_EQ(read.metadata().name(), "lab");
  EXPECT_EQ(Message(DecodeObject({kProtobufType, bytes}, read, "v1", "Pod")),
            "want a Pod of v1, got \"Node\"");
  EXPECT_TRUE(DecodeObject({"application/json; charset=utf-8",
                            R"({"kind":"Node","apiVersion":"v1","metadata":{"name":"json"}})"},
                           read, "v1", "Node")
                  .ok());
  EXPECT_EQ(read.metadata().name(), "json");
}

TEST(ObjectCodec, RefusesWhatIsNoObject) {
  v1::Node node;
  for (size_t size = 0; size < 40; ++size) {
    const std::string bytes = EncodeObject(node, "v1", "Node") + "\xff\xff";
    EXPECT_FALSE(DecodeObject({kProtobufType, bytes.substr(0, size)}, node, "v1", "Node").ok() &&
                 size < 4);
  }
  EXPECT_FALSE(DecodeObject({kProtobufType, "k8s"}, node, "v1", "Node").ok());
  EXPECT_FALSE(DecodeObject({"text/html", "<html>"}, node, "v1", "Node").ok());
  EXPECT_FALSE(DecodeObject({kJsonType, "{"}, node, "v1", "Node").ok());
  EXPECT_FALSE(DecodeWatchEvent({kJsonType, "{\"type\":3}"}).ok());
  EXPECT_FALSE(DecodeWatchEvent({kProtobufType, "\xff"}).ok());
}

TestReply Protobuf(int code, std::string body) {
  return {.code = code, .headers = {{"content-type", kProtobufType}}, .body = std::move(body)};
}

TestReply Refuse(int code, std::string reason, std::string message) {
  metav1::Status status;
  status.set_status("Failure");
  status.set_code(code);
  status.set_reason(reason);
  status.set_message(message);
  status.mutable_details()->set_retryafterseconds(7);
  return Protobuf(code, EncodeObject(status, "v1", "Status"));
}

async::Task<void> SpeaksOfRefusals(TestServer* server, Client* client) {
  server->OnRequest([](const TestRequest& request) {
    if (request.method == "GET") return Refuse(404, "NotFound", "pods \"web\" not found");
    if (request.method == "POST") return Refuse(409, "AlreadyExists", "exists");
    if (request.method == "PUT") return Refuse(409, "Conflict", "changed");
    return TestReply{.code = 403,
                     .headers = {{"content-type", "application/json"}},
                     .body = R"({"kind":"Status","apiVersion":"v1","status":"Failure",
                                 "message":"no","reason":"Forbidden","code":403})"};
  });
  const ObjectName web{"default", "web", ""};
  auto pod = co_await Get<v1::Pod>(client, web);
  EXPECT_TRUE(kube::IsNotFound(pod.status())) << pod.status();
  EXPECT_EQ(Message(pod.status()), "pods \"web\" not found");
  EXPECT_EQ(RetryAfter(pod.status()), absl::Seconds(7));
  pod = co_await Create(client, ObjectName{"default", "", ""}, v1::Pod());
  EXPECT_TRUE(kube::IsAlreadyExists(pod.status()) && absl::IsAlreadyExists(pod.status()));
  pod = co_await Update(client, web, v1::Pod());
  EXPECT_TRUE(IsConflict(pod.status()) && absl::IsAborted(pod.status()));
  pod = co_await Patch<v1::Pod>(client, web, PatchType::kMerge, "{}");
  EXPECT_TRUE(IsForbidden(pod.status()) && absl::IsPermissionDenied(pod.status()));
  EXPECT_FALSE(kube::IsNotFound(absl::NotFoundError("a file")));
}

TEST_F(TypedTest, RefusalsCarryTheServersStatus) {
  TestServer server(*loop_, work_);
  Run(SpeaksOfRefusals(&server, MakeClient({.access = server.Access()})));
}

async::Task<void> SendsObjects(TestServer* server, Client* client) {
  server->OnRequest([](const TestRequest& request) { return Protobuf(200, request.body); });
  coordinationv1::Lease lease;
  lease.mutable_metadata()->set_name("lab");
  lease.mutable_spec()->set_holderidentity("lab");
  const CallOptions ten{.timeout = absl::Seconds(10), .tell_timeout = true};
  auto stored = co_await Update(client, ObjectName{"kube-node-lease", "lab", ""}, lease, ten);
  EXPECT_EQ(stored.ok() ? (*stored)->spec().holderidentity() : stored.status().ToString(), "lab");
  EXPECT_EQ(server->requests().back().target,
            "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/lab?timeout=10s");
  EXPECT_EQ(HeaderOf(server->requests().back().headers, "content-type"), kProtobufType);

  const DeleteOptions now{.grace_period_seconds = 0, .uid = "u"};
  EXPECT_TRUE((co_await Delete<v1::Pod>(client, ObjectName{"default", "web", ""}, now)).ok());
  metav1::DeleteOptions sent;
  EXPECT_TRUE(
      DecodeObject({kProtobufType, server->requests().back().body}, sent, "v1", "DeleteOptions")
          .ok());
  EXPECT_TRUE(sent.has_graceperiodseconds());
  EXPECT_EQ(sent.preconditions().uid(), "u");

  authenticationv1::TokenRequest token;
  token.mutable_spec()->set_expirationseconds(3600);
  auto given = co_await CreateToken(client, "default", "builder", token);
  EXPECT_TRUE(given.ok()) << given.status();
  EXPECT_EQ(server->requests().back().target,
            "/api/v1/namespaces/default/serviceaccounts/builder/token");

  // Nothing a pod names leads to another path.
  const size_t before = server->requests().size();
  for (const char* name : {"../kube-system", "a/b", "..", "a%2fb", "a?x=y", "a b"})
    EXPECT_FALSE((co_await Get<v1::Secret>(client, ObjectName{"default", name, ""})).ok()) << name;
  EXPECT_EQ(server->requests().size(), before);
}

TEST_F(TypedTest, SendsObjectsAsProtobuf) {
  TestServer server(*loop_, work_);
  Run(SendsObjects(&server, MakeClient({.access = server.Access()})));
}

async::Task<void> ReadsLists(TestServer* server, Client* client) {
  server->OnRequest([](const TestRequest& request) {
    if (request.target == "/api/v1/namespaces/json/secrets")
      return TestReply{.headers = {{"content-type", "application/json"}},
                       .body = R"({"kind":"SecretList","apiVersion":"v1","metadata":
                                   {"resourceVersion":"9"},"items":[{"metadata":{"name":"a"}}]})"};
    v1::SecretList list;
    list.mutable_metadata()->set_resourceversion("8");
    for (const char* name : {"a", "b", "c"}) list.add_items()->mutable_metadata()->set_name(name);
    return Protobuf(200, EncodeObject(list, "v1", "SecretList"));
  });
  auto secrets = co_await List<v1::Secret>(client, ListOptions{.field_selector = "a=b"});
  EXPECT_TRUE(secrets.ok()) << secrets.status();
  if (!secrets.ok()) co_return;
  EXPECT_EQ(secrets->resource_version, "8");
  EXPECT_EQ(secrets->items.size(), 3);
  EXPECT_EQ(secrets->items[2]->metadata().name(), "c");
  EXPECT_EQ(server->requests().back().target, "/api/v1/secrets?fieldSelector=a%3Db");
  secrets = co_await List<v1::Secret>(client, ListOptions{.name_space = "json"});
  EXPECT_EQ(secrets.ok() ? secrets->items[0]->metadata().name() : secrets.status().ToString(), "a");
}

TEST_F(TypedTest, ReadsListsInBothForms) {
  TestServer server(*loop_, work_);
  Run(ReadsLists(&server, MakeClient({.access = server.Access()})));
}

std::string Frame(const WatchEvent& event) {
  metav1::WatchEvent message;
  message.set_type(event.type);
  message.mutable_object()->set_raw(event.object.bytes);
  const std::string bytes = message.SerializeAsString();
  const auto size = static_cast<uint32_t>(bytes.size());
  return std::string{static_cast<char>(size >> 24), static_cast<char>(size >> 16),
                     static_cast<char>(size >> 8), static_cast<char>(size)} +
         bytes;
}

async::Task<void> Watches(TestServer* server, Client* client) {
  v1::ConfigMap map;
  map.mutable_metadata()->set_name("a");
  const WatchEvent added{"ADDED", {kProtobufType, EncodeObject(map, "v1", "ConfigMap")}};
  const std::string target = "/api/v1/configmaps?watch=true";
  server->OnRequest([](const TestRequest&) {
    return TestReply{
        .headers = {{"content-type", "application/vnd.kubernetes.protobuf;stream=watch"}},
        .open = true};
  });
  Request request;
  request.path = "/api/v1/configmaps";
  request.query = {{"watch", "true"}};
  auto stream = co_await client->Watch(request);
  EXPECT_TRUE(stream.ok()) << stream.status();
  if (!stream.ok()) co_return;
  const std::string frame = Frame(added);
  server->Push(target, frame + frame.substr(0, 9));
  auto event = co_await (*stream)->Next();
  EXPECT_TRUE(event.ok()) << event.status();
  server->Push(target, frame.substr(9));
  event = co_await (*stream)->Next();
  EXPECT_EQ(event.ok() ? event->type : event.status().ToString(), "ADDED");
  EXPECT_TRUE(DecodeObject(event->object, map, "v1", "ConfigMap").ok());
  server->End(target);
  event = co_await (*stream)->Next();
  EXPECT_TRUE(absl::IsOutOfRange(event.status())) << event.status();

  stream = co_await client->Watch(request);
  server->Push(target, frame.substr(0, 9));
  server->End(target);
  event = co_await (*stream)->Next();
  EXPECT_TRUE(absl::IsUnavailable(event.status())) << event.status();

  stream = co_await client->Watch(request);
  server->Cut();
  event = co_await (*stream)->Next();
  EXPECT_TRUE(absl::IsUnavailable(event.status())) << event.status();

  server->OnRequest([](const TestRequest&) { return Refuse(410, "Expired", "too old"); });
  stream = co_await client->Watch(request);
  EXPECT_TRUE(IsGone(stream.status())) << stream.status();
  server->OnRequest([](const TestRequest&) {
    return TestReply{.headers = {{"content-type", "application/json"}},
                     .body =
                         "{\"type\":\"ADDED\",\"object\":{\"kind\":\"ConfigMap\","
                         "\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"j\"}}}\n"};
  });
  stream = co_await client->Watch(request);
  event = co_await (*stream)->Next();
  EXPECT_TRUE(event.ok() && DecodeObject(event->object, map, "v1", "ConfigMap").ok());
  EXPECT_EQ(map.metadata().name(), "j");
}

TEST_F(TypedTest, WatchesInBothForms) {
  TestServer server(*loop_, work_);
  Run(Watches(&server, MakeClient({.access = server.Access()})));
}

}  // namespace
}  // namespace cubelet::kube
