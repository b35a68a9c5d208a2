#include "probes/prober.h"

#include <algorithm>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "api/expansion.h"
#include "api/pod.h"
#include "async/timeout.h"
#include "base/clock.h"
#include "base/strings.h"
#include "cri/errors.h"
#include "probes/connection.h"
#include "probes/grpc_health.h"
#include "probes/http.h"
#include "probes/url.h"

namespace cubelet::probes {
namespace {

namespace asio = boost::asio;
using async::Task;

constexpr int kMaxAttempts = 3;
constexpr size_t kMaxOutputBytes = 10 << 10;

ProbeResult Success(std::string output = "") { return {Verdict::kSuccess, std::move(output), ""}; }
ProbeResult Failure(std::string output) { return {Verdict::kFailure, std::move(output), ""}; }
ProbeResult Error(std::string error) { return {Verdict::kUnknown, "", std::move(error)}; }

// The command with references to the values that the container's env has literally; a name whose
// value comes from elsewhere stands for nothing.
std::vector<std::string> ExpandCommand(const v1::ExecAction& action,
                                       const v1::Container& container) {
  const auto value_of = [&](std::string_view name) -> std::optional<std::string> {
    std::optional<std::string> value;
    for (const v1::EnvVar& variable : container.env()) {
      if (variable.name() == name) value = variable.value();
    }
    return value;
  };
  std::vector<std::string> command;
  for (const std::string& word : action.command()) command.push_back(api::Expand(word, value_of));
  return command;
}

std::string OutputOf(const criv1::ExecSyncResponse& response) {
  std::string output = response.stdout().substr(0, kMaxOutputBytes);
  output += std::string_view(response.stderr()).substr(0, kMaxOutputBytes - output.size());
  return output;
}

Task<ProbeResult> Exec(cri::Runtime* runtime, ProbeTarget target) {
  const absl::Duration timeout = TimeoutOf(*target.probe);
  std::vector<std::string> command =
      ExpandCommand(target.probe->handler().exec(), *target.container);
  const std::string shown = absl::StrJoin(command, " ");
  absl::StatusOr<criv1::ExecSyncResponse> response =
      co_await runtime->ExecSync(target.container_id, std::move(command), timeout);
  if (absl::IsDeadlineExceeded(response.status()))
    co_return Failure(StrCat("command timed out: ", GoQuote(shown), " timed out after ",
                             FormatGoDuration(timeout)));
  if (!response.ok()) co_return Error(cri::RpcErrorText(response.status()));
  std::string output = OutputOf(*response);
  co_return response->exit_code() == 0 ? Success(std::move(output)) : Failure(std::move(output));
}

ProbeResult ResultOf(const HttpResponse& response) {
  if (!response.body_status.ok())
    return {Verdict::kFailure, "", std::string(Message(response.body_status))};
  if (response.status >= 200 && response.status < 300) return Success(response.body);
  if (response.status >= 300 && response.status < 400)
    return {Verdict::kWarning, StrCat("Probe terminated redirects, Response body: ", response.body),
            ""};
  return Failure(StrCat("HTTP probe failed with statuscode: ", response.status));
}

Task<ProbeResult> Http(async::Loop* loop, ProbeTarget target) {
  absl::StatusOr<HttpRequest> request = MakeHttpRequest(
      target.probe->handler().httpget(), *target.container, target.pod_ip, kProbeUserAgent);
  if (!request.ok()) co_return Error(std::string(Message(request.status())));
  absl::StatusOr<HttpResponse> response =
      co_await HttpGet(loop, *std::move(request), TimeoutOf(*target.probe));
  if (!response.ok()) co_return Failure(std::string(Message(response.status())));
  co_return ResultOf(*response);
}

Task<absl::Status> Dial(async::Loop* loop, Endpoint endpoint) {
  const absl::StatusOr<std::unique_ptr<Connection>> connection =
      co_await Connect(loop, std::move(endpoint));
  co_return connection.status();
}

Task<ProbeResult> Tcp(async::Loop* loop, ProbeTarget target) {
  const v1::TCPSocketAction& action = target.probe->handler().tcpsocket();
  const absl::StatusOr<uint16_t> port = ResolvePort(action.port(), *target.container);
  if (!port.ok()) co_return Error(std::string(Message(port.status())));
  const std::string host = action.host().empty() ? target.pod_ip : action.host();
  Endpoint endpoint{host, *port};
  const absl::Status status = co_await async::WithTimeout(*loop, Dial(loop, std::move(endpoint)),
                                                          TimeoutOf(*target.probe), "dial");
  if (absl::IsDeadlineExceeded(status))
    co_return Failure(StrCat("dial tcp ", JoinHostPort(host, StrCat(*port)), ": i/o timeout"));
  co_return status.ok() ? Success() : Failure(std::string(Message(status)));
}

Task<ProbeResult> Grpc(async::Loop* loop, ProbeTarget target) {
  const v1::GRPCAction& action = target.probe->handler().grpc();
  if (action.port() < 1 || action.port() > 65535)
    co_return Error(StrCat("invalid port number: ", action.port()));
  GrpcHealthRequest request{.host = target.pod_ip,
                            .port = static_cast<uint16_t>(action.port()),
                            .service = action.service(),
                            .timeout = TimeoutOf(*target.probe),
                            .user_agent = kProbeUserAgent};
  std::string failure = co_await CheckGrpcHealth(loop, std::move(request));
  co_return failure.empty() ? Success() : Failure(std::move(failure));
}

Task<ProbeResult> Attempt(async::Loop* loop, cri::Runtime* runtime, ProbeTarget target) {
  const v1::ProbeHandler& handler = target.probe->handler();
  if (handler.has_exec()) return Exec(runtime, std::move(target));
  if (handler.has_httpget()) return Http(loop, std::move(target));
  if (handler.has_tcpsocket()) return Tcp(loop, std::move(target));
  return Grpc(loop, std::move(target));
}

bool HasHandler(const v1::Probe& probe) {
  const v1::ProbeHandler& handler = probe.handler();
  return handler.has_exec() || handler.has_httpget() || handler.has_tcpsocket() ||
         handler.has_grpc();
}

const char* VerdictWord(Verdict verdict) {
  switch (verdict) {
    case Verdict::kSuccess:
      return "success";
    case Verdict::kWarning:
      return "warning";
    case Verdict::kFailure:
      return "failure";
    case Verdict::kUnknown:
      return "unknown";
  }
  return "unknown";
}

}  // namespace

Task<ProbeResult> RunProbe(async::Loop* loop, cri::Runtime* runtime, ProbeTarget target) {
  if (!HasHandler(*target.probe))
    co_return Error(StrCat("missing probe handler for ", api::FormatPod(*target.pod), ":",
                           target.container->name()));
  ProbeResult result;
  for (int attempt = 1; attempt <= kMaxAttempts; ++attempt) {
    result = co_await Attempt(loop, runtime, target);
    // A cancelled call ends like a failed one; what it says is nothing to go by.
    const asio::cancellation_state cancellation = co_await asio::this_coro::cancellation_state;
    if (cancellation.cancelled() != asio::cancellation_type::none)
      throw boost::system::system_error(asio::error::operation_aborted);
    if (result.error.empty()) break;
  }
  co_return result;
}

absl::Duration TimeoutOf(const v1::Probe& probe) {
  return absl::Seconds(probe.timeoutseconds() > 0 ? probe.timeoutseconds() : 1);
}

bool NeedsPodIp(const v1::Probe& probe) {
  const v1::ProbeHandler& handler = probe.handler();
  if (handler.has_exec()) return false;
  if (handler.has_httpget()) return handler.httpget().host().empty();
  if (handler.has_tcpsocket()) return handler.tcpsocket().host().empty();
  return handler.has_grpc();
}

Report MakeReport(Kind kind, const ProbeResult& result) {
  constexpr char kUnhealthy[] = "Unhealthy";
  const std::string name = KindName(kind);
  if (!result.error.empty())
    return {std::nullopt, kUnhealthy,
            StrCat(name, " probe errored and resulted in ", VerdictWord(result.verdict),
                   " state: ", CleanUtf8(result.error))};
  switch (result.verdict) {
    case Verdict::kSuccess:
      return {Outcome::kSuccess, "", ""};
    case Verdict::kWarning:
      return {Outcome::kSuccess, "ProbeWarning",
              StrCat(name, " probe warning: ", CleanUtf8(result.output))};
    case Verdict::kFailure:
      return {Outcome::kFailure, kUnhealthy,
              StrCat(name, " probe failed: ", CleanUtf8(result.output))};
    case Verdict::kUnknown:
      break;
  }
  return {Outcome::kFailure, "", ""};
}

}  // namespace cubelet::probes
