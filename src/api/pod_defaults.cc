#include "api/pod_defaults.h"

#include <map>

#include "api/pod.h"
#include "base/strings.h"

namespace cubelet::api {
namespace {

constexpr int32_t kDefaultMode = 0644;
constexpr int64_t kGraceSeconds = 30;
constexpr int64_t kTokenSeconds = 3600;
constexpr int32_t kCertificateSeconds = 86400;

// Containers and ephemeral containers have the same fields, but are of two types.
template <typename Fn>
void ForEachCommon(v1::PodSpec& spec, Fn fn) {
  for (v1::Container& container : *spec.mutable_initcontainers()) fn(container);
  for (v1::Container& container : *spec.mutable_containers()) fn(container);
  for (v1::EphemeralContainer& container : *spec.mutable_ephemeralcontainers())
    fn(*container.mutable_ephemeralcontainercommon());
}

// Amounts finer than a thousandth are rounded up to one.
template <typename Map>
void RoundToMilli(Map& amounts) {
  for (auto& [name, quantity] : amounts) {
    const Quantity amount = Quantity::ParseOrZero(quantity.string());
    const Quantity rounded = Quantity::FromMilli(amount.MilliValue());
    if (rounded > amount && amount.MilliValue() != INT64_MAX)
      quantity.set_string(rounded.ToString());
  }
}

void DefaultResources(v1::ResourceRequirements& resources) {
  RoundToMilli(*resources.mutable_limits());
  RoundToMilli(*resources.mutable_requests());
}

// What is limited but not requested is requested up to its limit.
void RequestWhatIsLimited(v1::Container& container) {
  if (!container.has_resources()) return;
  v1::ResourceRequirements& resources = *container.mutable_resources();
  for (const auto& [name, limit] : resources.limits())
    resources.mutable_requests()->insert({name, limit});
}

bool IsOvercommitted(std::string_view resource) { return !resource.starts_with("hugepages-"); }

// Only where amounts for the whole pod are given in part already. Limits of huge pages come from
// the containers'; requests beside limits from the containers' requests, otherwise from the limits.
void DefaultPodResources(v1::Pod& pod) {
  if (!pod.spec().has_resources()) return;
  v1::PodSpec without;
  without = pod.spec();
  without.clear_resources();
  without.clear_overhead();
  v1::Pod containers_only;
  containers_only.mutable_spec()->Swap(&without);
  const ResourceAmounts requests = PodRequests(containers_only, false);
  const ResourceAmounts limits = PodLimits(containers_only, false);

  v1::ResourceRequirements& resources = *pod.mutable_spec()->mutable_resources();
  for (const auto& [name, limit] : limits) {
    if (IsOvercommitted(name) || resources.limits().contains(name)) continue;
    (*resources.mutable_limits())[name].set_string(limit.ToString());
  }
  if (resources.limits().empty()) return;
  for (const auto& [name, request] : requests) {
    const bool counts = name == "cpu" || name == "memory";
    if (!counts || resources.requests().contains(name)) continue;
    (*resources.mutable_requests())[name].set_string(request.ToString());
  }
  for (const auto& [name, limit] : resources.limits()) {
    const bool counts = name == "cpu" || name == "memory" || name.starts_with("hugepages-");
    if (counts) resources.mutable_requests()->insert({name, limit});
  }
}

void DefaultHttpGet(v1::HTTPGetAction& http) {
  if (http.path().empty()) http.set_path("/");
  if (http.scheme().empty()) http.set_scheme("HTTP");
}

void DefaultProbe(v1::Probe& probe) {
  if (probe.timeoutseconds() == 0) probe.set_timeoutseconds(1);
  if (probe.periodseconds() == 0) probe.set_periodseconds(10);
  if (probe.successthreshold() == 0) probe.set_successthreshold(1);
  if (probe.failurethreshold() == 0) probe.set_failurethreshold(3);
  if (!probe.has_handler()) return;
  v1::ProbeHandler& handler = *probe.mutable_handler();
  if (handler.has_httpget()) DefaultHttpGet(*handler.mutable_httpget());
  if (handler.has_grpc() && !handler.grpc().has_service()) handler.mutable_grpc()->set_service("");
}

void DefaultFieldRef(v1::ObjectFieldSelector& field) {
  if (field.apiversion().empty()) field.set_apiversion("v1");
}

void DefaultEnv(v1::EnvVar& variable) {
  if (!variable.has_valuefrom()) return;
  v1::EnvVarSource& source = *variable.mutable_valuefrom();
  if (source.has_fieldref()) DefaultFieldRef(*source.mutable_fieldref());
  if (source.has_filekeyref() && !source.filekeyref().has_optional())
    source.mutable_filekeyref()->set_optional(false);
}

void DefaultHandler(v1::LifecycleHandler& handler) {
  if (handler.has_httpget()) DefaultHttpGet(*handler.mutable_httpget());
}

template <typename Container>
void DefaultContainer(Container& container) {
  if (container.imagepullpolicy().empty())
    container.set_imagepullpolicy(DefaultPullPolicy(container.image()));
  if (container.terminationmessagepath().empty())
    container.set_terminationmessagepath("/dev/termination-log");
  if (container.terminationmessagepolicy().empty()) container.set_terminationmessagepolicy("File");
  for (v1::ContainerPort& port : *container.mutable_ports()) {
    if (port.protocol().empty()) port.set_protocol("TCP");
  }
  for (v1::EnvVar& variable : *container.mutable_env()) DefaultEnv(variable);
  if (container.has_livenessprobe()) DefaultProbe(*container.mutable_livenessprobe());
  if (container.has_readinessprobe()) DefaultProbe(*container.mutable_readinessprobe());
  if (container.has_startupprobe()) DefaultProbe(*container.mutable_startupprobe());
  if (container.has_lifecycle()) {
    v1::Lifecycle& lifecycle = *container.mutable_lifecycle();
    if (lifecycle.has_poststart()) DefaultHandler(*lifecycle.mutable_poststart());
    if (lifecycle.has_prestop()) DefaultHandler(*lifecycle.mutable_prestop());
  }
  if (container.has_resources()) DefaultResources(*container.mutable_resources());
}

void DefaultDownwardItems(google::protobuf::RepeatedPtrField<v1::DownwardAPIVolumeFile>& items) {
  for (v1::DownwardAPIVolumeFile& file : items) {
    if (file.has_fieldref()) DefaultFieldRef(*file.mutable_fieldref());
  }
}

template <typename Source>
void DefaultMode(Source& source) {
  if (!source.has_defaultmode()) source.set_defaultmode(kDefaultMode);
}

void DefaultProjected(v1::ProjectedVolumeSource& projected) {
  DefaultMode(projected);
  for (v1::VolumeProjection& source : *projected.mutable_sources()) {
    if (source.has_serviceaccounttoken() && !source.serviceaccounttoken().has_expirationseconds())
      source.mutable_serviceaccounttoken()->set_expirationseconds(kTokenSeconds);
    if (source.has_podcertificate() && !source.podcertificate().has_maxexpirationseconds())
      source.mutable_podcertificate()->set_maxexpirationseconds(kCertificateSeconds);
    if (source.has_downwardapi())
      DefaultDownwardItems(*source.mutable_downwardapi()->mutable_items());
  }
}

void DefaultAzureDisk(v1::AzureDiskVolumeSource& disk) {
  if (!disk.has_cachingmode()) disk.set_cachingmode("ReadWrite");
  if (!disk.has_kind()) disk.set_kind("Shared");
  if (!disk.has_fstype()) disk.set_fstype("ext4");
  if (!disk.has_readonly()) disk.set_readonly(false);
}

void DefaultRbd(v1::RBDVolumeSource& rbd) {
  if (rbd.pool().empty()) rbd.set_pool("rbd");
  if (rbd.user().empty()) rbd.set_user("admin");
  if (rbd.keyring().empty()) rbd.set_keyring("/etc/ceph/keyring");
}

void DefaultScaleIo(v1::ScaleIOVolumeSource& source) {
  if (source.storagemode().empty()) source.set_storagemode("ThinProvisioned");
  if (source.fstype().empty()) source.set_fstype("xfs");
}

void DefaultVolume(v1::Volume& volume) {
  v1::VolumeSource& source = *volume.mutable_volumesource();
  // A volume of no kind is an empty directory.
  if (source.ByteSizeLong() == 0) source.mutable_emptydir();
  if (source.has_secret()) DefaultMode(*source.mutable_secret());
  if (source.has_configmap()) DefaultMode(*source.mutable_configmap());
  if (source.has_downwardapi()) {
    DefaultMode(*source.mutable_downwardapi());
    DefaultDownwardItems(*source.mutable_downwardapi()->mutable_items());
  }
  if (source.has_projected()) DefaultProjected(*source.mutable_projected());
  if (source.has_hostpath() && !source.hostpath().has_type())
    source.mutable_hostpath()->set_type("");
  if (source.has_iscsi() && source.iscsi().iscsiinterface().empty())
    source.mutable_iscsi()->set_iscsiinterface("default");
  if (source.has_rbd()) DefaultRbd(*source.mutable_rbd());
  if (source.has_azuredisk()) DefaultAzureDisk(*source.mutable_azuredisk());
  if (source.has_scaleio()) DefaultScaleIo(*source.mutable_scaleio());
  if (source.has_image() && source.image().pullpolicy().empty())
    source.mutable_image()->set_pullpolicy(DefaultPullPolicy(source.image().reference()));
  if (source.has_ephemeral() && source.ephemeral().has_volumeclaimtemplate()) {
    v1::PersistentVolumeClaimSpec& claim =
        *source.mutable_ephemeral()->mutable_volumeclaimtemplate()->mutable_spec();
    if (!claim.has_volumemode()) claim.set_volumemode("Filesystem");
  }
}

// On the node's network a container's port is the node's.
void DefaultHostPorts(google::protobuf::RepeatedPtrField<v1::Container>& containers) {
  for (v1::Container& container : containers) {
    for (v1::ContainerPort& port : *container.mutable_ports()) {
      if (port.hostport() == 0) port.set_hostport(port.containerport());
    }
  }
}

// The two names of the field are kept equal.
void DefaultServiceAccount(v1::PodSpec& spec) {
  const std::string name =
      spec.serviceaccountname().empty() ? spec.serviceaccount() : spec.serviceaccountname();
  if (name.empty()) return;
  spec.set_serviceaccountname(name);
  spec.set_serviceaccount(name);
}

}  // namespace

std::string DefaultPullPolicy(std::string_view image) {
  if (image.empty()) return "IfNotPresent";
  const size_t digest = image.find('@');
  std::string_view name = image.substr(0, digest);
  // A colon before the last slash belongs to the registry's port.
  const size_t slash = name.rfind('/');
  if (slash != std::string_view::npos) name.remove_prefix(slash + 1);
  const size_t colon = name.find(':');
  const bool latest = colon == std::string_view::npos ? digest == std::string_view::npos
                                                      : name.substr(colon + 1) == "latest";
  return latest ? "Always" : "IfNotPresent";
}

void SetDefaults(v1::Pod& pod) {
  v1::PodSpec& spec = *pod.mutable_spec();
  if (spec.dnspolicy().empty()) spec.set_dnspolicy("ClusterFirst");
  if (spec.restartpolicy().empty()) spec.set_restartpolicy("Always");
  if (spec.schedulername().empty()) spec.set_schedulername("default-scheduler");
  if (!spec.has_terminationgraceperiodseconds())
    spec.set_terminationgraceperiodseconds(kGraceSeconds);
  if (!spec.has_enableservicelinks()) spec.set_enableservicelinks(true);
  spec.mutable_securitycontext();
  DefaultServiceAccount(spec);
  RoundToMilli(*spec.mutable_overhead());
  if (spec.has_resources()) DefaultResources(*spec.mutable_resources());

  for (v1::Volume& volume : *spec.mutable_volumes()) DefaultVolume(volume);
  ForEachCommon(spec, [](auto& container) { DefaultContainer(container); });
  for (v1::Container& container : *spec.mutable_initcontainers()) RequestWhatIsLimited(container);
  for (v1::Container& container : *spec.mutable_containers()) RequestWhatIsLimited(container);
  DefaultPodResources(pod);
  if (spec.hostnetwork()) {
    DefaultHostPorts(*spec.mutable_initcontainers());
    DefaultHostPorts(*spec.mutable_containers());
  }
}

}  // namespace cubelet::api
