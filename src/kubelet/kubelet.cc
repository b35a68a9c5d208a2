#include "kubelet/kubelet.h"

#include <functional>
#include <limits>
#include <utility>

#include "api/codec.h"
#include "async/backoff.h"
#include "async/loop.h"
#include "async/process_signals.h"
#include "async/scope.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/process_metrics.h"
#include "base/status.h"
#include "base/strings.h"
#include "config/version.h"
#include "cri/client.h"
#include "kubelet/agent.h"
#include "kubelet/cluster.h"
#include "kubelet/log_events.h"
#include "kubelet/machine.h"
#include "kubelet/node_metrics.h"
#include "kubelet/pod_access.h"
#include "kubelet/process.h"
#include "kubelet/reports.h"
#include "kubelet/server_options.h"
#include "os/files.h"
#include "os/memory.h"
#include "os/mounts.h"
#include "os/systemd.h"
#include "server/health.h"
#include "server/pod_list.h"
#include "server/server.h"
#include "server/status_report.h"

namespace cubelet::kubelet {

using async::Task;

namespace {

constexpr absl::Duration kQuiet = absl::Seconds(10);

}  // namespace

// Everything the process owns, in the order of its making.
struct Kubelet::Services {
  explicit Services(config::Config the_config)
      : config(std::move(the_config)), loop(async::Loop::Real()), started_at(loop->Now()) {}

  // The phases of the start, in their order. Each either succeeds or ends the process.
  absl::Status PrepareNode();
  absl::Status ConnectRuntime();
  absl::Status ConnectCluster();
  absl::Status OpenServers();
  absl::Status BeginPods();

  Task<void> BringUp();
  Task<absl::Status> AskRuntime(RuntimeFacts* facts, criv1::VersionResponse* version);
  Task<void> WaitForSignal();
  Task<void> ShutDown();
  Task<void> FeedWatchdog();
  void ReleaseMemoryLater();
  void End(absl::Status why);

  // Where events go: to the API server, if there is one.
  api::EventRecorder& events() { return cluster ? cluster->events() : log_events; }
  server::Backend MakeBackend();
  absl::Status CheckSyncLoop() const;
  NodeReport Describe() const;
  void UpdateMetrics();

  config::Config config;
  std::unique_ptr<async::Loop> loop;
  const absl::Time started_at;
  absl::Status result;
  bool ending = false;

  Metrics metrics;
  LogEvents log_events;
  server::LogCheck log_check;
  absl::Duration watchdog_interval;
  Machine machine;
  AgentSettings settings;
  std::unique_ptr<volumes::Mounter> mounter;
  std::unique_ptr<cgroups::Manager> cgroups;
  std::unique_ptr<cri::Client> client;
  std::unique_ptr<Cluster> cluster;  // null: a standalone node
  std::string runtime_version;       // "containerd 2.1.9"
  std::unique_ptr<Agent> agent;      // there once the runtime has answered
  std::unique_ptr<server::Server> server;
  async::Loop::TimerId release_timer = 0;

  async::TaskScope scope{*loop, "kubelet"};
  async::TaskScope ending_scope{*loop, "shutdown"};
};

Kubelet::Kubelet(config::Config config)
    : services_(std::make_unique<Services>(std::move(config))) {}

Kubelet::~Kubelet() = default;

absl::Status Kubelet::Run() {
  struct Phase {
    const char* name;
    absl::Status (Services::*run)();
  };
  static constexpr Phase kPhases[] = {
      {"prepare node", &Services::PrepareNode},
      {"connect runtime", &Services::ConnectRuntime},
      {"connect cluster", &Services::ConnectCluster},
      {"open servers", &Services::OpenServers},
      {"begin pods", &Services::BeginPods},
  };
  Services& services = *services_;
  LOG_INFO("Kubelet version", {{"kubeletVersion", config::kKubernetesVersion},
                               {"cubeletVersion", config::kProjectVersion}});
  for (const std::string& warning : services.config.warnings) LOG_WARNING(warning);
  for (const Phase& phase : kPhases) {
    VLOG(2, "Start phase", {{"phase", phase.name}});
    absl::Status status = (services.*phase.run)();
    if (status.ok()) continue;
    services.End(Annotate(status, phase.name));
    break;
  }
  services.loop->Run();
  FlushLog();
  return services.result;
}

absl::Status Kubelet::Services::PrepareNode() {
  RETURN_IF_ERROR(CheckSupported(config));
  RETURN_IF_ERROR(CheckCgroupVersion(config, config::DetectHost().cgroup_v2));
  ASSIGN_OR_RETURN(watchdog_interval, os::WatchdogInterval());
  RETURN_IF_ERROR(PrepareProcess(config));
  const std::string& root = config.flags.root_dir;
  RETURN_IF_ERROR(os::MakeDirectories(root, 0750));
  // Mounts that pods make are to be seen by others, where the directory is a mount of its own.
  if (absl::StatusOr<bool> mounted = os::IsMountPoint(root); mounted.ok() && *mounted) {
    absl::Status shared = os::MakeRecursivelyShared(root);
    if (!shared.ok()) LOG_ERROR(shared, "Mounts below the root directory are not shared");
  }
  ASSIGN_OR_RETURN(machine, ReadMachine(config));
  ASSIGN_OR_RETURN(settings, MakeSettings(config, machine));
  mounter = volumes::CreateMounter();
  cgroups::Options options;
  if (!config.kubelet.cgrouproot().empty()) options.cgroup_root = config.kubelet.cgrouproot();
  ASSIGN_OR_RETURN(cgroups, cgroups::CreateCgroupfsManager(options));
  LOG_INFO("Node", {{"name", machine.node_name},
                    {"addresses", GoList(machine.node_ips)},
                    {"cgroupVersion", machine.cgroup_v2 ? 2 : 1}});
  for (const std::string& field : NotInForce(config))
    LOG_WARNING("A setting is not in force yet in this version", {{"field", field}});
  return absl::OkStatus();
}

absl::Status Kubelet::Services::ConnectRuntime() {
  cri::ClientOptions options;
  options.endpoint = config.kubelet.containerruntimeendpoint();
  options.image_endpoint = config.kubelet.imageserviceendpoint();
  options.timeout = config::ToDuration(config.kubelet.runtimerequesttimeout());
  ASSIGN_OR_RETURN(client, cri::Client::Create(*loop, std::move(options)));
  client->SetObserver(
      [this](std::string_view operation, absl::Duration duration, const absl::Status& status) {
        metrics.Count("kubelet_runtime_operations_total", {operation});
        metrics.Observe("kubelet_runtime_operations_duration_seconds", {operation},
                        absl::ToDoubleSeconds(duration));
        if (!status.ok()) metrics.Count("kubelet_runtime_operations_errors_total", {operation});
      });
  return absl::OkStatus();
}

absl::Status Kubelet::Services::ConnectCluster() {
  if (config.flags.kubeconfig.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(cluster, Cluster::Create(*loop, config, machine.node_name, metrics));
  cluster->SendEvents(scope);
  return absl::OkStatus();
}

absl::Status Kubelet::Services::OpenServers() {
  metrics.SetGauge("kubelet_node_name", {machine.node_name}, 1);
  metrics.SetGauge("kubelet_cgroup_version", {}, machine.cgroup_v2 ? 2 : 1);
  SetBuildMetrics(metrics, config);
  // Whoever knows better sets them anew at each scrape: 0 would set off alarms.
  for (const CertificateKind* kind : {&kClientCertificate, &kServingCertificate})
    metrics.SetGauge(kind->ttl_metric, {}, std::numeric_limits<double>::infinity());
  metrics.OnScrape([this] { UpdateMetrics(); });
  ASSIGN_OR_RETURN(server,
                   server::Server::Create(*loop, MakeServerOptions(config, machine), MakeBackend(),
                                          metrics, cluster ? &cluster->reviews() : nullptr));
  return server->Start();
}

absl::Status Kubelet::Services::BeginPods() {
  scope.Spawn("signals", WaitForSignal());
  scope.Spawn("bring up", BringUp());
  if (cluster) cluster->KeepCertificates(scope, [this](absl::Status why) { End(std::move(why)); });
  if (watchdog_interval != absl::InfiniteDuration()) scope.Spawn("watchdog", FeedWatchdog());
  events().Record({.kind = "Node", .name = machine.node_name}, api::EventType::kNormal, "Starting",
                  "Starting kubelet.");
  os::NotifyReady();
  LOG_INFO("Started kubelet", {{"after", loop->Now() - started_at}});
  return absl::OkStatus();
}

// The runtime decides what pods can be given, so they wait for its first answer.
Task<void> Kubelet::Services::BringUp() {
  async::Backoff backoff(absl::Milliseconds(100), absl::Seconds(5));
  RuntimeFacts facts;
  criv1::VersionResponse version;
  bool told = false;
  while (true) {
    absl::Status status = co_await AskRuntime(&facts, &version);
    if (status.ok()) break;
    if (absl::IsFailedPrecondition(status) || absl::IsInvalidArgument(status)) {
      End(status);
      co_return;
    }
    if (!std::exchange(told, true))
      LOG_ERROR(status, "Waiting for the container runtime",
                {{"endpoint", config.kubelet.containerruntimeendpoint()}});
    co_await loop->Sleep(backoff.Next());
  }
  LOG_INFO("Container runtime", {{"version", runtime_version}});
  const Seams seams{client->runtime(),
                    client->images(),
                    *mounter,
                    *cgroups,
                    events(),
                    metrics,
                    cluster ? cluster->client() : nullptr};
  agent = std::make_unique<Agent>(*loop, seams, settings, started_at);
  agent->SetRuntimeFacts(facts);
  absl::Status prepared = co_await agent->Prepare();
  if (!prepared.ok()) {
    End(prepared);
    co_return;
  }
  agent->pods().SetOnStatus([this](const std::string&) { ReleaseMemoryLater(); });
  if (cluster) {
    auto fixed = co_await loop->Blocking([this] { return FixedFacts(config, machine, settings); });
    cluster->Join(scope, *agent, client->images(), std::move(fixed), version);
  }
  agent->Start();
  ReleaseMemoryLater();
}

// Once things have been quiet for a while: most of what the start, or a burst of pods, has run
// through is not run again soon.
void Kubelet::Services::ReleaseMemoryLater() {
  loop->CancelTimer(release_timer);
  release_timer = loop->AddTimer(kQuiet, [] { os::ReleaseColdMemory(); });
}

Task<absl::Status> Kubelet::Services::AskRuntime(RuntimeFacts* facts,
                                                 criv1::VersionResponse* said) {
  auto version = co_await client->runtime().Version();
  CO_RETURN_IF_ERROR(Annotate(version.status(), "ask the runtime for its version"));
  if (version->runtime_api_version() != "v1" && version->runtime_api_version() != "1.0")
    VLOG(2, "Version of the runtime's interface", {{"version", version->runtime_api_version()}});
  auto cgroup = co_await client->runtime().RuntimeConfig();
  // Older runtimes do not say; the configuration's word stands.
  std::string driver = config.kubelet.cgroupdriver();
  if (cgroup.ok()) {
    driver = cgroup->linux().cgroup_driver() == criv1::SYSTEMD ? "systemd" : "cgroupfs";
  } else if (!absl::IsUnimplemented(cgroup.status())) {
    co_return Annotate(cgroup.status(), "ask the runtime for its cgroup driver");
  }
  if (driver == "systemd")
    co_return absl::FailedPreconditionError(
        "the cgroup driver systemd (of the runtime, or of cgroupDriver) is not there yet in this "
        "version of Cubelet: set SystemdCgroup = false for the runtime and cgroupDriver: cgroupfs");
  auto status = co_await client->runtime().Status(/*verbose=*/false);
  CO_RETURN_IF_ERROR(Annotate(status.status(), "ask the runtime for its status"));
  *facts = FactsOf(*version, *status);
  *said = *version;
  runtime_version = StrCat(version->runtime_name(), " ", version->runtime_version());
  co_return absl::OkStatus();
}

Task<void> Kubelet::Services::WaitForSignal() {
  async::TerminationSignals signals(*loop);
  const std::string name = co_await signals.Wait();
  LOG_INFO("Received a signal, ending; containers run on", {{"signal", name}});
  End(absl::OkStatus());
}

// The systemd watchdog is fed by the loop's turning, as long as pods are synced.
Task<void> Kubelet::Services::FeedWatchdog() {
  while (true) {
    co_await loop->Sleep(watchdog_interval);
    absl::Status status = CheckSyncLoop();
    if (status.ok()) {
      os::NotifyWatchdog();
    } else {
      LOG_ERROR(status, "Not telling the watchdog that all is well");
    }
  }
}

void Kubelet::Services::End(absl::Status why) {
  if (std::exchange(ending, true)) return;
  result = std::move(why);
  os::NotifyStopping();
  ending_scope.Spawn("shut down", ShutDown());
}

// The reverse of the start. Containers are the runtime's and run on.
Task<void> Kubelet::Services::ShutDown() {
  co_await scope.Close();
  loop->CancelTimer(release_timer);
  if (agent) co_await agent->Stop();
  if (cluster) co_await cluster->Close();
  if (server) co_await server->Stop();
  loop->Post([this] { loop->Stop(); });
}

absl::Status Kubelet::Services::CheckSyncLoop() const {
  return agent ? agent->pods().CheckSyncing() : absl::OkStatus();
}

server::Backend Kubelet::Services::MakeBackend() {
  server::Backend backend;
  backend.pods = [this]() -> absl::StatusOr<std::string> {
    if (!agent) return server::PodListJson({});
    return server::PodListJson(PodsWithStatus(agent->pods().Reports()));
  };
  backend.running_pods = [this]() -> Task<absl::StatusOr<std::string>> {
    if (!agent) co_return absl::UnavailableError("the container runtime does not answer");
    co_return server::PodListJson(RunningPods(agent->pods().Running()));
  };
  backend.configz = [this] { return config::ConfigzJson(config); };
  backend.status = [this] {
    return server::StatusJson(MakeStatusReport(
        Describe(), agent ? agent->pods().Reports() : std::vector<pods::PodReport>(),
        agent ? agent->problems() : sources::Problems()));
  };
  ServePodAccess(backend, agent, client->runtime());
  backend.health_checks = {
      {"log", [this] { return log_check.Check(loop->Monotonic()); }},
      {"syncloop", [this] { return CheckSyncLoop(); }},
  };
  return backend;
}

NodeReport Kubelet::Services::Describe() const {
  NodeReport report;
  report.node = machine.node_name;
  report.version = config::kProjectVersion;
  report.runtime = runtime_version;
  report.started = started_at;
  if (!agent) {
    report.runtime = StrCat("no answer at ", config.kubelet.containerruntimeendpoint());
    report.problems.push_back(StrCat("the container runtime at ",
                                     config.kubelet.containerruntimeendpoint(),
                                     " does not answer: no pods are run"));
    return report;
  }
  const absl::Status runtime = agent->health().runtime();
  if (!runtime.ok())
    report.problems.push_back(
        StrCat(Message(runtime), " (", config.kubelet.containerruntimeendpoint(), ")"));
  const absl::Status network = agent->health().network();
  if (!network.ok()) report.problems.emplace_back(Message(network));
  const absl::Status api_server = agent->api_server();
  if (!api_server.ok()) report.problems.emplace_back(Message(api_server));
  return report;
}

void Kubelet::Services::UpdateMetrics() {
  UpdateProcessMetrics(metrics);
  metrics.SetGauge("cubelet_loop_lag_seconds", {}, absl::ToDoubleSeconds(loop->TakeMaxLag()));
  if (!agent) return;
  metrics.SetGauge("cubelet_manifest_problems", {}, static_cast<double>(agent->problems().size()));
  UpdatePodMetrics(metrics, agent->pods());
}

}  // namespace cubelet::kubelet
