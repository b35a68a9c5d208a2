#include "probes/http.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "async/timeout.h"
#include "base/status.h"
#include "base/strings.h"
#include "probes/connection.h"
#include "probes/response_parser.h"
#include "probes/url.h"

namespace cubelet::probes {
namespace {

using async::Task;
using Headers = std::vector<std::pair<std::string, std::string>>;

constexpr int kMaxRequests = 10;
constexpr int64_t kStringPort = 1;  // IntOrString.type

constexpr char kTimedOutBeforeHead[] =
    "context deadline exceeded (Client.Timeout exceeded while awaiting headers)";
constexpr char kTimedOutInBody[] =
    "context deadline exceeded (Client.Timeout or context cancellation while reading body)";

absl::Status GetError(std::string_view url, std::string_view what) {
  return absl::UnavailableError(StrCat("Get ", GoQuote(url), ": ", what));
}

bool IsTokenCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool IsToken(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), IsTokenCharacter);
}

bool IsFieldValue(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) {
    return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  });
}

// "x-my-header" as "X-My-Header".
std::string CanonicalName(std::string_view name) {
  std::string out(name);
  if (!IsToken(name)) return out;
  bool upper = true;
  for (char& c : out) {
    const unsigned char byte = static_cast<unsigned char>(c);
    c = upper ? absl::ascii_toupper(byte) : absl::ascii_tolower(byte);
    upper = c == '-';
  }
  return out;
}

// The value of a header by its canonical name, null without one.
const std::string* FindHeader(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (CanonicalName(key) == name) return &value;
  }
  return nullptr;
}

absl::Status CheckHeaders(const Headers& headers) {
  for (const auto& [name, value] : headers) {
    if (!IsToken(name))
      return absl::InvalidArgumentError(
          StrCat("net/http: invalid header field name ", GoQuote(name)));
    if (!IsFieldValue(value))
      return absl::InvalidArgumentError(
          StrCat("net/http: invalid header field value for ", GoQuote(CanonicalName(name))));
  }
  return absl::OkStatus();
}

// Those of the connection itself are not the author's to set.
bool IsReserved(std::string_view name) {
  return name == "Host" || name == "User-Agent" || name == "Content-Length" ||
         name == "Transfer-Encoding" || name == "Trailer";
}

std::string RequestText(const Url& url, const HttpRequest& request, const std::string& host) {
  std::string text = StrCat("GET ", url.Target(), " HTTP/1.1\r\nHost: ", host, "\r\n");
  const std::string* agent = FindHeader(request.headers, "User-Agent");
  if (agent == nullptr) agent = &request.user_agent;
  if (!agent->empty()) StrAppend(&text, "User-Agent: ", *agent, "\r\n");
  std::multimap<std::string, std::string> others;
  for (const auto& [name, value] : request.headers) {
    std::string canonical = CanonicalName(name);
    if (!IsReserved(canonical)) others.emplace(std::move(canonical), value);
  }
  for (const auto& [name, value] : others) StrAppend(&text, name, ": ", value, "\r\n");
  return StrCat(text, "Connection: close\r\n\r\n");
}

// What is known of a request while it is under way, for the message of a deadline.
struct Progress {
  std::string url;
  ResponseParser parser;
};

HttpResponse ResponseOf(const ResponseParser& parser, absl::Status body_status) {
  return {parser.status(), std::string(parser.body()), std::move(body_status)};
}

// Reads until the head is there, or everything. Error: what went wrong, without the URL.
Task<absl::Status> ReadUntil(Connection* connection, ResponseParser* parser, bool whole) {
  while (!(whole ? parser->done() : parser->has_head())) {
    absl::StatusOr<std::string> bytes = co_await connection->Read();
    if (!bytes.ok()) co_return bytes.status();
    if (bytes->empty()) co_return parser->End();
    if (absl::Status status = parser->Feed(*bytes); !status.ok()) co_return status;
  }
  co_return absl::OkStatus();
}

Task<absl::StatusOr<std::unique_ptr<Connection>>> Send(async::Loop* loop, Url url,
                                                       std::string text) {
  const absl::StatusOr<uint16_t> port = url.PortNumber();
  if (!port.ok()) co_return port.status();
  Endpoint endpoint{url.host, *port};
  Task<absl::StatusOr<std::unique_ptr<Connection>>> connect =
      url.scheme == "https" ? ConnectTls(loop, std::move(endpoint))
                            : Connect(loop, std::move(endpoint));
  absl::StatusOr<std::unique_ptr<Connection>> connection = co_await std::move(connect);
  if (!connection.ok()) co_return connection.status();
  if (absl::Status status = co_await (*connection)->Write(std::move(text)); !status.ok())
    co_return status;
  co_return std::move(connection);
}

bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// The Host that the author wants instead of the URL's, "" for none.
std::string OwnHost(const HttpRequest& request) {
  const std::string* host = FindHeader(request.headers, "Host");
  return host == nullptr ? "" : *host;
}

Url UrlOfRequest(const HttpRequest& request) {
  return MakeUrl(request.scheme, request.host, StrCat(request.port), request.path);
}

// Where the answer leads; nowhere when it is to be taken as it is.
absl::StatusOr<std::optional<Url>> NextUrl(const Url& first, const Url& current,
                                           const ResponseParser& answer, int requests) {
  if (!IsRedirect(answer.status()) || answer.location().empty()) return std::nullopt;
  absl::StatusOr<Url> next = ResolveLocation(current, answer.location());
  if (!next.ok()) return GetError(current.ToString(), Message(next.status()));
  if (next->host != first.host) return std::nullopt;
  if (requests >= kMaxRequests)
    return GetError(answer.location(), StrCat("stopped after ", kMaxRequests, " redirects"));
  return *std::move(next);
}

Task<absl::StatusOr<HttpResponse>> Follow(async::Loop* loop, HttpRequest request,
                                          std::shared_ptr<Progress> progress) {
  const Url first = UrlOfRequest(request);
  const std::string own_host = OwnHost(request);
  Url url = first;
  bool keep_host = !own_host.empty();
  if (absl::Status status = CheckHeaders(request.headers); !status.ok())
    co_return GetError(url.ToString(), Message(status));
  for (int requests = 1;; ++requests) {
    progress->url = url.ToString();
    progress->parser = ResponseParser();
    std::string text = RequestText(url, request, keep_host ? own_host : url.HostPort());
    absl::StatusOr<std::unique_ptr<Connection>> connection =
        co_await Send(loop, url, std::move(text));
    if (!connection.ok()) co_return GetError(progress->url, Message(connection.status()));
    const absl::Status head = co_await ReadUntil(connection->get(), &progress->parser, false);
    if (!head.ok() && !progress->parser.has_head())
      co_return GetError(progress->url, Message(head));
    absl::StatusOr<std::optional<Url>> next = NextUrl(first, url, progress->parser, requests);
    if (!next.ok()) co_return next.status();
    if (!next->has_value()) {
      absl::Status body = head;
      if (body.ok()) body = co_await ReadUntil(connection->get(), &progress->parser, true);
      co_return ResponseOf(progress->parser, std::move(body));
    }
    url = **std::move(next);
    // A Host of the author's own goes along with relative redirects only.
    keep_host = !own_host.empty() && !IsAbsoluteUrl(progress->parser.location());
  }
}

}  // namespace

absl::StatusOr<uint16_t> ResolvePort(const intstr::IntOrString& port,
                                     const v1::Container& container) {
  int64_t number = port.intval();
  if (port.type() == kStringPort) {
    const std::string& name = port.strval();
    const auto& ports = container.ports();
    const auto named = std::find_if(ports.begin(), ports.end(),
                                    [&](const v1::ContainerPort& p) { return p.name() == name; });
    if (named != ports.end()) {
      number = named->containerport();
    } else if (!absl::SimpleAtoi(name, &number)) {
      return absl::InvalidArgumentError(
          StrCat("strconv.Atoi: parsing ", GoQuote(name), ": invalid syntax"));
    }
  }
  if (number < 1 || number > 65535)
    return absl::InvalidArgumentError(StrCat("invalid port number: ", number));
  return static_cast<uint16_t>(number);
}

absl::StatusOr<HttpRequest> MakeHttpRequest(const v1::HTTPGetAction& action,
                                            const v1::Container& container,
                                            const std::string& pod_ip,
                                            const std::string& user_agent) {
  HttpRequest request;
  if (!action.scheme().empty()) request.scheme = absl::AsciiStrToLower(action.scheme());
  request.host = action.host().empty() ? pod_ip : action.host();
  ASSIGN_OR_RETURN(request.port, ResolvePort(action.port(), container));
  request.path = action.path();
  request.user_agent = user_agent;
  for (const v1::HTTPHeader& header : action.httpheaders())
    request.headers.emplace_back(header.name(), header.value());
  const std::string* accept = FindHeader(request.headers, "Accept");
  if (accept == nullptr) {
    request.headers.emplace_back("Accept", "*/*");
  } else if (accept->empty()) {
    std::erase_if(request.headers,
                  [](const auto& h) { return CanonicalName(h.first) == "Accept"; });
  }
  return request;
}

std::string UrlOf(const HttpRequest& request) { return UrlOfRequest(request).ToString(); }

Task<absl::StatusOr<HttpResponse>> HttpGet(async::Loop* loop, HttpRequest request,
                                           absl::Duration timeout) {
  if (request.scheme != "http" && request.scheme != "https")
    co_return GetError(UrlOf(request),
                       StrCat("unsupported protocol scheme ", GoQuote(request.scheme)));
  auto progress = std::make_shared<Progress>();
  progress->url = UrlOf(request);
  Task<absl::StatusOr<HttpResponse>> follow = Follow(loop, std::move(request), progress);
  if (timeout == absl::InfiniteDuration()) co_return co_await std::move(follow);
  absl::StatusOr<HttpResponse> response =
      co_await async::WithTimeout(*loop, std::move(follow), timeout, "get");
  if (!absl::IsDeadlineExceeded(response.status())) co_return response;
  if (!progress->parser.has_head()) co_return GetError(progress->url, kTimedOutBeforeHead);
  co_return ResponseOf(progress->parser, absl::DeadlineExceededError(kTimedOutInBody));
}

}  // namespace cubelet::probes
