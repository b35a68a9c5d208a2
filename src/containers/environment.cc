#include "containers/environment.h"

#include <map>

#include "api/downward.h"
#include "api/pod.h"
#include "base/status.h"
#include "base/strings.h"
#include "containers/env_file.h"
#include "containers/expander.h"

namespace cubelet::containers {
namespace {

constexpr size_t kMaxFileValueBytes = 32 << 10;
constexpr char kMasterService[] = "kubernetes";
constexpr char kMasterNamespace[] = "default";

std::map<std::string, std::string> ServiceEnvironment(const v1::Pod& pod,
                                                      const EnvSources& sources) {
  std::map<std::string, std::shared_ptr<const v1::Service>> by_name;
  const auto add = [&](std::string_view name_space, bool all) {
    for (std::shared_ptr<const v1::Service>& service : sources.services(name_space)) {
      const std::string& name = service->metadata().name();
      if (HasClusterIp(*service) && (all || name == kMasterService)) by_name[name] = service;
    }
  };
  if (sources.services) {
    // The pod's own namespace comes second: its service of that name is the one that counts.
    add(kMasterNamespace, false);
    if (pod.spec().enableservicelinks()) add(pod.metadata().namespace_(), true);
  }
  Variables variables;
  for (const auto& [name, service] : by_name) AppendServiceVariables(*service, &variables);
  return {variables.begin(), variables.end()};
}

// What a value is made of: text, or none when an optional reference leads nowhere.
using MaybeValue = absl::StatusOr<std::optional<std::string>>;

// The making of one container's environment.
class Builder {
 public:
  Builder(const v1::Pod& pod, const v1::Container& container, const NodeContext& node,
          const EnvironmentInput& input)
      : pod_(pod),
        container_(container),
        node_(node),
        input_(input),
        services_(ServiceEnvironment(pod, input.sources)),
        environment_(input.device_variables),
        expander_([this](std::string_view name) { return Find(name); }) {}
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;

  absl::StatusOr<Environment> Build() && {
    for (const v1::EnvFromSource& from : container_.envfrom()) RETURN_IF_ERROR(AddFrom(from));
    for (const v1::EnvVar& variable : container_.env()) {
      ASSIGN_OR_RETURN(std::optional<std::string> value, ValueOf(variable));
      if (value) environment_.Set(variable.name(), *std::move(value));
    }
    for (const auto& [name, value] : services_)
      if (!environment_.Has(name)) environment_.Set(name, value);
    return std::move(environment_);
  }

 private:
  using ConfigMapPtr = std::shared_ptr<const v1::ConfigMap>;
  using SecretPtr = std::shared_ptr<const v1::Secret>;

  const std::string& name_space() const { return pod_.metadata().namespace_(); }

  // Null when it does not exist and need not.
  absl::StatusOr<ConfigMapPtr> FindConfigMap(const std::string& name, bool optional) const {
    return FindObject<v1::ConfigMap>(input_.sources.config_map, "configMap", name, optional);
  }
  absl::StatusOr<SecretPtr> FindSecret(const std::string& name, bool optional) const {
    return FindObject<v1::Secret>(input_.sources.secret, "secret", name, optional);
  }
  template <typename Object, typename Source>
  absl::StatusOr<std::shared_ptr<const Object>> FindObject(const Source& source,
                                                           std::string_view kind,
                                                           const std::string& name,
                                                           bool optional) const {
    if (!source)
      return absl::FailedPreconditionError(
          StrCat("couldn't get ", kind, " ", name_space(), "/", name, ", no kubeClient defined"));
    absl::StatusOr<std::shared_ptr<const Object>> object = source(name_space(), name);
    if (optional && absl::IsNotFound(object.status())) return nullptr;
    return object;
  }

  absl::Status AddFrom(const v1::EnvFromSource& from) {
    if (from.has_configmapref()) {
      const v1::ConfigMapEnvSource& ref = from.configmapref();
      ASSIGN_OR_RETURN(const ConfigMapPtr object,
                       FindConfigMap(ref.localobjectreference().name(), ref.optional()));
      if (object != nullptr) AddAll(from.prefix(), object->data());
    } else if (from.has_secretref()) {
      const v1::SecretEnvSource& ref = from.secretref();
      ASSIGN_OR_RETURN(const SecretPtr object,
                       FindSecret(ref.localobjectreference().name(), ref.optional()));
      if (object != nullptr) AddAll(from.prefix(), object->data());
    }
    return absl::OkStatus();
  }

  template <typename Data>
  void AddAll(const std::string& prefix, const Data& data) {
    for (const auto& [key, value] : std::map<std::string, std::string>(data.begin(), data.end()))
      environment_.Set(prefix + key, value);
  }

  MaybeValue ValueOf(const v1::EnvVar& variable) {
    if (!variable.value().empty()) {
      absl::StatusOr<std::string> value = expander_.Expand(variable.value());
      if (!value.ok())
        return Annotate(value.status(), StrCat("environment variable ", GoQuote(variable.name())));
      return *std::move(value);
    }
    const v1::EnvVarSource& from = variable.valuefrom();
    if (from.has_fieldref())
      return Lift(api::FieldValue(pod_, from.fieldref().fieldpath(), Downward()));
    if (from.has_resourcefieldref()) return ResourceOf(from.resourcefieldref());
    if (from.has_configmapkeyref()) return ConfigMapValue(from.configmapkeyref());
    if (from.has_secretkeyref()) return SecretValue(from.secretkeyref());
    if (from.has_filekeyref()) return FileValue(from.filekeyref());
    return std::string();
  }

  static MaybeValue Lift(absl::StatusOr<std::string> value) {
    if (!value.ok()) return value.status();
    return *std::move(value);
  }

  // What is defined so far, then what tells of services.
  std::optional<std::string> Find(std::string_view name) const {
    if (environment_.Has(name)) return environment_.Find(name);
    const auto service = services_.find(std::string(name));
    return service == services_.end() ? std::nullopt : std::optional(service->second);
  }

  const api::DownwardContext& Downward() {
    if (!downward_) {
      downward_.emplace(api::DownwardContext{.host_ips = node_.host_ips,
                                             .pod_ips = input_.pod_ips,
                                             .node_allocatable = node_.allocatable});
      if (downward_->pod_ips.empty() && pod_.spec().hostnetwork())
        downward_->pod_ips = node_.host_ips;
    }
    return *downward_;
  }

  MaybeValue ResourceOf(const v1::ResourceFieldSelector& selector) {
    if (!selector.containername().empty() || api::FindContainer(pod_, container_.name()) != nullptr)
      return Lift(api::ResourceValue(pod_, selector, container_.name(), Downward()));
    // An ephemeral container asks for itself, and is not among those that can be asked for.
    v1::Pod alone;
    *alone.mutable_spec()->mutable_resources() = pod_.spec().resources();
    *alone.mutable_spec()->add_containers() = container_;
    return Lift(api::ResourceValue(alone, selector, container_.name(), Downward()));
  }

  template <typename Map>
  MaybeValue ValueAt(const Map& data, const std::string& key, bool optional, std::string_view kind,
                     const std::string& name) const {
    const auto entry = data.find(key);
    if (entry != data.end()) return std::string(entry->second);
    if (optional) return std::nullopt;
    return absl::NotFoundError(
        StrCat("couldn't find key ", key, " in ", kind, " ", name_space(), "/", name));
  }

  MaybeValue ConfigMapValue(const v1::ConfigMapKeySelector& ref) const {
    const std::string& name = ref.localobjectreference().name();
    ASSIGN_OR_RETURN(const ConfigMapPtr object, FindConfigMap(name, ref.optional()));
    if (object == nullptr) return std::nullopt;
    return ValueAt(object->data(), ref.key(), ref.optional(), "ConfigMap", name);
  }

  MaybeValue SecretValue(const v1::SecretKeySelector& ref) const {
    const std::string& name = ref.localobjectreference().name();
    ASSIGN_OR_RETURN(const SecretPtr object, FindSecret(name, ref.optional()));
    if (object == nullptr) return std::nullopt;
    return ValueAt(object->data(), ref.key(), ref.optional(), "Secret", name);
  }

  MaybeValue FileValue(const v1::FileKeySelector& ref) const {
    const auto volume = input_.volumes.find(ref.volumename());
    if (volume == input_.volumes.end() || volume->second.host_path.empty())
      return absl::FailedPreconditionError(StrCat(
          "cannot find the volume ", GoQuote(ref.volumename()), " referenced by FileKeyRef"));
    // What exactly is wrong with the file is not said: its content may be secret.
    const absl::Status unreadable = absl::InvalidArgumentError("couldn't parse env file");
    if (!input_.sources.read_file) return unreadable;
    const auto text = input_.sources.read_file(volume->second.host_path, ref.path());
    if (!text.ok()) return unreadable;
    absl::StatusOr<std::string> value = FindInEnvFile(*text, ref.key());
    if (!value.ok()) return unreadable;
    if (value->size() > kMaxFileValueBytes)
      return absl::InvalidArgumentError(StrCat("environment variable value for key ",
                                               GoQuote(ref.key()),
                                               " exceeds maximum size of 32KB"));
    if (!value->empty()) return *std::move(value);
    if (ref.optional()) return std::nullopt;
    return absl::NotFoundError(StrCat("environment variable key ", GoQuote(ref.key()),
                                      " not found in file ", GoQuote(ref.path())));
  }

  const v1::Pod& pod_;
  const v1::Container& container_;
  const NodeContext& node_;
  const EnvironmentInput& input_;
  const std::map<std::string, std::string> services_;
  Environment environment_;
  Expander expander_;
  std::optional<api::DownwardContext> downward_;  // made when first asked for
};

}  // namespace

Environment::Environment(Variables device_variables)
    : variables_(std::move(device_variables)), device_variables_(variables_.size()) {}

void Environment::Set(std::string_view name, std::string value) {
  const auto [entry, added] = index_.try_emplace(ToAbsl(name), variables_.size());
  if (added)
    variables_.emplace_back(name, std::move(value));
  else
    variables_[entry->second].second = std::move(value);
}

std::optional<std::string> Environment::Find(std::string_view name) const {
  if (const auto entry = index_.find(ToAbsl(name)); entry != index_.end())
    return variables_[entry->second].second;
  for (size_t i = device_variables_; i-- > 0;)
    if (variables_[i].first == name) return variables_[i].second;
  return std::nullopt;
}

absl::StatusOr<Environment> MakeEnvironment(const v1::Pod& pod, const v1::Container& container,
                                            const NodeContext& node,
                                            const EnvironmentInput& input) {
  if (!pod.spec().has_enableservicelinks())
    return absl::InvalidArgumentError(
        "nil pod.spec.enableServiceLinks encountered, cannot construct envvars");
  if (input.sources.services && !input.sources.services_synced && !api::IsStatic(pod))
    return absl::UnavailableError(
        "services have not yet been read at least once, cannot construct envvars");
  return Builder(pod, container, node, input).Build();
}

}  // namespace cubelet::containers
