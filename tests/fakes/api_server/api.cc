#include "fakes/api_server/api.h"

#include "base/status.h"
#include "base/strings.h"
#include "fakes/api_server/discovery.h"
#include "fakes/api_server/encoding.h"
#include "fakes/api_server/kubelet_target.h"
#include "k8s.io/api/authentication/v1/generated.pb.h"
#include "k8s.io/api/certificates/v1/generated.pb.h"
#include "k8s.io/api/core/v1/cluster.pb.h"

namespace cubelet::fakes {
namespace {

namespace authentication = ::k8s::io::api::authentication::v1;
namespace authorization = ::k8s::io::api::authorization::v1;

ApiAnswer ErrorAnswer(const ApiRequest& request, const metav1::Status& status) {
  const Media media = MediaOf(request.accept);
  ApiAnswer answer;
  answer.code = status.code();
  answer.content_type = ContentType(media);
  answer.body = EncodeStatus(media, status);
  return answer;
}

absl::Status ErrorOfCode(int code) {
  switch (code) {
    case 401:
      return absl::UnauthenticatedError("Unauthorized");
    case 403:
      return absl::PermissionDeniedError("forbidden");
    case 404:
      return absl::NotFoundError("the server could not find the requested resource");
    case 409:
      return absl::AbortedError("the object has been modified");
    case 410:
      return absl::OutOfRangeError("too old resource version");
    case 429:
      return absl::ResourceExhaustedError("too many requests, please try again later");
    case 503:
      return absl::UnavailableError("the server is currently unable to handle the request");
    case 504:
      return absl::DeadlineExceededError("the request did not complete in time");
    default:
      return absl::InternalError(
          "an error on the server has prevented the request from succeeding");
  }
}

ApiAnswer FaultAnswer(const ApiRequest& request, int code, absl::Duration retry_after) {
  metav1::Status status = StatusOf(ErrorOfCode(code));
  status.set_code(code);
  const int64_t seconds = absl::ToInt64Seconds(retry_after);
  if (seconds > 0) status.mutable_details()->set_retryafterseconds(static_cast<int32_t>(seconds));
  ApiAnswer answer = ErrorAnswer(request, status);
  if (seconds > 0) answer.headers.emplace_back("retry-after", std::to_string(seconds));
  return answer;
}

}  // namespace

FakeApi::FakeApi(async::Loop& loop)
    : loop_(loop),
      store_(loop),
      objects_(loop, store_),
      identities_(loop),
      signer_(loop, authority_, objects_) {
  new_namespaces_ = store_.Subscribe([this](const Change& change) {
    if (change.type == Change::Type::kAdded && change.kind->resource == "namespaces")
      FillNamespace(MetaOf(*change.object).name());
  });
  for (const char* name : {"default", "kube-system", "kube-public", "kube-node-lease"}) {
    v1::Namespace name_space;
    name_space.mutable_metadata()->set_name(name);
    CHECK(Create(std::move(name_space)).ok());
  }
}

void FakeApi::FillNamespace(const std::string& name_space) {
  v1::ServiceAccount account;
  account.mutable_metadata()->set_namespace_(name_space);
  account.mutable_metadata()->set_name("default");
  CHECK(Create(std::move(account)).ok());
  v1::ConfigMap root;
  root.mutable_metadata()->set_namespace_(name_space);
  root.mutable_metadata()->set_name("kube-root-ca.crt");
  (*root.mutable_data())["ca.crt"] = authority_.CertificatePem();
  CHECK(Create(std::move(root)).ok());
}

async::Task<ApiAnswer> FakeApi::Serve(ApiRequest request) {
  const ApiFault fault = faults_.For(request);
  if (fault.delay > absl::ZeroDuration()) co_await loop_.Sleep(fault.delay);
  co_return Answer(request, fault);
}

ApiAnswer FakeApi::Answer(const ApiRequest& request, const ApiFault& fault) {
  const absl::StatusOr<User> user = identities_.Authenticate(request);
  const bool let_in = user.ok() && (anonymous_ || user->name != "system:anonymous");
  ApiAnswer answer;
  if (fault.code.has_value()) {
    answer = FaultAnswer(request, *fault.code, fault.retry_after);
  } else if (!fault.cut) {
    absl::StatusOr<ApiAnswer> done = absl::UnauthenticatedError("Unauthorized");
    if (let_in) done = Dispatch(request, *user, fault.stale);
    answer = done.ok() ? *std::move(done) : ErrorAnswer(request, StatusOf(done.status()));
  }
  answer.cut_after = fault.cut_after;
  answer.drop_connection = fault.cut || fault.lose_answer;
  Record(request, user.ok() ? user->name : "", answer.code);
  return answer;
}

void FakeApi::Record(const ApiRequest& request, const std::string& user, int code) {
  requests_.push_back({loop_.Now(), user, request.method, request.path, request.query,
                       request.accept, request.content_type, request.user_agent, request.body,
                       code});
}

absl::StatusOr<ApiAnswer> FakeApi::Dispatch(const ApiRequest& request, const User& user,
                                            bool stale) {
  if (std::optional<ApiAnswer> answer = Discover(request)) return *std::move(answer);
  ASSIGN_OR_RETURN(const Route route, ParseRoute(request.path));
  const bool post = request.method == "POST";
  if (route.kind->review) return Review(*route.kind, request);
  if (post && route.subresource == "token") return IssueToken(route, request);
  if (IsForKubelet(route)) {
    ApiAnswer answer;
    ASSIGN_OR_RETURN(answer.kubelet, KubeletTargetOf(store_, route, request));
    return answer;
  }
  const bool csr = route.kind->resource == "certificatesigningrequests";
  if (post && csr) return CreateCsr(route, request, user);
  ASSIGN_OR_RETURN(ApiAnswer answer, objects_.Handle(route, request, stale));
  if (csr && route.subresource == "approval") RETURN_IF_ERROR(signer_.Process(route.name));
  return answer;
}

absl::StatusOr<ApiAnswer> FakeApi::Review(const Kind& kind, const ApiRequest& request) {
  if (request.method != "POST")
    return absl::UnimplementedError(
        "the server does not allow this method on the requested resource");
  NewObject review = NewOf(kind.descriptor);
  RETURN_IF_ERROR(Decode(request.content_type, request.body, false, *review));
  if (auto* token = dynamic_cast<authentication::TokenReview*>(review.get())) {
    identities_.Review(*token);
  } else if (auto* access = dynamic_cast<authorization::SubjectAccessReview*>(review.get())) {
    access->mutable_status()->set_allowed(!access_ || access_(access->spec()));
  }
  const Media media = MediaOf(request.accept);
  ApiAnswer answer;
  answer.code = 201;
  answer.content_type = ContentType(media);
  answer.body = Encode(media, kind, *review);
  return answer;
}

absl::StatusOr<ApiAnswer> FakeApi::IssueToken(const Route& route, const ApiRequest& request) {
  RETURN_IF_ERROR(store_.Get(*route.kind, route.name_space, route.name).status());
  authentication::TokenRequest token;
  RETURN_IF_ERROR(Decode(request.content_type, request.body, false, token));
  identities_.Issue(route.name_space, route.name, token);
  token.mutable_metadata()->set_name(route.name);
  token.mutable_metadata()->set_namespace_(route.name_space);
  token.mutable_metadata()->mutable_creationtimestamp()->set_seconds(
      absl::ToUnixSeconds(loop_.Now()));
  const Media media = MediaOf(request.accept);
  ApiAnswer answer;
  answer.code = 201;
  answer.content_type = ContentType(media);
  answer.body = Encode(media, "authentication.k8s.io/v1", "TokenRequest", token);
  return answer;
}

absl::StatusOr<ApiAnswer> FakeApi::CreateCsr(const Route& route, const ApiRequest& request,
                                             const User& user) {
  NewObject csr = NewOf(route.kind->descriptor);
  RETURN_IF_ERROR(Decode(request.content_type, request.body, false, *csr));
  CsrSigner::SetRequester(user, *csr);
  ASSIGN_OR_RETURN(const ObjectPtr created, objects_.Create(*route.kind, "", std::move(csr)));
  RETURN_IF_ERROR(signer_.Process(MetaOf(*created).name()));
  const Media media = MediaOf(request.accept);
  ApiAnswer answer;
  answer.code = 201;
  answer.content_type = ContentType(media);
  answer.body = Encode(media, *route.kind, *created);
  return answer;
}

}  // namespace cubelet::fakes
