// /healthz and /healthz/<check>, in the format of all Kubernetes components (http.tsv). The port
// 10248 knows "ping" alone: it says that the process answers, nothing more.
#include <algorithm>

#include "absl/strings/str_join.h"
#include "base/log.h"
#include "base/strings.h"
#include "server/endpoint.h"

namespace cubelet::server {
namespace {

std::vector<HealthCheck> ChecksOf(const Services& services, Port port) {
  std::vector<HealthCheck> checks = {{"ping", [] { return absl::OkStatus(); }}};
  if (port == Port::kHealthz) return checks;
  checks.insert(checks.end(), services.backend.health_checks.begin(),
                services.backend.health_checks.end());
  return checks;
}

// The values of exclude=; the checks that are excluded are taken out of it.
std::vector<std::string> ExcludedOf(const Query& query) {
  std::vector<std::string> excluded;
  for (const auto& [key, value] : query) {
    if (key == "exclude") excluded.push_back(value);
  }
  std::sort(excluded.begin(), excluded.end());
  excluded.erase(std::unique(excluded.begin(), excluded.end()), excluded.end());
  return excluded;
}

void Note(Metrics& metrics, const std::string& name, bool ok) {
  metrics.SetGauge("kubernetes_healthcheck", {name, "healthz"}, ok ? 1 : 0);
  metrics.Count("kubernetes_healthchecks_total", {name, ok ? "success" : "error", "healthz"});
}

Response AllChecks(const Services& services, const Request& request) {
  std::vector<std::string> excluded = ExcludedOf(request.query);
  std::string lines;
  bool healthy = true;
  for (const HealthCheck& check : ChecksOf(services, request.port)) {
    if (std::erase(excluded, check.name) > 0) {
      StrAppend(&lines, "[+]", check.name, " excluded: ok\n");
      continue;
    }
    const absl::Status status = check.check();
    Note(services.metrics, check.name, status.ok());
    if (status.ok()) {
      StrAppend(&lines, "[+]", check.name, " ok\n");
      continue;
    }
    healthy = false;
    StrAppend(&lines, "[-]", check.name, " failed: reason withheld\n");
    VLOG(2, "Health check failed", {{"check", check.name}, {"reason", Message(status)}});
  }
  if (!excluded.empty()) {
    for (std::string& name : excluded) name = GoQuote(name);
    StrAppend(&lines, "warn: some health checks cannot be excluded: no matches for ",
              absl::StrJoin(excluded, ","), "\n");
  }
  if (!healthy) return Text(500, lines + "healthz check failed\n");
  if (!Has(request.query, "verbose")) return Text(200, "ok");
  return Text(200, lines + "healthz check passed\n");
}

}  // namespace

async::Task<Response> ServeHealthz(const Services* services, Request request) {
  if (request.path == "/healthz") co_return AllChecks(*services, request);
  for (const HealthCheck& check : ChecksOf(*services, request.port)) {
    if (request.path != StrCat("/healthz/", check.name)) continue;
    const absl::Status status = check.check();
    co_return status.ok() ? Text(200, "ok")
                          : Text(500, StrCat("internal server error: ", Message(status), "\n"));
  }
  co_return Text(404, "404 page not found\n");
}

}  // namespace cubelet::server
