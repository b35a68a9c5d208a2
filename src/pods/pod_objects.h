// What the pods of the node use of the API server beside themselves: ConfigMaps, Secrets, tokens of
// service accounts, services. For their volumes and for the variables of their containers.
//
//   PodObjects objects(loop, scope, client);
//   objects.SetOnChange(...);
//   objects.Start();
//   objects.Register(pod);           // before its volumes are set up
//   auto sources = co_await objects.EnvironmentFor(pod, container);
//   objects.Forget(uid);             // once its volumes are down
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "api/types.h"
#include "async/loop.h"
#include "async/scope.h"
#include "async/task.h"
#include "containers/environment.h"
#include "kube/object_cache.h"
#include "kube/token_cache.h"
#include "pods/services.h"
#include "volumes/object_source.h"

namespace cubelet::pods {

class PodObjects final : public volumes::ObjectSource {
 public:
  // Watches run in `scope`, which is closed before this goes.
  PodObjects(async::Loop& loop, async::TaskScope& scope, kube::Client* client);

  // Called when something that a pod uses has changed or is due to be renewed: its volumes are to
  // be set up again.
  void SetOnChange(std::function<void(const std::string& uid)> on_change);

  // Begins to watch the services of the cluster. `on_known` is called once they are known.
  void Start(std::function<void()> on_known);

  // Watches what the pod names; to be called again when its spec has changed.
  void Register(const v1::Pod& pod);
  void Forget(const std::string& uid);

  async::Task<absl::StatusOr<std::shared_ptr<const v1::ConfigMap>>> GetConfigMap(
      std::string name_space, std::string name) override;
  async::Task<absl::StatusOr<std::shared_ptr<const v1::Secret>>> GetSecret(
      std::string name_space, std::string name) override;
  async::Task<absl::StatusOr<std::string>> GetToken(
      PodPtr pod, v1::ServiceAccountTokenProjection projection) override;

  // The sources of a container's variables, with all it names looked up already.
  async::Task<containers::EnvSources> EnvironmentFor(PodPtr pod, v1::Container container);

 private:
  void Changed(const std::string& uid);

  std::function<void(const std::string&)> on_change_;
  kube::ObjectCache<v1::ConfigMap> config_maps_;
  kube::ObjectCache<v1::Secret> secrets_;
  kube::TokenCache tokens_;
  Services services_;
};

}  // namespace cubelet::pods
