#include "kubelet/settings.h"

#include <algorithm>

#include "absl/strings/str_join.h"
#include "base/status.h"
#include "base/strings.h"
#include "node/capacity.h"

namespace cubelet::kubelet {
namespace {

using config::ToDuration;

// As systemReserved and kubeReserved name it.
constexpr char kPids[] = "pid";

template <typename Map>
std::map<std::string, std::string> Sorted(const Map& map) {
  return {map.begin(), map.end()};
}

absl::StatusOr<api::ResourceAmounts> ParseAmounts(const std::map<std::string, std::string>& map,
                                                  std::string_view field) {
  api::ResourceAmounts amounts;
  for (const auto& [name, text] : map) {
    absl::StatusOr<api::Quantity> quantity = api::Quantity::Parse(text);
    if (!quantity.ok())
      return Annotate(quantity.status(), StrCat(field, "[", name, "]: ", GoQuote(text)));
    amounts[name] = *quantity;
  }
  return amounts;
}

// "2MB", "1GB", "64KB": as the kernel's cgroup files name page sizes.
std::string KernelPageName(int64_t bytes) {
  if (bytes % (int64_t{1} << 30) == 0) return StrCat(bytes >> 30, "GB");
  if (bytes % (int64_t{1} << 20) == 0) return StrCat(bytes >> 20, "MB");
  return StrCat(bytes >> 10, "KB");
}

int64_t Amount(const api::ResourceAmounts& amounts, const std::string& name) {
  const auto it = amounts.find(name);
  return it == amounts.end() ? 0 : it->second.Value();
}

struct NodeResources {
  api::ResourceAmounts capacity;
  api::ResourceAmounts allocatable;
  api::ResourceAmounts reserved;
};

absl::StatusOr<NodeResources> MakeResources(const config::Config& config, const Machine& machine) {
  const config::KubeletConfiguration& kubelet = config.kubelet;
  node::MachineFacts facts;
  facts.cpu_count = machine.cpu_count;
  facts.memory_bytes = static_cast<uint64_t>(machine.memory_bytes);
  for (const auto& [page, bytes] : machine.hugepages)
    facts.hugepages[static_cast<uint64_t>(page)] = static_cast<uint64_t>(bytes);
  if (machine.root_filesystem_bytes > 0 && kubelet.localstoragecapacityisolation())
    facts.nodefs_capacity_bytes = static_cast<uint64_t>(machine.root_filesystem_bytes);
  node::CapacityConfig options;
  options.max_pods = kubelet.maxpods();
  options.pods_per_core = kubelet.podspercore();
  ASSIGN_OR_RETURN(options.kube_reserved,
                   ParseAmounts(Sorted(kubelet.kubereserved()), "kubeReserved"));
  ASSIGN_OR_RETURN(options.system_reserved,
                   ParseAmounts(Sorted(kubelet.systemreserved()), "systemReserved"));
  options.eviction_hard = Sorted(kubelet.evictionhard());
  options.ignore_eviction = config.flags.experimental_allocatable_ignore_eviction;
  NodeResources resources;
  resources.capacity = node::Capacity(facts, options);
  ASSIGN_OR_RETURN(resources.allocatable, node::Allocatable(resources.capacity, options));
  for (const auto& map : {options.kube_reserved, options.system_reserved}) {
    for (const auto& [name, quantity] : map) resources.reserved[name] += quantity;
  }
  return resources;
}

// Takes from each resource what is reserved of it. Error: that is more than there is.
absl::Status TakeReserved(const api::ResourceAmounts& reserved, api::ResourceAmounts& amounts) {
  for (auto& [name, quantity] : amounts) {
    const auto it = reserved.find(name);
    if (it == reserved.end()) continue;
    const api::Quantity capacity = quantity;
    quantity -= it->second;
    if (quantity.Sign() < 0)
      return absl::InvalidArgumentError(StrCat("systemReserved, kubeReserved: they reserve ",
                                               it->second.ToString(), " of ", name,
                                               ", of which this node has ", capacity.ToString()));
  }
  return absl::OkStatus();
}

// What all pods together get (node.md 6.4). Of processes and huge pages they are kept from what is
// reserved; beyond that nobody can have more than there is.
absl::StatusOr<cgroups::Resources> KubepodsLimits(const config::KubeletConfiguration& kubelet,
                                                  const Machine& machine,
                                                  const NodeResources& resources) {
  const bool enforced =
      std::find(kubelet.enforcenodeallocatable().begin(), kubelet.enforcenodeallocatable().end(),
                "pods") != kubelet.enforcenodeallocatable().end();
  api::ResourceAmounts amounts = resources.capacity;
  amounts[kPids] = api::Quantity::FromInt(machine.max_tasks);
  if (enforced) RETURN_IF_ERROR(TakeReserved(resources.reserved, amounts));
  cgroups::Resources limits;
  const auto cpu = amounts.find("cpu");
  if (cpu != amounts.end()) limits.cpu_shares = cgroups::SharesOf(cpu->second.MilliValue());
  limits.memory_limit_bytes = Amount(amounts, "memory");
  if (!enforced) return limits;
  if (resources.reserved.contains(kPids)) limits.pids_limit = Amount(amounts, kPids);
  for (const auto& [page, bytes] : machine.hugepages) {
    const std::string name = node::HugePageResource(static_cast<uint64_t>(page));
    if (resources.reserved.contains(name))
      limits.hugepage_limits[KernelPageName(page)] = Amount(amounts, name);
  }
  return limits;
}

containers::NodeContext MakeNodeContext(const config::Config& config, const Machine& machine,
                                        const NodeResources& resources) {
  const config::KubeletConfiguration& kubelet = config.kubelet;
  containers::NodeContext node;
  node.cluster_domain = kubelet.clusterdomain();
  node.cluster_dns = {kubelet.clusterdns().begin(), kubelet.clusterdns().end()};
  node.host_ips = machine.node_ips;
  node.allocatable = resources.allocatable;
  node.cpu_cfs_quota = kubelet.cpucfsquota();
  node.cpu_cfs_quota_period_us = absl::ToInt64Microseconds(ToDuration(kubelet.cpucfsquotaperiod()));
  node.memory_capacity_bytes = machine.memory_bytes;
  node.swap_capacity_bytes = machine.swap_bytes;
  node.swap_behavior = kubelet.memoryswap().swapbehavior() == "LimitedSwap"
                           ? containers::SwapBehavior::kLimitedSwap
                           : containers::SwapBehavior::kNoSwap;
  node.swap_controller_available = machine.swap_controller;
  node.cgroup_v2 = machine.cgroup_v2;
  node.single_process_oom_kill = !machine.cgroup_v2 || kubelet.singleprocessoomkill();
  node.seccomp_default = kubelet.seccompdefault();
  node.selinux_enabled = machine.selinux;
  for (const auto& [page, bytes] : machine.hugepages)
    node.hugepage_sizes.push_back(KernelPageName(page));
  node.thermal_throttle_paths = machine.thermal_throttle_paths;
  return node;
}

absl::Status MakeSources(const config::Config& config, AgentSettings& settings) {
  const config::KubeletConfiguration& kubelet = config.kubelet;
  if (!kubelet.staticpodpath().empty()) {
    sources::FileSource::Options file;
    file.path = kubelet.staticpodpath();
    file.node_name = settings.node_name;
    file.check_frequency = ToDuration(kubelet.filecheckfrequency());
    settings.file_source = std::move(file);
  }
  if (!kubelet.staticpodurl().empty()) {
    sources::HttpSource::Options http;
    http.url = kubelet.staticpodurl();
    http.node_name = settings.node_name;
    http.check_frequency = ToDuration(kubelet.httpcheckfrequency());
    for (const auto& [name, values] : kubelet.staticpodurlheader()) {
      for (const std::string& value : values.items()) http.headers.emplace_back(name, value);
    }
    std::sort(http.headers.begin(), http.headers.end());
    settings.http_source = std::move(http);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<AgentSettings> MakeSettings(const config::Config& config, const Machine& machine) {
  const config::KubeletConfiguration& kubelet = config.kubelet;
  AgentSettings settings;
  settings.node_name = machine.node_name;
  settings.paths = std::make_shared<paths::Paths>(config.flags.root_dir, kubelet.podlogsdir(),
                                                  "/var/log/containers");
  ASSIGN_OR_RETURN(const NodeResources resources, MakeResources(config, machine));
  settings.node = MakeNodeContext(config, machine, resources);
  settings.node.container_stop_signals = config.gates.Enabled("ContainerStopSignals");
  settings.node.paths = settings.paths.get();
  ASSIGN_OR_RETURN(settings.kubepods, KubepodsLimits(kubelet, machine, resources));

  pods::PodSettings& pods = settings.pods;
  pods.resolv_conf = kubelet.resolvconf();
  pods.cgroups_per_qos = kubelet.cgroupsperqos();
  pods.pod_cgroup.enforce_cpu_limits = kubelet.cpucfsquota();
  pods.pod_cgroup.cpu_period_us = static_cast<uint64_t>(settings.node.cpu_cfs_quota_period_us);
  pods.pod_cgroup.pids_limit = kubelet.podpidslimit();
  pods.pod_cgroup.hugepage_sizes = settings.node.hugepage_sizes;
  pods.sync_frequency = ToDuration(kubelet.syncfrequency());
  pods.max_dead_per_container = config.flags.maximum_dead_containers_per_container;
  pods.primary_ipv6 = machine.primary_ipv6;
  pods.max_pods = kubelet.maxpods();
  pods.user_namespace_ids_per_pod = static_cast<uint32_t>(
      kubelet.usernamespaces().idsperpod() > 0 ? kubelet.usernamespaces().idsperpod() : 65536);

  ASSIGN_OR_RETURN(const api::Quantity log_size,
                   api::Quantity::Parse(kubelet.containerlogmaxsize()));
  settings.logs.max_bytes = log_size.Value();
  settings.logs.max_files = kubelet.containerlogmaxfiles();
  settings.logs.max_workers = kubelet.containerlogmaxworkers();
  settings.logs.monitor_interval = ToDuration(kubelet.containerlogmonitorinterval());

  settings.images.serialize_pulls = kubelet.serializeimagepulls();
  settings.images.max_parallel_pulls = kubelet.maxparallelimagepulls();
  settings.images.registry_pull_qps = kubelet.registrypullqps();
  settings.images.registry_burst = kubelet.registryburst();
  settings.volumes.node_allocatable_memory_bytes = Amount(resources.allocatable, "memory");

  if (config.gates.Enabled("ReduceDefaultCrashLoopBackOffDecay")) {
    settings.crash_backoff_initial = absl::Seconds(1);
    settings.crash_backoff_max = absl::Seconds(60);
  }
  if (kubelet.crashloopbackoff().has_maxcontainerrestartperiod())
    settings.crash_backoff_max = ToDuration(kubelet.crashloopbackoff().maxcontainerrestartperiod());

  RETURN_IF_ERROR(MakeSources(config, settings));
  settings.view.name = machine.node_name;
  settings.view.labels = {{"kubernetes.io/hostname", machine.node_name},
                          {"kubernetes.io/os", "linux"}};
  for (const auto& [name, value] : config.flags.node_labels) settings.view.labels[name] = value;
  settings.view.taints = {kubelet.registerwithtaints().begin(), kubelet.registerwithtaints().end()};
  settings.view.allocatable = resources.allocatable;
  settings.capacity = resources.capacity;
  settings.view.apparmor_enabled = machine.apparmor;
  ASSIGN_OR_RETURN(
      node::SysctlAllowlist sysctls,
      node::SysctlAllowlist::Make(machine.kernel_release, {kubelet.allowedunsafesysctls().begin(),
                                                           kubelet.allowedunsafesysctls().end()}));
  settings.sysctls = std::make_shared<const node::SysctlAllowlist>(std::move(sysctls));
  settings.pod_level_resources = config.gates.Enabled("PodLevelResources");
  return settings;
}

RuntimeFacts FactsOf(const criv1::VersionResponse& version, const criv1::StatusResponse& status) {
  RuntimeFacts facts;
  facts.name = version.runtime_name();
  facts.supplemental_groups_policy = status.features().supplemental_groups_policy();
  for (const criv1::RuntimeHandler& handler : status.runtime_handlers()) {
    facts.handlers[handler.name()] = {handler.features().user_namespaces(),
                                      handler.features().recursive_read_only_mounts()};
  }
  return facts;
}

absl::Status CheckSupported(const config::Config& config) {
  const config::KubeletConfiguration& kubelet = config.kubelet;
  std::vector<std::string> missing;
  auto require = [&](bool supported, std::string what) {
    if (!supported) missing.push_back(std::move(what));
  };
  require(config.flags.bootstrap_kubeconfig.empty() || !config.flags.kubeconfig.empty(),
          "--bootstrap-kubeconfig without --kubeconfig");
  require(config.flags.cloud_provider.empty(), "--cloud-provider");
  require(config.flags.image_credential_provider_config.empty(),
          "--image-credential-provider-config");
  require(!config.flags.exit_on_lock_contention, "--exit-on-lock-contention");
  require(config.flags.lock_file.empty(), "--lock-file");
  require(kubelet.cpumanagerpolicy() == "none",
          StrCat("cpuManagerPolicy: ", kubelet.cpumanagerpolicy()));
  require(kubelet.memorymanagerpolicy() == "None",
          StrCat("memoryManagerPolicy: ", kubelet.memorymanagerpolicy()));
  require(kubelet.topologymanagerpolicy() == "none",
          StrCat("topologyManagerPolicy: ", kubelet.topologymanagerpolicy()));
  require(kubelet.reservedmemory().empty(), "reservedMemory");
  require(kubelet.qosreserved().empty(), "qosReserved");
  require(kubelet.systemreservedcgroup().empty(), "systemReservedCgroup");
  require(kubelet.kubereservedcgroup().empty(), "kubeReservedCgroup");
  require(kubelet.systemcgroups().empty(), "systemCgroups");
  require(kubelet.kubeletcgroups().empty(), "kubeletCgroups");
  require(kubelet.evictionsoft().empty(), "evictionSoft");
  require(ToDuration(kubelet.shutdowngraceperiod()) == absl::ZeroDuration(), "shutdownGracePeriod");
  require(kubelet.shutdowngraceperiodbypodpriority().empty(), "shutdownGracePeriodByPodPriority");
  require(!kubelet.enablesystemlogquery(), "enableSystemLogQuery");
  require(!kubelet.has_tracing(), "tracing");
  if (missing.empty()) return absl::OkStatus();
  return absl::UnimplementedError(
      StrCat("this version of Cubelet does not have yet: ", absl::StrJoin(missing, ", "),
             "; take it out of the configuration, or use another kubelet on this node"));
}

std::vector<std::string> NotInForce(const config::Config& config) {
  std::vector<std::string> fields;
  if (!config.kubelet.evictionhard().empty()) fields.push_back("evictionHard");
  if (config.kubelet.imagegchighthresholdpercent() < 100)
    fields.push_back("imageGCHighThresholdPercent");
  if (config.kubelet.makeiptablesutilchains()) fields.push_back("makeIPTablesUtilChains");
  // Objects are always watched, which is never staler than the other ways.
  if (config.kubelet.configmapandsecretchangedetectionstrategy() != "Watch")
    fields.push_back("configMapAndSecretChangeDetectionStrategy");
  return fields;
}

}  // namespace cubelet::kubelet
