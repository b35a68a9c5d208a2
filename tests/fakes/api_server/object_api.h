// The verbs on stored objects: get, list, watch, create, update, patch, delete, on the object and
// its subresources. Pure but for the store: a request in, an answer out.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fakes/api_server/request.h"
#include "fakes/api_server/rules.h"
#include "fakes/api_server/store.h"
#include "fakes/api_server/watch.h"

namespace cubelet::fakes {

// What a path names: /api/v1/namespaces/<namespace>/pods/<name>/<subresource>.
struct Route {
  const Kind* kind = nullptr;
  std::string name_space;
  std::string name;
  std::string subresource;
};

// Error: NOT_FOUND, the path is none of ours.
absl::StatusOr<Route> ParseRoute(std::string_view path);

class ObjectApi {
 public:
  ObjectApi(async::Loop& loop, ObjectStore& store);

  // The answer to any verb on a route. With `stale` reads see the frozen store. Errors are the API
  // server's (encoding.h turns them into answers).
  absl::StatusOr<ApiAnswer> Handle(const Route& route, const ApiRequest& request, bool stale);

  // The same rules for code: `object` is created or updated as by a client.
  absl::StatusOr<ObjectPtr> Create(const Kind& kind, const std::string& name_space,
                                   NewObject object);
  absl::StatusOr<ObjectPtr> Update(const Route& route, NewObject object);
  absl::StatusOr<ObjectPtr> Delete(const Route& route, const DeleteRequest& request);
  absl::StatusOr<ObjectPtr> Bind(const std::string& name_space, const std::string& name,
                                 const std::string& node);

  ObjectStore& store() { return store_; }

  // All watches of a resource ("" for all) end, or fail with 410, or get a bookmark now.
  void EndWatches(std::string_view resource);
  void ExpireWatches(std::string_view resource);
  void SendBookmarks();

 private:
  absl::Status Admit(const std::string& name_space, v1::Pod& pod);
  absl::StatusOr<ApiAnswer> Get(const Route& route, const ApiRequest& request, bool stale);
  absl::StatusOr<ApiAnswer> List(const Route& route, const ApiRequest& request, bool stale);
  absl::StatusOr<ApiAnswer> Watch(const Route& route, const ApiRequest& request);
  absl::Status BeginWatch(const Route& route, const ApiRequest& request, WatchStream& stream);
  absl::StatusOr<ApiAnswer> Post(const Route& route, const ApiRequest& request);
  absl::StatusOr<ApiAnswer> PostToPod(const Route& route, const ApiRequest& request);
  absl::StatusOr<ApiAnswer> Put(const Route& route, const ApiRequest& request);
  absl::StatusOr<ApiAnswer> Patch(const Route& route, const ApiRequest& request);
  absl::StatusOr<NewObject> Patched(const Route& route, const ApiRequest& request,
                                    const Message& stored);
  absl::StatusOr<ApiAnswer> DeleteOne(const Route& route, const ApiRequest& request);
  absl::StatusOr<ApiAnswer> DeleteAll(const Route& route, const ApiRequest& request);
  void DeleteContents(const std::string& name_space);
  std::vector<std::shared_ptr<WatchStream>> LiveWatches();

  async::Loop& loop_;
  ObjectStore& store_;
  std::list<std::weak_ptr<WatchStream>> watches_;
  ObjectStore::Subscription subscription_;
};

}  // namespace cubelet::fakes
