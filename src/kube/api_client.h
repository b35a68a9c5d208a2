// The Client that speaks with a real API server: credentials, rate limit, retries, compression,
// over HTTP/2 connections that are made when first needed.
//
//   ApiClient client(loop, {.access = *std::move(access)});
//   auto pod = co_await Get<v1::Pod>(&client, "default", "web");
//   co_await client.Close();
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "async/loop.h"
#include "async/task.h"
#include "kube/client.h"
#include "kube/connection.h"
#include "kube/credentials.h"
#include "kube/flow_control.h"
#include "kube/kubeconfig.h"
#include "kube/server_address.h"
#include "kube/transport.h"

namespace cubelet {
class Metrics;
}

namespace cubelet::kube {

// "kubelet/v1.36.2 (linux/amd64) kubernetes/cubelet"
std::string DefaultUserAgent();

struct ApiClientOptions {
  ClusterAccess access;
  std::string user_agent = DefaultUserAgent();
  double qps = 50;  // kubeAPIQPS; below 0 is no limit. Watches are not counted
  int burst = 100;  // kubeAPIBurst
  ProxyEnvironment proxy = ProxyEnvironment::OfProcess();  // where `access` names none
  ConnectionTimes times;
  Metrics* metrics = nullptr;  // rest_client_*
  // Awaited before each connecting, which fails with its error: the client certificate may not be
  // there yet.
  std::function<async::Task<absl::Status>()> before_connect = nullptr;
};

class ApiClient final : public Client {
 public:
  // Error: the server's address is none.
  static absl::StatusOr<std::unique_ptr<ApiClient>> Make(async::Loop& loop,
                                                         ApiClientOptions options);

  ApiClient(async::Loop& loop, ApiClientOptions options, ServerAddress server);

  // Ends everything that is under way. To be awaited before the client dies; watch streams may
  // outlive it.
  async::Task<void> Close();

  // Errors: `Get "https://10.0.0.1:6443/api/v1/nodes/lab": <why>`; DEADLINE_EXCEEDED. Answers 429
  // and 5xx that name a time (Retry-After) are waited out and the request sent again, ten times at
  // most. A request that was certainly not looked at is sent again at once; a GET also when the
  // connection broke under it.
  async::Task<absl::StatusOr<Answer>> Do(Request request) override;
  async::Task<absl::StatusOr<std::unique_ptr<WatchStream>>> Watch(Request request) override;
  void CloseConnections() override { transport_.CloseConnections(); }
  void RetireConnections() override { transport_.RetireConnections(); }

 private:
  struct Opened {
    std::unique_ptr<Exchange> exchange;
    Exchange::Head head;
  };
  struct Attempt {
    absl::StatusOr<Opened> opened = absl::UnknownError("not tried");
    bool sent = false;         // to a connection that was up
    bool unprocessed = false;  // and certainly not looked at
  };

  async::Task<absl::StatusOr<std::unique_ptr<TlsStream>>> DialServer();
  async::Task<absl::Status> Throttle(std::string method, absl::Duration deadline);
  async::Task<Attempt> TryOnce(Request request);
  async::Task<absl::StatusOr<Opened>> Open(Request request, absl::Duration deadline);
  async::Task<absl::StatusOr<Answer>> Ask(Request request);
  async::Task<absl::StatusOr<std::unique_ptr<WatchStream>>> StartWatch(Request request);
  std::string Describe(const Request& request) const;
  void Count(const Request& request, const Attempt& attempt, absl::Duration took);

  async::Loop& loop_;
  const ApiClientOptions options_;
  const ServerAddress server_;
  FlowControl flow_control_;
  Credentials credentials_;
  Transport transport_;
};

// "/api/v1/pods?fieldSelector=spec.nodeName%3Dlab": fields in the order of their names, as Go
// writes them. Pure.
std::string TargetOf(const std::string& base_path, const Request& request);

}  // namespace cubelet::kube
