#include "server/router.h"

#include "absl/strings/str_split.h"
#include "base/strings.h"

namespace cubelet::server {
namespace {

using Kind = Route::Kind;

async::Task<Response> ServeNotFound(const Services*, Request) {
  co_return Text(404, "404: Page Not Found");
}

constexpr Route kRoutes[] = {
    {"/healthz", "", Kind::kAlways, "healthz", ServeHealthz, "", nullptr, ""},
    {"/healthz/", "", Kind::kAlways, "healthz", ServeHealthz, "", nullptr, ""},
    {"/metrics", "", Kind::kAlways, "metrics", ServeMetrics, "", nullptr, ""},
    {"/metrics/probes", "", Kind::kAlways, "metrics/probes", ServeMetrics, "", nullptr, ""},
    {"/metrics/slis", "", Kind::kAlways, "other", ServeMetrics, "", nullptr, ""},
    {"/metrics/cadvisor", "", Kind::kAlways, "metrics/cadvisor", nullptr, "metrics of containers",
     nullptr, ""},
    {"/metrics/resource", "", Kind::kAlways, "metrics/resource", nullptr,
     "resource usage of containers", nullptr, ""},
    {"/pods", "GET", Kind::kAlways, "pods", ServePods, "", nullptr, ""},
    {"/pods/", "", Kind::kAlways, "pods", ServeNotFound, "", nullptr, ""},
    {"/stats/", "GET,POST", Kind::kAlways, "stats", nullptr, "statistics of the node and its pods",
     nullptr, ""},

    {"/runningpods", "GET", Kind::kDebugging, "runningpods", ServeRunningPods, "", nullptr, ""},
    {"/runningpods/", "GET", Kind::kDebugging, "runningpods", ServeRunningPods, "", nullptr, ""},
    {"/containerLogs/", "GET", Kind::kDebugging, "containerLogs", ServeContainerLogs, "", nullptr,
     ""},
    {"/exec/", "GET,POST", Kind::kDebugging, "exec", ServeExec, "", nullptr, ""},
    {"/attach/", "GET,POST", Kind::kDebugging, "attach", ServeAttach, "", nullptr, ""},
    {"/portForward/", "GET,POST", Kind::kDebugging, "portForward", ServePortForward, "", nullptr,
     ""},
    {"/run/", "POST", Kind::kDebugging, "run", ServeRun, "", nullptr, ""},
    {"/logs/", "GET", Kind::kDebugging, "logs", ServeSystemLogs, "",
     &Options::enable_system_log_handler, "logs endpoint is disabled.\n"},
    {"/debug/pprof/", "GET", Kind::kDebugging, "debug", nullptr, "profiles",
     &Options::enable_profiling_handler, "profiling endpoint is disabled.\n"},
    {"/debug/flags/v", "", Kind::kDebuggingOrAbsent, "debug", ServeDebugFlags, "",
     &Options::enable_debug_flags_handler, "flags endpoint is disabled.\n"},
    {"/debug/tasks", "GET", Kind::kDebuggingOrAbsent, "debug", ServeTasks, "", nullptr, ""},
    {"/configz", "", Kind::kDebuggingOrAbsent, "configz", ServeConfigz, "", nullptr, ""},
    {"/checkpoint/", "POST", Kind::kDebuggingOrAbsent, "checkpoint", nullptr,
     "checkpoints of containers", nullptr, ""},
    {"/flagz", "", Kind::kDebuggingOrAbsent, "flagz", nullptr, "the list of flags", nullptr, ""},
    {"/statusz", "", Kind::kDebuggingOrAbsent, "statusz", nullptr, "the status page", nullptr, ""},
    {"/cubelet/status", "GET", Kind::kDebuggingOrAbsent, "cubelet", ServeStatus, "", nullptr, ""},
};

bool Matches(const Route& route, std::string_view path) {
  return route.path.ends_with('/') ? path.starts_with(route.path) : path == route.path;
}

bool Allows(const Route& route, std::string_view method) {
  if (route.methods.empty()) return true;
  for (absl::string_view allowed : absl::StrSplit(ToAbsl(route.methods), ',')) {
    if (ToStd(allowed) == method) return true;
  }
  return false;
}

// The sockets with one purpose know the paths of that purpose.
bool IsOn(Port port, std::string_view path) {
  if (port == Port::kHealthz) return path == "/healthz" || path == "/healthz/ping";
  if (port == Port::kStatus) return path == "/cubelet/status" || path == "/debug/tasks";
  return true;
}

}  // namespace

const Route* FindRoute(Port port, std::string_view path) {
  if (!IsOn(port, path)) return nullptr;
  for (const Route& route : kRoutes) {
    if (Matches(route, path)) return &route;
  }
  return nullptr;
}

Response Refusal(const Route& route, const Options& options, Port port, std::string_view method) {
  const bool debugging = port == Port::kStatus || port == Port::kHealthz ||
                         (port == Port::kMain && options.enable_debugging_handlers);
  if (route.kind == Kind::kDebugging && !debugging)
    return Text(405, "Debug endpoints are disabled.\n");
  if (route.kind == Kind::kDebuggingOrAbsent && !debugging)
    return Text(404, "404 page not found\n");
  if (route.enabled != nullptr && !(options.*route.enabled))
    return Text(405, std::string(route.disabled));
  if (!Allows(route, method)) return Text(405, "405: Method Not Allowed");
  if (route.serve == nullptr) {
    return Text(501, StrCat(route.path, ": this version of the kubelet does not serve ",
                            route.absent, "\n"));
  }
  return {0, "", ""};
}

bool IsLongRunning(const Route* route) {
  return route != nullptr &&
         (route->label == "exec" || route->label == "attach" || route->label == "debug");
}

}  // namespace cubelet::server
