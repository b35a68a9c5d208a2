#include "kubelet/agent.h"

#include <cmath>
#include <utility>

#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"
#include "images/manager.h"
#include "kube/reflector.h"
#include "os/files.h"
#include "pleg/runtime_cache.h"
#include "pods/log_rotation.h"
#include "pods/mirror_pods.h"
#include "pods/pod_objects.h"
#include "pods/status_reporter.h"
#include "probes/manager.h"
#include "sources/api_source.h"
#include "volumes/manager.h"

namespace cubelet::kubelet {

using async::Task;

// What speaks with the API server.
struct Api {
  Api(async::Loop& loop, async::TaskScope& scope, kube::Client* client, Metrics& metrics)
      : reporter(loop, scope, client, metrics),
        mirrors(loop, scope, client),
        objects(loop, scope, client),
        side{reporter, mirrors} {}

  pods::StatusReporter reporter;
  pods::MirrorPods mirrors;
  pods::PodObjects objects;
  pods::ApiSide side;
  std::unique_ptr<kube::Reflector<v1::Node>> node;
  std::unique_ptr<sources::ApiSource> source;
  bool asks_for_pods = false;
};

// In the order of their making: what stands below may use what stands above.
struct Agent::Parts {
  Parts(async::Loop& the_loop, Seams the_seams, AgentSettings the_settings, absl::Time started_at)
      : loop(the_loop),
        seams(the_seams),
        settings(std::move(the_settings)),
        scope(loop, "agent"),
        cache(loop, seams.runtime, {}),
        images(loop, seams.images, seams.events, settings.images),
        api(MakeApi()),
        volumes(loop, seams.mounter, *settings.paths, seams.events, VolumeOptionsOf()),
        probes(loop, scope, seams.runtime, seams.events, started_at),
        logs(loop, scope, seams.runtime, settings.logs),
        health(loop, seams.runtime),
        services{loop,          seams.runtime,   seams.images,
                 cache,         images,          volumes,
                 probes,        seams.cgroups,   logs,
                 seams.events,  *settings.paths, settings.node,
                 settings.pods, seams.metrics,   [this] { return health.network(); },
                 objects()},
        pods(services, ManagerOptionsOf(), api ? &api->side : nullptr) {}

  pods::ManagerOptions ManagerOptionsOf();
  volumes::Options VolumeOptionsOf();
  pods::PodObjects* objects() { return api ? &api->objects : nullptr; }
  std::unique_ptr<Api> MakeApi();
  void WatchNode();
  void TakeNode(node::NodePtr node);
  void CountListing(absl::Duration took);
  std::optional<pods::Rejection> Admit(PodPtr pod, std::vector<PodPtr> others) const;

  async::Loop& loop;
  Seams seams;
  AgentSettings settings;
  async::TaskScope scope;
  pleg::RuntimeCache cache;
  images::Manager images;
  std::unique_ptr<Api> api;  // null without an API server
  volumes::Manager volumes;
  probes::Manager probes;
  pods::LogRotation logs;
  node::RuntimeHealth health;
  pods::PodServices services;
  std::function<void(node::NodePtr)> on_node;
  std::function<void(const criv1::StatusResponse&)> on_runtime;
  pods::Manager pods;
  std::optional<absl::Duration> last_listing;  // monotonic time it was asked for
  std::unique_ptr<sources::FileSource> file_source;
  std::unique_ptr<sources::HttpSource> http_source;
  sources::Problems file_problems;
  sources::Problems http_problems;
  sources::Problems problems;
};

std::unique_ptr<Api> Agent::Parts::MakeApi() {
  if (seams.kube == nullptr) return nullptr;
  return std::make_unique<Api>(loop, scope, seams.kube, seams.metrics);
}

// Pods are asked for once the node is known: whether they may run depends on it.
void Agent::Parts::WatchNode() {
  kube::ReflectorOptions options;
  options.field_selector = StrCat("metadata.name=", settings.node_name);
  kube::ReflectorHandler<v1::Node> handler;
  handler.on_replace = [this](std::vector<std::shared_ptr<const v1::Node>> nodes) {
    TakeNode(nodes.empty() ? nullptr : nodes.front());
    // The whole state comes again whenever the server has forgotten the thread.
    if (!std::exchange(api->asks_for_pods, true)) api->source->Start(scope);
  };
  handler.on_change = [this](kube::Change change, std::shared_ptr<const v1::Node> node) {
    TakeNode(change == kube::Change::kDeleted ? nullptr : std::move(node));
  };
  api->node = std::make_unique<kube::Reflector<v1::Node>>(loop, seams.kube, std::move(options),
                                                          std::move(handler));
  scope.Spawn("watch node", api->node->Run());
}

void Agent::Parts::TakeNode(node::NodePtr node) {
  if (node)
    settings.view.labels = {node->metadata().labels().begin(), node->metadata().labels().end()};
  if (on_node) on_node(node);
  api->mirrors.SetNode(std::move(node));
}

pods::ManagerOptions Agent::Parts::ManagerOptionsOf() {
  pods::ManagerOptions options;
  if (settings.file_source) options.sources.emplace_back(api::kFileSource);
  if (settings.http_source) options.sources.emplace_back(api::kHttpSource);
  if (seams.kube != nullptr) options.sources.emplace_back(api::kApiSource);
  options.crash_backoff_initial = settings.crash_backoff_initial;
  options.crash_backoff_max = settings.crash_backoff_max;
  options.admit = [this](PodPtr pod, std::vector<PodPtr> others) {
    return Admit(std::move(pod), std::move(others));
  };
  return options;
}

volumes::Options Agent::Parts::VolumeOptionsOf() {
  volumes::Options options = settings.volumes;
  options.objects = objects();
  return options;
}

void Agent::Parts::CountListing(absl::Duration took) {
  Metrics& metrics = seams.metrics;
  const absl::Duration asked = loop.Monotonic() - took;
  metrics.Observe("kubelet_pleg_relist_duration_seconds", {}, absl::ToDoubleSeconds(took));
  if (last_listing)
    metrics.Observe("kubelet_pleg_relist_interval_seconds", {},
                    absl::ToDoubleSeconds(asked - *last_listing));
  last_listing = asked;
  metrics.SetGauge("kubelet_pleg_last_seen_seconds", {},
                   std::floor(absl::ToDoubleSeconds(loop.Now() - took - absl::UnixEpoch())));
}

std::optional<pods::Rejection> Agent::Parts::Admit(PodPtr pod, std::vector<PodPtr> others) const {
  node::AdmissionInput input;
  input.pod = std::move(pod);
  input.other_pods = std::move(others);
  input.node = &settings.view;
  input.sysctls = settings.sysctls.get();
  input.pod_level_resources = settings.pod_level_resources;
  const node::AdmissionResult result = node::Admit(input);
  if (result.admitted) return std::nullopt;
  seams.metrics.Count("kubelet_admission_rejections_total",
                      {node::RejectionMetricReason(result.reason)});
  return pods::Rejection{result.reason, result.message};
}

Agent::Agent(async::Loop& loop, Seams seams, AgentSettings settings, absl::Time started_at)
    : parts_(std::make_unique<Parts>(loop, seams, std::move(settings), started_at)) {}

Agent::~Agent() = default;

pods::Manager& Agent::pods() { return parts_->pods; }
node::RuntimeHealth& Agent::health() { return parts_->health; }
const sources::Problems& Agent::problems() const { return parts_->problems; }

void Agent::SetOnNode(std::function<void(node::NodePtr)> on_node) {
  parts_->on_node = std::move(on_node);
}

void Agent::SetOnRuntime(std::function<void(const criv1::StatusResponse&)> on_runtime) {
  parts_->on_runtime = std::move(on_runtime);
}

absl::Status Agent::api_server() const {
  if (!parts_->api || !parts_->api->node) return absl::OkStatus();
  RETURN_IF_ERROR(Annotate(parts_->api->node->last_error(), "watch the node"));
  return Annotate(parts_->api->source->last_error(), "watch pods");
}

void Agent::SetRuntimeFacts(const RuntimeFacts& facts) {
  parts_->settings.pods.runtime_name = facts.name;
  parts_->settings.node.handlers = facts.handlers;
  parts_->settings.view.supplemental_groups_policy = facts.supplemental_groups_policy;
}

Task<absl::Status> Agent::Prepare() {
  const std::shared_ptr<const paths::Paths> paths = parts_->settings.paths;
  absl::Status made = co_await parts_->loop.Blocking([paths]() -> absl::Status {
    RETURN_IF_ERROR(os::MakeDirectories(paths->root(), 0750));
    for (const std::string& path :
         {paths->Pods(), paths->Plugins(), paths->PluginsRegistry(), paths->PodResources()})
      RETURN_IF_ERROR(os::MakeDirectories(path, 0750));
    RETURN_IF_ERROR(os::MakeDirectories(paths->pod_logs(), 0750));
    return os::MakeDirectories(paths->container_logs(), 0755);
  });
  CO_RETURN_IF_ERROR(made);
  if (!parts_->settings.pods.cgroups_per_qos) co_return absl::OkStatus();
  cgroups::Manager* cgroups = &parts_->seams.cgroups;
  absl::Status roots = co_await parts_->loop.Blocking(
      [cgroups, limits = parts_->settings.kubepods] { return cgroups->EnsureRoots(limits); });
  co_return Annotate(roots, "make the cgroups of pods");
}

void Agent::Start() {
  Parts& parts = *parts_;
  parts.health.SetOnChange([&parts](const criv1::StatusResponse& status) {
    parts.pods.WakeAll();
    if (parts.on_runtime) parts.on_runtime(status);
  });
  parts.health.Start(parts.scope);
  parts.probes.SetMetrics(&parts.seams.metrics);
  parts.images.SetMetrics(&parts.seams.metrics);
  parts.cache.SetObserver([&parts](bool whole, absl::Duration duration) {
    if (whole) {
      parts.CountListing(duration);
    } else {
      parts.seams.metrics.Observe("kubelet_pleg_pod_relist_duration_seconds", {},
                                  absl::ToDoubleSeconds(duration));
    }
  });
  parts.pods.Start(parts.scope);
  auto deliver = [&parts](std::string source, std::vector<PodPtr> pods, bool complete) {
    parts.pods.Deliver(source, std::move(pods), complete);
  };
  auto merge = [&parts] {
    parts.problems = parts.file_problems;
    parts.problems.insert(parts.http_problems.begin(), parts.http_problems.end());
  };
  if (parts.settings.file_source) {
    parts.file_source =
        std::make_unique<sources::FileSource>(parts.loop, *parts.settings.file_source, deliver,
                                              [&parts, merge](const sources::Problems& problems) {
                                                parts.file_problems = problems;
                                                merge();
                                              });
    parts.file_source->Start(parts.scope);
  }
  if (parts.settings.http_source) {
    parts.http_source =
        std::make_unique<sources::HttpSource>(parts.loop, *parts.settings.http_source, deliver,
                                              [&parts, merge](const sources::Problems& problems) {
                                                parts.http_problems = problems;
                                                merge();
                                              });
    parts.http_source->Start(parts.scope);
  }
  if (parts.api) {
    parts.api->objects.SetOnChange(
        [&parts](const std::string& uid) { parts.pods.RefreshVolumes(uid); });
    parts.api->objects.Start([&parts] { parts.pods.WakeAll(); });
    parts.api->source = std::make_unique<sources::ApiSource>(parts.loop, parts.seams.kube,
                                                             parts.settings.node_name, deliver);
    parts.WatchNode();
  }
}

Task<void> Agent::Stop() { co_await parts_->scope.Close(); }

}  // namespace cubelet::kubelet
