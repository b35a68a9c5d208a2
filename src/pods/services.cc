#include "pods/services.h"

#include <utility>

namespace cubelet::pods {
namespace {

constexpr absl::Duration kLongestWait = absl::Seconds(1);

}  // namespace

Services::Services(async::Loop& loop, async::TaskScope& scope, kube::Client* client)
    : loop_(loop), scope_(scope), client_(client), changed_(loop) {}

void Services::Start(std::function<void()> on_known) {
  on_known_ = std::move(on_known);
  kube::ReflectorOptions options;
  // Services without an address have no variables.
  options.field_selector = "spec.clusterIP!=None";
  kube::ReflectorHandler<v1::Service> handler;
  handler.on_replace = [this](const std::vector<ServicePtr>& services) { Replace(services); };
  handler.on_change = [this](kube::Change change, const ServicePtr& service) {
    if (change != kube::Change::kDeleted) return Put(*service);
    const auto it = services_.find(service->metadata().namespace_());
    if (it == services_.end()) return;
    it->second.erase(service->metadata().name());
    if (it->second.empty()) services_.erase(it);
  };
  reflector_.emplace(loop_, client_, std::move(options), std::move(handler));
  scope_.Spawn("watch services", reflector_->Run());
}

void Services::Put(const v1::Service& service) {
  auto kept = std::make_shared<v1::Service>();
  kept->mutable_metadata()->set_name(service.metadata().name());
  kept->mutable_spec()->set_clusterip(service.spec().clusterip());
  *kept->mutable_spec()->mutable_ports() = service.spec().ports();
  services_[service.metadata().namespace_()][service.metadata().name()] = std::move(kept);
}

void Services::Replace(const std::vector<ServicePtr>& services) {
  services_.clear();
  for (const ServicePtr& service : services) Put(*service);
  if (std::exchange(known_, true)) return;
  changed_.Notify();
  if (on_known_) on_known_();
}

std::vector<std::shared_ptr<const v1::Service>> Services::Of(std::string_view name_space) const {
  std::vector<ServicePtr> result;
  const auto it = services_.find(name_space);
  if (it == services_.end()) return result;
  for (const auto& [name, service] : it->second) result.push_back(service);
  return result;
}

async::Task<void> Services::WaitUntilKnown() {
  if (!known_) (void)co_await changed_.WaitFor(kLongestWait);
}

}  // namespace cubelet::pods
