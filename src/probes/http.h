// One HTTP GET as probes and lifecycle hooks make it (probes.md 5.4): no keep-alive, no proxy, TLS
// unverified, at most ten redirects that stay on the host, body read up to 10 KiB.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "api/types.h"
#include "async/loop.h"
#include "async/task.h"

namespace cubelet::probes {

namespace intstr = ::k8s::io::apimachinery::pkg::util::intstr;

struct HttpRequest {
  std::string scheme = "http";  // "http", "https"
  std::string host;             // name or address, IPv6 without brackets
  uint16_t port = 0;
  std::string path = "/";  // as written, with query
  std::vector<std::pair<std::string, std::string>> headers;
  std::string user_agent;  // used unless a header names one
};

struct HttpResponse {
  int status = 0;
  std::string body;
  // Not OK when the head came and the body did not (whole): probes cannot tell the outcome then,
  // hooks do not care.
  absl::Status body_status;
};

// The number of a port that is given as one or as the name of one of the container's. Error:
// `invalid port number: %v`, `strconv.Atoi: parsing %q: invalid syntax`.
absl::StatusOr<uint16_t> ResolvePort(const intstr::IntOrString& port,
                                     const v1::Container& container);

// The request of a httpGet action against `pod_ip` and the ports of `container`, `Accept: */*`
// among its headers unless the action has that (an empty one asks for none). Error: of ResolvePort.
absl::StatusOr<HttpRequest> MakeHttpRequest(const v1::HTTPGetAction& action,
                                            const v1::Container& container,
                                            const std::string& pod_ip,
                                            const std::string& user_agent);

// "http://host:port/path" as messages show it.
std::string UrlOf(const HttpRequest& request);

// Any answer is a result, whatever its status; so is a redirect to another host. `timeout`
// InfiniteDuration: none. Errors in Go's words (`Get "http://10.0.0.1:80/": dial tcp 10.0.0.1:80:
// connect: connection refused`, `... context deadline exceeded (Client.Timeout exceeded while
// awaiting headers)`, `... http: server gave HTTP response to HTTPS client`).
async::Task<absl::StatusOr<HttpResponse>> HttpGet(async::Loop* loop, HttpRequest request,
                                                  absl::Duration timeout);

}  // namespace cubelet::probes
