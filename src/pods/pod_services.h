// What pods are run with: one bundle of references, made by the composition root, that outlives
// every worker.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "api/events.h"
#include "async/loop.h"
#include "base/metrics.h"
#include "cgroups/manager.h"
#include "containers/node_context.h"
#include "cri/runtime.h"
#include "images/manager.h"
#include "paths/paths.h"
#include "pleg/runtime_cache.h"
#include "pods/crash_backoff.h"
#include "pods/log_rotation.h"
#include "probes/manager.h"
#include "volumes/manager.h"

namespace cubelet::pods {

class PodObjects;  // pod_objects.h

struct PodSettings {
  std::string runtime_name;  // "containerd": the scheme of container ids in statuses
  std::string resolv_conf;   // resolvConf, "" for none
  std::string node_hosts = "/etc/hosts";
  bool cgroups_per_qos = true;
  cgroups::PodResourceOptions pod_cgroup;
  absl::Duration sync_frequency = absl::Minutes(1);  // longest wait for a back-off to end
  int max_dead_per_container = 1;
  bool primary_ipv6 = false;
  int max_pods = 110;
  uint32_t user_namespace_ids_per_pod = 65536;
};

struct PodServices {
  async::Loop& loop;
  cri::Runtime& runtime;
  cri::Images& image_service;
  pleg::RuntimeCache& cache;
  images::Manager& images;
  volumes::Manager& volumes;
  probes::Manager& probes;
  cgroups::Manager& cgroups;
  LogRotation& logs;
  api::EventRecorder& events;
  const paths::Paths& paths;
  const containers::NodeContext& node;
  const PodSettings& settings;
  Metrics& metrics;

  // Whether pods can get a network now, with the runtime's own words when not.
  std::function<absl::Status()> network_state;

  // ConfigMaps, Secrets and services for pods; null: there is no API server.
  PodObjects* objects = nullptr;
};

}  // namespace cubelet::pods
