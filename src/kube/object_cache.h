// Objects of one kind, each watched by its name for as long as somebody uses it: how a node keeps
// up with the Secrets and ConfigMaps of its pods without seeing any others (volumes.md 3.1).
//
//   ObjectCache<v1::Secret> secrets(loop, scope, client, [](const std::string& user) { ... });
//   secrets.Use(pod_uid, {{"shop", "tls"}});
//   auto secret = co_await secrets.Get("shop", "tls");
//   secrets.Use(pod_uid, {});  // the end of it
//
// Users share a watch. An object that is immutable is watched no longer once it has been seen.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "api/types.h"
#include "async/loop.h"
#include "async/scope.h"
#include "async/signal.h"
#include "async/task.h"
#include "kube/client.h"
#include "kube/reflector.h"

namespace cubelet::kube {

// Namespace and name.
using ObjectKey = std::pair<std::string, std::string>;

template <typename T>
class ObjectCache {
 public:
  using OnChange = std::function<void(const std::string& user)>;

  // Watches run in `scope`, which is closed before the cache goes. `on_change` is called for each
  // user of an object when it has changed, has come or has gone, and when it has become known after
  // a Get has waited in vain.
  ObjectCache(async::Loop& loop, async::TaskScope& scope, Client* client, OnChange on_change);

  // What `user` uses from now on, in place of what it used before.
  void Use(const std::string& user, const std::set<ObjectKey>& keys);

  // The object as it was seen last. Waits up to a second for the first sight of it. Errors:
  // NOT_FOUND, `secret "x" not found`, when the server has none; DEADLINE_EXCEEDED, `failed to sync
  // secret cache: ...`, when it has not answered; FAILED_PRECONDITION, `object "ns"/"x" not
  // registered`, when nobody uses it.
  async::Task<absl::StatusOr<std::shared_ptr<const T>>> Get(std::string name_space,
                                                            std::string name);

  // How many objects are used, and how many of them are watched.
  size_t size() const { return entries_.size(); }
  size_t watched() const;

 private:
  struct Entry;
  using EntryPtr = std::shared_ptr<Entry>;  // shared with the task that watches it

  static async::Task<void> Watch(EntryPtr entry);
  EntryPtr Begin(const ObjectKey& key);
  void End(Entry& entry);
  void Take(Entry& entry, std::shared_ptr<const T> object);

  async::Loop& loop_;
  async::TaskScope& scope_;
  Client* const client_;
  const OnChange on_change_;
  std::map<ObjectKey, EntryPtr> entries_;
  std::map<std::string, std::set<ObjectKey>> used_;  // by user
};

extern template class ObjectCache<v1::Secret>;
extern template class ObjectCache<v1::ConfigMap>;

}  // namespace cubelet::kube
