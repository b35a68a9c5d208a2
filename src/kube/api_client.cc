#include "kube/api_client.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "async/timeout.h"
#include "base/metrics.h"
#include "base/status.h"
#include "base/strings.h"
#include "config/version.h"
#include "kube/dial.h"
#include "kube/errors.h"
#include "kube/frame_reader.h"
#include "kube/gzip.h"
#include "kube/object_codec.h"
#include "kube/tls_stream.h"

namespace cubelet::kube {
namespace {

#if defined(__aarch64__)
constexpr char kArchitecture[] = "arm64";
#else
constexpr char kArchitecture[] = "amd64";
#endif

constexpr int kMaxRetries = 10;
// A server that names a longer time than this is not waited for.
constexpr absl::Duration kMaxRetryAfter = absl::Minutes(10);

// As Go's url.QueryEscape.
void AppendEscaped(std::string_view text, std::string* out) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || c == '-' || c == '_' || c == '.' || c == '~') {
      *out += c;
    } else if (c == ' ') {
      *out += '+';
    } else {
      StrAppend(out, "%", absl::AsciiStrToUpper(absl::StrCat(absl::Hex(byte, absl::kZeroPad2))));
    }
  }
}

absl::Duration RetryAfterOf(const Headers& headers) {
  int64_t seconds = 0;
  if (!absl::SimpleAtoi(HeaderOf(headers, "retry-after"), &seconds) || seconds < 0)
    return absl::ZeroDuration();
  return absl::Seconds(std::min<int64_t>(seconds, absl::ToInt64Seconds(kMaxRetryAfter) + 1));
}

// How long to wait before asking again after this answer; nullopt when it is final.
std::optional<absl::Duration> WaitAfter(const Exchange::Head& head) {
  if (head.code != 429 && head.code < 500) return std::nullopt;
  if (HeaderOf(head.headers, "retry-after").empty()) return std::nullopt;
  return RetryAfterOf(head.headers);
}

bool IsWatch(const Request& request) {
  return std::any_of(request.query.begin(), request.query.end(),
                     [](const auto& field) { return field.first == "watch"; });
}

async::Task<absl::StatusOr<Answer>> ReadAnswer(std::shared_ptr<Exchange> exchange,
                                               Exchange::Head head, size_t max_bytes) {
  Answer answer;
  answer.code = head.code;
  answer.content_type = HeaderOf(head.headers, "content-type");
  answer.retry_after = RetryAfterOf(head.headers);
  while (true) {
    absl::StatusOr<std::string> bytes = co_await exchange->Read();
    if (!bytes.ok()) co_return Annotate(bytes.status(), "read answer");
    if (bytes->empty()) break;
    if (answer.body.size() + bytes->size() > max_bytes)
      co_return absl::ResourceExhaustedError(
          StrCat("the answer is larger than ", max_bytes, " bytes"));
    answer.body += *bytes;
  }
  const std::string encoding = HeaderOf(head.headers, "content-encoding");
  if (encoding.empty() || encoding == "identity") co_return answer;
  if (encoding != "gzip")
    co_return absl::UnavailableError(
        StrCat("the answer's encoding ", GoQuote(encoding), " was not asked for"));
  CO_ASSIGN_OR_RETURN(answer.body, Gunzip(answer.body, max_bytes));
  co_return answer;
}

class HttpWatchStream final : public WatchStream {
 public:
  HttpWatchStream(std::unique_ptr<Exchange> exchange, std::string content_type)
      : exchange_(std::move(exchange)),
        content_type_(std::move(content_type)),
        frames_(IsProtobuf(content_type_)) {}

  async::Task<absl::StatusOr<WatchEvent>> Next() override {
    while (true) {
      absl::StatusOr<std::optional<std::string>> frame = frames_.Next();
      if (!frame.ok()) co_return frame.status();
      if (frame->has_value()) co_return DecodeWatchEvent({content_type_, **std::move(frame)});
      absl::StatusOr<std::string> bytes = co_await exchange_->Read();
      if (!bytes.ok()) co_return Annotate(bytes.status(), "watch");
      if (!bytes->empty()) {
        frames_.Append(*bytes);
        continue;
      }
      if (frames_.partial()) co_return absl::UnavailableError("watch: it ended within an event");
      co_return absl::OutOfRangeError("watch: the server has ended it");
    }
  }

 private:
  std::unique_ptr<Exchange> exchange_;
  const std::string content_type_;
  FrameReader frames_;
};

}  // namespace

std::string DefaultUserAgent() {
  return StrCat("kubelet/", std::string_view(config::kKubernetesVersion), " (linux/",
                std::string_view(kArchitecture), ") kubernetes/cubelet");
}

std::string TargetOf(const std::string& base_path, const Request& request) {
  std::string target = StrCat(base_path, request.path);
  auto fields = request.query;
  std::stable_sort(fields.begin(), fields.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  char separator = '?';
  for (const auto& [name, value] : fields) {
    target += std::exchange(separator, '&');
    AppendEscaped(name, &target);
    target += '=';
    AppendEscaped(value, &target);
  }
  return target;
}

absl::StatusOr<std::unique_ptr<ApiClient>> ApiClient::Make(async::Loop& loop,
                                                           ApiClientOptions options) {
  ASSIGN_OR_RETURN(ServerAddress server, ParseServerAddress(options.access.server));
  return std::make_unique<ApiClient>(loop, std::move(options), std::move(server));
}

ApiClient::ApiClient(async::Loop& loop, ApiClientOptions options, ServerAddress server)
    : loop_(loop),
      options_(std::move(options)),
      server_(std::move(server)),
      flow_control_(options_.qps, options_.burst, loop.Monotonic()),
      credentials_(loop, options_.access, [this] { CloseConnections(); }),
      transport_(loop, [this] { return DialServer(); }, options_.times) {}

async::Task<void> ApiClient::Close() { co_await transport_.Close(); }

async::Task<absl::StatusOr<std::unique_ptr<TlsStream>>> ApiClient::DialServer() {
  if (options_.before_connect) CO_RETURN_IF_ERROR(co_await options_.before_connect());
  auto certificate = co_await credentials_.ForConnection();
  if (!certificate.ok()) co_return certificate.status();
  DialTarget target;
  target.server = server_;
  target.proxy_url = options_.access.proxy_url;
  if (target.proxy_url.empty()) target.proxy_url = ProxyFor(server_, options_.proxy);
  target.authority = options_.access.authority;
  target.insecure = options_.access.insecure;
  target.tls_server_name = options_.access.tls_server_name;
  target.certificate = std::move(certificate->certificate);
  target.key = std::move(certificate->key);
  co_return co_await Dial(&loop_, std::move(target));
}

std::string ApiClient::Describe(const Request& request) const {
  std::string method = absl::AsciiStrToLower(request.method);
  if (!method.empty()) method[0] = absl::ascii_toupper(static_cast<unsigned char>(method[0]));
  return StrCat(method, " \"https://", server_.Authority(), TargetOf(server_.path, request), "\"");
}

void ApiClient::Count(const Request& request, const Attempt& attempt, absl::Duration took) {
  if (options_.metrics == nullptr) return;
  const std::string code =
      attempt.opened.ok() ? StrCat(attempt.opened->head.code) : std::string("<error>");
  const std::string host = server_.Authority();
  options_.metrics->Count("rest_client_requests_total", {code, request.method, host});
  options_.metrics->Observe("rest_client_request_duration_seconds", {request.method, host},
                            absl::ToDoubleSeconds(took));
}

async::Task<absl::Status> ApiClient::Throttle(std::string method, absl::Duration deadline) {
  const absl::Duration now = loop_.Monotonic();
  const std::optional<absl::Duration> wait = flow_control_.Take(now, deadline - now);
  if (!wait.has_value())
    co_return absl::DeadlineExceededError("the client's rate limit leaves no time for it");
  if (*wait <= absl::ZeroDuration()) co_return absl::OkStatus();
  if (options_.metrics != nullptr)
    options_.metrics->Observe("rest_client_rate_limiter_duration_seconds",
                              {method, server_.Authority()}, absl::ToDoubleSeconds(*wait));
  co_await loop_.Sleep(*wait);
  co_return absl::OkStatus();
}

async::Task<ApiClient::Attempt> ApiClient::TryOnce(Request request) {
  Attempt attempt;
  auto headers = co_await credentials_.ForRequest();
  if (!headers.ok()) {
    attempt.opened = headers.status();
    co_return attempt;
  }
  Http2Request http;
  http.method = request.method;
  http.authority = server_.Authority();
  http.target = TargetOf(server_.path, request);
  http.headers = *std::move(headers);
  http.headers.emplace_back("accept", request.accept);
  http.headers.emplace_back("user-agent", options_.user_agent);
  if (!options_.access.disable_compression && !IsWatch(request))
    http.headers.emplace_back("accept-encoding", "gzip");
  if (!request.content_type.empty())
    http.headers.emplace_back("content-type", request.content_type);
  if (!request.body.empty())
    http.headers.emplace_back("content-length", StrCat(request.body.size()));
  http.body = std::move(request.body);
  auto exchange = co_await transport_.Send(std::move(http));
  if (!exchange.ok()) {
    attempt.opened = exchange.status();
    co_return attempt;
  }
  attempt.sent = true;
  absl::StatusOr<Exchange::Head> head = co_await (*exchange)->ReadHead();
  attempt.unprocessed = (*exchange)->unprocessed();
  if (!head.ok()) {
    attempt.opened = head.status();
    co_return attempt;
  }
  if (head->code == 401) credentials_.Refused();
  Opened opened;
  opened.exchange = *std::move(exchange);
  opened.head = *std::move(head);
  attempt.opened = std::move(opened);
  co_return attempt;
}

// Sends until there is an answer that is final, or no hope for one.
async::Task<absl::StatusOr<ApiClient::Opened>> ApiClient::Open(Request request,
                                                               absl::Duration deadline) {
  for (int retries = 0;; ++retries) {
    const absl::Duration started = loop_.Monotonic();
    Attempt attempt = co_await TryOnce(request);
    Count(request, attempt, loop_.Monotonic() - started);
    absl::Duration wait = absl::ZeroDuration();
    if (attempt.opened.ok()) {
      const std::optional<absl::Duration> asked = WaitAfter(attempt.opened->head);
      if (!asked.has_value()) co_return std::move(attempt.opened);
      wait = *asked;
    } else {
      const bool again = attempt.sent && (attempt.unprocessed || request.method == "GET");
      if (!again) co_return attempt.opened.status();
      // The first time a new connection will do; then the server seems to be in trouble.
      if (retries > 0) wait = absl::Seconds(1);
    }
    if (retries >= kMaxRetries || loop_.Monotonic() + wait >= deadline)
      co_return std::move(attempt.opened);
    if (options_.metrics != nullptr)
      options_.metrics->Count("rest_client_request_retries_total",
                              {attempt.opened.ok() ? StrCat(attempt.opened->head.code) : "<error>",
                               request.method, server_.Authority()});
    attempt.opened = absl::UnknownError("dropped");
    if (wait > absl::ZeroDuration()) co_await loop_.Sleep(wait);
  }
}

async::Task<absl::StatusOr<Answer>> ApiClient::Ask(Request request) {
  const absl::Duration deadline = loop_.Monotonic() + request.timeout;
  const size_t max_bytes = request.max_answer_bytes;
  CO_RETURN_IF_ERROR(co_await Throttle(request.method, deadline));
  absl::StatusOr<Opened> opened = co_await Open(std::move(request), deadline);
  if (!opened.ok()) co_return opened.status();
  co_return co_await ReadAnswer(std::move(opened->exchange), std::move(opened->head), max_bytes);
}

async::Task<absl::StatusOr<Answer>> ApiClient::Do(Request request) {
  const std::string what = Describe(request);
  const absl::Duration timeout = request.timeout;
  absl::StatusOr<Answer> answer =
      co_await async::WithTimeout(loop_, Ask(std::move(request)), timeout, what);
  if (answer.ok() || Message(answer.status()).starts_with(what)) co_return answer;
  co_return Annotate(answer.status(), what);
}

async::Task<absl::StatusOr<std::unique_ptr<WatchStream>>> ApiClient::StartWatch(Request request) {
  const absl::Duration deadline = loop_.Monotonic() + request.timeout;
  const size_t max_bytes = request.max_answer_bytes;
  absl::StatusOr<Opened> opened = co_await Open(std::move(request), deadline);
  if (!opened.ok()) co_return opened.status();
  if (opened->head.code == 200) {
    std::string content_type = HeaderOf(opened->head.headers, "content-type");
    co_return std::make_unique<HttpWatchStream>(std::move(opened->exchange),
                                                std::move(content_type));
  }
  absl::StatusOr<Answer> refusal =
      co_await ReadAnswer(std::move(opened->exchange), std::move(opened->head), max_bytes);
  if (!refusal.ok()) co_return refusal.status();
  absl::Status error = StatusOf(*refusal);
  if (error.ok()) error = absl::UnavailableError(StrCat("the server answers ", refusal->code));
  co_return error;
}

async::Task<absl::StatusOr<std::unique_ptr<WatchStream>>> ApiClient::Watch(Request request) {
  const std::string what = Describe(request);
  const absl::Duration timeout = request.timeout;
  auto stream = co_await async::WithTimeout(loop_, StartWatch(std::move(request)), timeout, what);
  if (stream.ok() || Message(stream.status()).starts_with(what) ||
      ServerStatus(stream.status()).has_value())
    co_return stream;
  co_return Annotate(stream.status(), what);
}

}  // namespace cubelet::kube
