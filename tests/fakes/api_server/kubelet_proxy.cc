#include "fakes/api_server/kubelet_proxy.h"

#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>

#include <vector>

#include "base/strings.h"
#include "fakes/api_server/encoding.h"

namespace cubelet::fakes {
namespace {

// Closes a kubelet's stream when nobody reads the body any more.
struct CloseWithBody {
  explicit CloseWithBody(TlsStreamPtr to_close) : stream(std::move(to_close)) {}
  ~CloseWithBody() { CloseNow(*stream); }
  TlsStreamPtr stream;
};

ApiAnswer ErrorAnswer(const absl::Status& error) {
  const metav1::Status status = StatusOf(error);
  ApiAnswer answer;
  answer.code = status.code();
  answer.content_type = ContentType(Media::kJson);
  answer.body = EncodeStatus(Media::kJson, status);
  return answer;
}

int CodeOf(const Http1Head& head) {
  const std::vector<std::string> parts = absl::StrSplit(head.first_line, ' ');
  int code = 0;
  return parts.size() > 1 && absl::SimpleAtoi(parts[1], &code) ? code : 502;
}

ApiRequest RequestOf(const Http1Head& head) {
  ApiRequest request;
  const std::vector<std::string> parts = absl::StrSplit(head.first_line, ' ');
  request.method = parts[0];
  const std::string target = parts.size() > 1 ? parts[1] : "";
  const size_t question = target.find('?');
  request.path = target.substr(0, question);
  if (question != std::string::npos) request.query = target.substr(question + 1);
  request.accept = head.Header("accept");
  request.content_type = head.Header("content-type");
  request.user_agent = head.Header("user-agent");
  request.authorization = head.Header("authorization");
  request.body = head.rest;
  return request;
}

std::string AnswerText(const ApiAnswer& answer) {
  return StrCat("HTTP/1.1 ", answer.code, " Answer\r\nContent-Type: ", answer.content_type,
                "\r\nContent-Length: ", answer.body.size(), "\r\nConnection: close\r\n\r\n",
                answer.body);
}

// The client's request with the kubelet's path; who the client is stays here.
std::string RequestText(const Http1Head& head, const KubeletTarget& target) {
  const std::string method = head.first_line.substr(0, head.first_line.find(' '));
  std::string text = StrCat(method, " ", target.target, " HTTP/1.1\r\nHost: ", target.host, ":",
                            target.port, "\r\n");
  for (const auto& [name, value] : head.headers) {
    if (absl::EqualsIgnoreCase(name, "host") || absl::EqualsIgnoreCase(name, "authorization"))
      continue;
    StrAppend(&text, name, ": ", value, "\r\n");
  }
  return StrCat(text, "\r\n", head.rest);
}

}  // namespace

async::Task<ApiAnswer> KubeletProxy::Get(KubeletTarget target) {
  // HTTP/1.0, so that the body comes as it is and ends with the connection.
  const std::string request =
      StrCat("GET ", target.target, " HTTP/1.0\r\nHost: ", target.host, "\r\n\r\n");
  absl::StatusOr<TlsStreamPtr> kubelet = co_await dialer_.Dial(std::move(target));
  if (!kubelet.ok()) co_return ErrorAnswer(kubelet.status());
  co_await WriteAll(*kubelet, request);
  absl::StatusOr<Http1Head> head = co_await ReadHead(*kubelet);
  if (!head.ok()) co_return ErrorAnswer(head.status());
  ApiAnswer answer;
  answer.code = CodeOf(*head);
  answer.content_type = head->Header("content-type");
  if (answer.content_type.empty()) answer.content_type = "text/plain";
  answer.body = head->rest;
  answer.stream = std::make_shared<BodyStream>();
  answer.stream->Keep(std::make_shared<CloseWithBody>(*kubelet));
  scope_.Spawn("body from kubelet", CopyBody(*kubelet, answer.stream));
  co_return answer;
}

async::Task<void> KubeletProxy::CopyBody(TlsStreamPtr kubelet, std::weak_ptr<BodyStream> body) {
  for (;;) {
    const std::string bytes = co_await ReadSome(kubelet);
    const std::shared_ptr<BodyStream> alive = body.lock();
    if (alive == nullptr) break;
    alive->Push(bytes);
    if (!bytes.empty()) continue;
    alive->End();
    break;
  }
}

async::Task<void> KubeletProxy::ServeClient(TlsStreamPtr client, std::optional<User> user,
                                            bool bad_certificate) {
  absl::StatusOr<Http1Head> head = co_await ReadHead(client);
  if (!head.ok()) co_return;
  ApiRequest request = RequestOf(*head);
  request.certificate = std::move(user);
  request.bad_certificate = bad_certificate;
  ApiAnswer answer = co_await api_.Serve(std::move(request));
  if (answer.drop_connection) co_return;
  if (answer.kubelet.has_value()) {
    co_await PassOn(client, *std::move(head), *std::move(answer.kubelet));
  } else {
    co_await WriteAll(client, AnswerText(answer));
  }
}

async::Task<void> KubeletProxy::PassOn(TlsStreamPtr client, Http1Head head, KubeletTarget target) {
  absl::StatusOr<TlsStreamPtr> kubelet = co_await dialer_.Dial(target);
  if (!kubelet.ok()) {
    co_await WriteAll(client, AnswerText(ErrorAnswer(kubelet.status())));
    co_return;
  }
  co_await WriteAll(*kubelet, RequestText(head, target));
  scope_.Spawn("client to kubelet", Copy(client, *kubelet));
  co_await Copy(*kubelet, client);
}

async::Task<void> KubeletProxy::Copy(TlsStreamPtr from, TlsStreamPtr to) {
  for (;;) {
    std::string bytes = co_await ReadSome(from);
    if (bytes.empty()) break;
    const bool written = co_await WriteAll(to, std::move(bytes));
    if (!written) break;
  }
  CloseNow(*from);
  CloseNow(*to);
}

}  // namespace cubelet::fakes
