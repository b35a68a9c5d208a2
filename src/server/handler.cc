#include "server/handler.h"

#include <algorithm>

#include "base/log.h"
#include "base/strings.h"

namespace cubelet::server {
namespace {

// A client must not be able to make up label values (CVE-2020-8551): methods outside this list
// count as one.
std::string MethodLabel(const std::string& method) {
  static constexpr std::string_view kMethods[] = {"GET",   "HEAD",    "POST",    "PUT",  "DELETE",
                                                  "PATCH", "OPTIONS", "CONNECT", "TRACE"};
  const bool known =
      std::find(std::begin(kMethods), std::end(kMethods), method) != std::end(kMethods);
  return known ? method : "other";
}

// Counts a request while it lives: until its answer has been sent.
class InFlight {
 public:
  InFlight(const Services& services, std::string method, std::string path, std::string server,
           std::string long_running)
      : loop_(services.loop),
        metrics_(services.metrics),
        method_(std::move(method)),
        path_(std::move(path)),
        server_(std::move(server)),
        long_running_(std::move(long_running)),
        start_(loop_.Monotonic()) {
    metrics_.Count("kubelet_http_requests_total", {method_, path_, server_, long_running_});
    Add(1);
  }
  ~InFlight() {
    Add(-1);
    metrics_.Observe("kubelet_http_requests_duration_seconds",
                     {method_, path_, server_, long_running_},
                     absl::ToDoubleSeconds(loop_.Monotonic() - start_));
  }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

 private:
  void Add(double by) {
    metrics_.AddGauge("kubelet_http_inflight_requests", {method_, path_, server_, long_running_},
                      by);
  }

  async::Loop& loop_;
  Metrics& metrics_;
  const std::string method_, path_, server_, long_running_;
  const absl::Duration start_;
};

}  // namespace

Response Text(int status, std::string body) {
  return {status, "text/plain; charset=utf-8", std::move(body)};
}

async::Task<Response> Handler::Handle(Request request, std::vector<X509*> chain) {
  const Route* const route = FindRoute(request.port, request.path);
  if (request.port != Port::kMain && request.port != Port::kReadOnly)
    co_return co_await Answer(route, std::move(request), std::move(chain));

  const std::string method = MethodLabel(request.method);
  const std::string path(route == nullptr ? "other" : route->label);
  const std::string server = request.port == Port::kMain ? "readwrite" : "readonly";
  const std::string long_running = IsLongRunning(route) ? "true" : "false";
  auto in_flight = std::make_shared<InFlight>(services_, method, path, server, long_running);
  Response response = co_await Answer(route, std::move(request), std::move(chain));
  response.in_flight = std::move(in_flight);
  co_return response;
}

async::Task<Response> Handler::Answer(const Route* route, Request request,
                                      std::vector<X509*> chain) {
  if (route == nullptr) co_return Text(404, "404 page not found\n");
  if (request.port == Port::kMain) {
    absl::StatusOr<User> user = co_await authenticator_.Authenticate(
        chain, Header(request, "Authorization"), services_.loop.Now());
    if (!user.ok()) {
      VLOG(2, "Unable to authenticate the request",
           {{"path", request.path}, {"reason", Message(user.status())}});
      co_return Text(401, "Unauthorized");
    }
    std::optional<Response> refused =
        co_await Authorize(authorizer_, *std::move(user), request.method, request.path);
    if (refused) co_return *std::move(refused);
  }
  Response refusal = Refusal(*route, services_.options, request.port, request.method);
  if (refusal.status != 0) co_return refusal;
  co_return co_await route->serve(&services_, std::move(request));
}

}  // namespace cubelet::server
