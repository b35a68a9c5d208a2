#include "pods/hooks.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "api/pod.h"
#include "base/status.h"
#include "base/strings.h"

namespace cubelet::pods {
namespace {

using async::Task;

constexpr char kUserAgent[] = "kube-lifecycle/1.36";

std::string Place(const HookRequest& request) {
  return StrCat("for Container ", GoQuote(request.container.name()), " in Pod ",
                GoQuote(api::FormatPod(*request.pod)), " failed - error: ");
}

}  // namespace

Task<absl::Status> Hooks::Run(HookRequest request) {
  if (request.handler.has_exec()) co_return co_await RunExec(std::move(request));
  if (request.handler.has_httpget()) co_return co_await RunHttp(std::move(request));
  if (request.handler.has_sleep()) co_return co_await RunSleep(std::move(request));
  co_return absl::InvalidArgumentError(
      StrCat("Cannot run handler: invalid handler: ", request.handler.ShortDebugString()));
}

Task<absl::Status> Hooks::RunExec(HookRequest request) {
  const std::vector<std::string> command(request.handler.exec().command().begin(),
                                         request.handler.exec().command().end());
  auto response = co_await runtime_.ExecSync(request.container_id, command, absl::ZeroDuration());
  std::string failure, output;
  if (!response.ok()) {
    failure = Message(response.status());
  } else if (response->exit_code() != 0) {
    failure = StrCat("command '", absl::StrJoin(command, " "), "' exited with ",
                     response->exit_code(), ": ", response->stderr());
    output = response->stdout() + response->stderr();
  } else {
    co_return absl::OkStatus();
  }
  co_return absl::AbortedError(StrCat("Exec lifecycle hook (", GoList(command), ") ",
                                      Place(request), failure, ", message: ", GoQuote(output)));
}

Task<absl::Status> Hooks::RunHttp(HookRequest request) {
  const v1::HTTPGetAction& action = request.handler.httpget();
  auto fail = [&](std::string_view why) {
    return absl::AbortedError(
        StrCat("HTTP lifecycle hook (", action.path(), ") ", Place(request), why));
  };
  if (action.host().empty() && request.pod_ip.empty())
    co_return fail("failed to find networking container: the pod has no IP address");
  auto http = probes::MakeHttpRequest(action, request.container, request.pod_ip, kUserAgent);
  if (!http.ok()) co_return fail(Message(http.status()));
  auto response = co_await probes::HttpGet(&loop_, *http, absl::InfiniteDuration());
  if (!response.ok() && http->scheme == "https" &&
      absl::StrContains(response.status().message(), "server gave HTTP response to HTTPS client")) {
    const std::string url = probes::UrlOf(*http);
    probes::HttpRequest plain = *http;
    plain.scheme = "http";
    // Credentials meant for an encrypted connection are not sent over a plain one.
    std::erase_if(plain.headers, [](const auto& header) {
      return absl::EqualsIgnoreCase(header.first, "Authorization");
    });
    response = co_await probes::HttpGet(&loop_, std::move(plain), absl::InfiniteDuration());
    if (response.ok()) {
      metrics_.Count("kubelet_lifecycle_handler_http_fallbacks_total");
      events_.Record(request.target, api::EventType::kWarning, "LifecycleHTTPFallback",
                     StrCat("request to HTTPS lifecycle hook ", url,
                            " got HTTP response, retry with HTTP succeeded"));
    }
  }
  if (!response.ok()) co_return fail(Message(response.status()));
  co_return absl::OkStatus();
}

Task<absl::Status> Hooks::RunSleep(HookRequest request) {
  const absl::Duration duration = absl::Seconds(request.handler.sleep().seconds());
  if (!request.ended_within) {
    co_await loop_.Sleep(duration);
    co_return absl::OkStatus();
  }
  if (co_await request.ended_within(duration)) {
    metrics_.Count("kubelet_sleep_action_terminated_early_total");
    co_return absl::AbortedError("container terminated before sleep hook finished");
  }
  co_return absl::OkStatus();
}

}  // namespace cubelet::pods
