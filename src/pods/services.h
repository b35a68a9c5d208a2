// The services of the cluster, as the variables of containers tell of them (containers.md 3.4.2).
// Of each only its name, cluster IP and ports are kept.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/types.h"
#include "async/loop.h"
#include "async/scope.h"
#include "async/signal.h"
#include "async/task.h"
#include "kube/client.h"
#include "kube/reflector.h"

namespace cubelet::pods {

class Services {
 public:
  Services(async::Loop& loop, async::TaskScope& scope, kube::Client* client);

  // Begins to watch. `on_known` is called once they have been listed.
  void Start(std::function<void()> on_known);

  // Those of a namespace, by name.
  std::vector<std::shared_ptr<const v1::Service>> Of(std::string_view name_space) const;

  // Whether they have been listed once.
  bool known() const { return known_; }

  // Until they are known, at most a second.
  async::Task<void> WaitUntilKnown();

 private:
  using ServicePtr = std::shared_ptr<const v1::Service>;
  void Put(const v1::Service& service);
  void Replace(const std::vector<ServicePtr>& services);

  async::Loop& loop_;
  async::TaskScope& scope_;
  kube::Client* const client_;
  std::optional<kube::Reflector<v1::Service>> reflector_;
  std::function<void()> on_known_;
  std::map<std::string, std::map<std::string, ServicePtr>, std::less<>> services_;
  bool known_ = false;
  async::Signal changed_;
};

}  // namespace cubelet::pods
