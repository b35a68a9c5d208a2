// Mirror pods: what stands at the API server for each static pod of this node (pod-lifecycle.md 2).
// The static pod lives by its manifest; its mirror is made anew whenever it is deleted, or is one
// of an earlier manifest.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "api/types.h"
#include "async/loop.h"
#include "async/scope.h"
#include "async/task.h"
#include "kube/client.h"

namespace cubelet::pods {

using NodePtr = std::shared_ptr<const v1::Node>;

// The mirror of a static pod, as it is created: owned by the node (2.4).
v1::Pod MirrorOf(const v1::Pod& static_pod, const v1::Node& node);

// Whether `mirror` stands for just this static pod (2.3).
bool IsMirrorOf(const v1::Pod& mirror, const v1::Pod& static_pod);

class MirrorPods {
 public:
  // `client` outlives this; `scope` is closed before it dies.
  MirrorPods(async::Loop& loop, async::TaskScope& scope, kube::Client* client);
  ~MirrorPods();

  // A static pod that is to have a mirror, by full name; null when there is none any more. Of two
  // of one name the one that runs is wanted.
  void Want(const std::string& full_name, PodPtr static_pod);

  // The mirror that the server has; null: none.
  void ServerHas(const std::string& full_name, PodPtr mirror);

  // The node as the server has it; null: not known, or gone. Nothing is created without it, or
  // while it is being deleted.
  void SetNode(NodePtr node);

  // All sources have spoken: mirrors of no static pod may go.
  void AllowRemoval();

  // Null when the server has none.
  PodPtr Find(const std::string& full_name) const;
  size_t wanted() const;

 private:
  struct Entry;

  bool NeedsWork(const Entry& entry) const;
  void Look(const std::string& full_name);
  async::Task<void> Reconcile(std::string full_name);
  async::Task<absl::Status> ReconcileOnce(std::string full_name);
  async::Task<absl::Status> DeleteMirror(PodPtr mirror);
  async::Task<absl::Status> CreateMirror(PodPtr static_pod, std::string full_name);

  async::Loop& loop_;
  async::TaskScope& scope_;
  kube::Client* const client_;
  NodePtr node_;
  bool may_remove_ = false;
  absl::btree_map<std::string, std::unique_ptr<Entry>> entries_;  // by full name
};

}  // namespace cubelet::pods
