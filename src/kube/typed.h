// Reading and writing objects: the calls of the API with types.
//
//   auto node = co_await Get<v1::Node>(client, {.name = "lab"});
//   auto lease = co_await Update(client, {.name_space = "kube-node-lease", .name = "lab"}, lease);
//   auto pod = co_await Patch<v1::Pod>(client, {.name_space = "default", .name = "web",
//                                               .subresource = "status"},
//                                      PatchType::kStrategicMerge, json);
//
// Objects go as protobuf and come as protobuf or JSON. Errors: what the server refuses (errors.h
// tells which refusal), no answer (as Client::Do has it), an answer that is no such object.
// `client` must live until the call has ended.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "async/task.h"
#include "kube/client.h"
#include "kube/resources.h"

namespace google::protobuf {
class Message;
}

namespace cubelet::kube {

// {"default", "web"}, {"", "lab"}, {.name_space = "default", .name = "web", .subresource =
// "status"}
struct ObjectName {
  std::string name_space = {};  // "" for what has none
  std::string name = {};        // "" for the collection
  std::string subresource = {};
};

struct CallOptions {
  absl::Duration timeout = absl::Seconds(60);
  // The timeout is sent along ("timeout=10s"), so that the server gives up at the same time.
  bool tell_timeout = false;
  std::vector<std::pair<std::string, std::string>> query;
};

struct ListOptions {
  std::string name_space;
  std::string field_selector;
  std::string label_selector;
  std::string resource_version;  // "0": what the server has at hand; "": the newest
  std::string resource_version_match;
  CallOptions call;
};

template <typename T>
struct ObjectList {
  std::string resource_version;
  std::vector<std::shared_ptr<const T>> items;
};

enum class PatchType { kStrategicMerge, kMerge, kJson };

struct DeleteOptions {
  std::optional<int64_t> grace_period_seconds;
  std::string uid;               // precondition: the object is still this one
  std::string resource_version;  // precondition
  CallOptions call;
};

// ---- The same without types: what the templates below are made of.

struct RawCall {
  std::string method;
  Resource resource;
  ObjectName name;
  std::string content_type;
  std::string body;
  CallOptions options;
};

// Sends it; a refusal is an error.
async::Task<absl::StatusOr<Encoded>> Call(Client* client, RawCall call);

// Sends it and reads the object it gives into `out`, which must live until the call has ended.
async::Task<absl::Status> CallFor(Client* client, RawCall call, google::protobuf::Message* out,
                                  std::string kind);

RawCall ListCall(const Resource& resource, ListOptions options);
RawCall DeleteCall(const Resource& resource, ObjectName name, DeleteOptions options);
RawCall PatchCall(const Resource& resource, ObjectName name, PatchType type, std::string patch,
                  CallOptions options);
// POST or PUT of an object.
RawCall WriteCall(std::string method, const Resource& resource, ObjectName name,
                  const google::protobuf::Message& object, const Resource& object_type,
                  CallOptions options);

// Asks for all items of a list at once, and takes them out of `list` one by one.
template <typename T>
ObjectList<T> TakeItems(typename ResourceOf<T>::List& list) {
  ObjectList<T> result;
  result.resource_version = list.metadata().resourceversion();
  result.items.resize(static_cast<size_t>(list.items_size()));
  for (size_t i = result.items.size(); i > 0; --i)
    result.items[i - 1] = std::shared_ptr<const T>(list.mutable_items()->ReleaseLast());
  return result;
}

// ---- The calls

template <typename T>
async::Task<absl::StatusOr<std::shared_ptr<const T>>> FetchObject(Client* client, RawCall call,
                                                                  std::string kind) {
  auto object = std::make_shared<T>();
  const absl::Status status =
      co_await CallFor(client, std::move(call), object.get(), std::move(kind));
  if (!status.ok()) co_return status;
  co_return object;
}

template <typename T>
async::Task<absl::StatusOr<std::shared_ptr<const T>>> Get(Client* client, ObjectName name,
                                                          CallOptions options = {}) {
  RawCall call{"GET", ResourceOf<T>::kValue, std::move(name), "", "", std::move(options)};
  return FetchObject<T>(client, std::move(call), std::string(ResourceOf<T>::kValue.kind));
}

template <typename T>
async::Task<absl::StatusOr<ObjectList<T>>> List(Client* client, ListOptions options) {
  typename ResourceOf<T>::List list;
  const absl::Status status =
      co_await CallFor(client, ListCall(ResourceOf<T>::kValue, std::move(options)), &list,
                       std::string(ResourceOf<T>::kValue.kind) + "List");
  if (!status.ok()) co_return status;
  co_return TakeItems<T>(list);
}

// `name` is that of the collection: a namespace, or nothing.
template <typename T>
async::Task<absl::StatusOr<std::shared_ptr<const T>>> Create(Client* client, ObjectName name,
                                                             const T& object,
                                                             CallOptions options = {}) {
  const Resource& resource = ResourceOf<T>::kValue;
  return FetchObject<T>(
      client, WriteCall("POST", resource, std::move(name), object, resource, std::move(options)),
      std::string(resource.kind));
}

template <typename T>
async::Task<absl::StatusOr<std::shared_ptr<const T>>> Update(Client* client, ObjectName name,
                                                             const T& object,
                                                             CallOptions options = {}) {
  const Resource& resource = ResourceOf<T>::kValue;
  return FetchObject<T>(
      client, WriteCall("PUT", resource, std::move(name), object, resource, std::move(options)),
      std::string(resource.kind));
}

// `patch` is JSON.
template <typename T>
async::Task<absl::StatusOr<std::shared_ptr<const T>>> Patch(Client* client, ObjectName name,
                                                            PatchType type, std::string patch,
                                                            CallOptions options = {}) {
  const Resource& resource = ResourceOf<T>::kValue;
  return FetchObject<T>(
      client, PatchCall(resource, std::move(name), type, std::move(patch), std::move(options)),
      std::string(resource.kind));
}

// Whatever the server gives back is not looked at.
template <typename T>
async::Task<absl::Status> Delete(Client* client, ObjectName name, DeleteOptions options = {}) {
  const absl::StatusOr<Encoded> answer =
      co_await Call(client, DeleteCall(ResourceOf<T>::kValue, std::move(name), std::move(options)));
  co_return answer.status();
}

// A token of a service account.
async::Task<absl::StatusOr<std::shared_ptr<const authenticationv1::TokenRequest>>> CreateToken(
    Client* client, std::string name_space, std::string service_account,
    authenticationv1::TokenRequest request);

}  // namespace cubelet::kube
