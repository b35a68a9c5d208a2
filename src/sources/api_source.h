// The pods that the API server has bound to this node (pod-lifecycle.md 1.2).
#pragma once

#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "async/loop.h"
#include "async/scope.h"
#include "kube/client.h"
#include "kube/reflector.h"
#include "sources/source.h"

namespace cubelet::sources {

class ApiSource {
 public:
  // `client` outlives the source.
  ApiSource(async::Loop& loop, kube::Client* client, const std::string& node_name, Deliver deliver);

  // Watches until the scope is closed. Nothing is delivered before the server has told all.
  void Start(async::TaskScope& scope);

  // Why the server cannot be listened to now; OK while it can.
  const absl::Status& last_error() const { return pods_.last_error(); }

 private:
  void Replace(std::vector<PodPtr> pods);
  void Apply(kube::Change change, PodPtr pod);
  void DeliverAll() const;

  const Deliver deliver_;
  std::map<std::string, PodPtr> by_name_;  // "namespace/name": the server has one of a name
  kube::Reflector<v1::Pod> pods_;
};

}  // namespace cubelet::sources
