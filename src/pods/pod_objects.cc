#include "pods/pod_objects.h"

#include <map>
#include <set>
#include <utility>

#include "api/pod.h"
#include "base/strings.h"
#include "pods/object_references.h"

namespace cubelet::pods {
namespace {

using async::Task;

// What a token lives when its projection says nothing (volumes.md 3.6.3).
constexpr int64_t kTokenSeconds = 3600;

std::set<kube::ObjectKey> KeysOf(const std::string& name_space,
                                 const std::set<std::string>& names) {
  std::set<kube::ObjectKey> keys;
  for (const std::string& name : names) keys.emplace(name_space, name);
  return keys;
}

template <typename T>
using Found = std::map<std::string, absl::StatusOr<std::shared_ptr<const T>>>;

template <typename T>
absl::StatusOr<std::shared_ptr<const T>> Look(const Found<T>& found, std::string_view name) {
  const auto it = found.find(std::string(name));
  if (it != found.end()) return it->second;
  return absl::InternalError(StrCat("object ", GoQuote(name), " was not looked up"));
}

}  // namespace

PodObjects::PodObjects(async::Loop& loop, async::TaskScope& scope, kube::Client* client)
    : config_maps_(loop, scope, client, [this](const std::string& uid) { Changed(uid); }),
      secrets_(loop, scope, client, [this](const std::string& uid) { Changed(uid); }),
      tokens_(loop, client, [this](const std::string& uid) { Changed(uid); }),
      services_(loop, scope, client) {}

void PodObjects::SetOnChange(std::function<void(const std::string& uid)> on_change) {
  on_change_ = std::move(on_change);
}

void PodObjects::Changed(const std::string& uid) {
  if (on_change_) on_change_(uid);
}

void PodObjects::Start(std::function<void()> on_known) { services_.Start(std::move(on_known)); }

void PodObjects::Register(const v1::Pod& pod) {
  const std::string& uid = pod.metadata().uid();
  const std::string& name_space = pod.metadata().namespace_();
  const ObjectReferences references = PodReferences(pod);
  config_maps_.Use(uid, KeysOf(name_space, references.config_maps));
  secrets_.Use(uid, KeysOf(name_space, references.secrets));
}

void PodObjects::Forget(const std::string& uid) {
  config_maps_.Use(uid, {});
  secrets_.Use(uid, {});
  tokens_.Forget(uid);
}

Task<absl::StatusOr<std::shared_ptr<const v1::ConfigMap>>> PodObjects::GetConfigMap(
    std::string name_space, std::string name) {
  return config_maps_.Get(std::move(name_space), std::move(name));
}

Task<absl::StatusOr<std::shared_ptr<const v1::Secret>>> PodObjects::GetSecret(
    std::string name_space, std::string name) {
  return secrets_.Get(std::move(name_space), std::move(name));
}

Task<absl::StatusOr<std::string>> PodObjects::GetToken(
    PodPtr pod, v1::ServiceAccountTokenProjection projection) {
  kube::TokenWanted wanted;
  wanted.name_space = pod->metadata().namespace_();
  wanted.service_account = pod->spec().serviceaccountname();
  wanted.audience = projection.audience();
  wanted.expiration_seconds =
      projection.has_expirationseconds() ? projection.expirationseconds() : kTokenSeconds;
  wanted.pod_name = pod->metadata().name();
  wanted.pod_uid = pod->metadata().uid();
  return tokens_.Get(std::move(wanted));
}

Task<containers::EnvSources> PodObjects::EnvironmentFor(PodPtr pod, v1::Container container) {
  const ObjectReferences references = EnvironmentReferences(container);
  const std::string name_space = pod->metadata().namespace_();
  auto config_maps = std::make_shared<Found<v1::ConfigMap>>();
  for (const std::string& name : references.config_maps)
    config_maps->emplace(name, co_await config_maps_.Get(name_space, name));
  auto secrets = std::make_shared<Found<v1::Secret>>();
  for (const std::string& name : references.secrets)
    secrets->emplace(name, co_await secrets_.Get(name_space, name));
  // Static pods may be what the API server itself runs in.
  if (!api::IsStatic(*pod)) co_await services_.WaitUntilKnown();
  containers::EnvSources sources;
  sources.config_map = [config_maps](std::string_view, std::string_view name) {
    return Look<v1::ConfigMap>(*config_maps, name);
  };
  sources.secret = [secrets](std::string_view, std::string_view name) {
    return Look<v1::Secret>(*secrets, name);
  };
  sources.services = [this](std::string_view of) { return services_.Of(of); };
  sources.services_synced = services_.known();
  co_return sources;
}

}  // namespace cubelet::pods
