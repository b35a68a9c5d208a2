#include "kubelet/issued_certificate.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "async/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"
#include "certs/key.h"
#include "kube/errors.h"
#include "kube/typed.h"
#include "kubelet/signing.h"

namespace cubelet::kubelet {
namespace {

using async::Task;
using certificatesv1::CertificateSigningRequest;

constexpr absl::Duration kFirstRetry = absl::Seconds(2);
constexpr absl::Duration kLongestRetry = absl::Seconds(32);
constexpr double kRetryJitter = 0.1;
constexpr absl::Duration kApprovalTime = absl::Minutes(15);
constexpr absl::Duration kApprovalTimeOnce = absl::Hours(1);  // when not rotating
// A signer whose certificates are nearly over when they come is not asked without a pause.
constexpr absl::Duration kShortestLife = absl::Seconds(10);
// The system's clock may be set meanwhile.
constexpr absl::Duration kLongestSleep = absl::Hours(1);
// How long to be without a certificate before the process is started anew.
constexpr absl::Duration kPatience = absl::Minutes(5);
constexpr absl::Duration kAskAgain = absl::Seconds(10);

// Whether the API server is there; what it says does not matter.
Task<bool> Answers(kube::Client* client) {
  kube::Request request;
  request.path = "/healthz";
  request.timeout = absl::Seconds(10);
  const absl::StatusOr<kube::Answer> answer = co_await client->Do(std::move(request));
  co_return answer.ok();
}

absl::StatusOr<CertificateSigningRequest> MakeRequest(const CertificateKind& kind, EVP_PKEY* key,
                                                      const certs::Subject& subject,
                                                      bool found_again) {
  const std::vector<std::string> usages = kind.usages();
  CertificateSigningRequest request;
  if (found_again) {
    ASSIGN_OR_RETURN(*request.mutable_metadata()->mutable_name(),
                     certs::SigningRequestName(key, subject, usages));
  } else {
    request.mutable_metadata()->set_generatename("csr-");
  }
  ASSIGN_OR_RETURN(*request.mutable_spec()->mutable_request(),
                   certs::MakeSigningRequest(key, subject));
  request.mutable_spec()->set_signername(kind.signer);
  *request.mutable_spec()->mutable_usages() = {usages.begin(), usages.end()};
  return request;
}

// Whether a request that is there already is the one that we would make.
absl::Status CheckSame(const CertificateKind& kind, const CertificateSigningRequest& request,
                       EVP_PKEY* key, const certs::Subject& subject) {
  absl::Status same = certs::CheckSigningRequest(request.spec().request(), key, subject);
  if (same.ok() && request.spec().signername() != kind.signer)
    same =
        absl::InvalidArgumentError(StrCat("its signer is ", GoQuote(request.spec().signername())));
  if (same.ok()) return same;
  return absl::FailedPreconditionError(
      StrCat("certificate signing request ", GoQuote(request.metadata().name()),
             " is there already and cannot be used: ", Message(same)));
}

}  // namespace

IssuedCertificate::IssuedCertificate(async::Loop& loop, IssuedCertificateOptions options,
                                     Metrics& metrics)
    : loop_(loop),
      options_(std::move(options)),
      store_(options_.directory, options_.kind->prefix),
      metrics_(metrics),
      changed_(loop),
      wanted_changed_(loop) {
  metrics_.OnScrape([this] {
    const double left = current_ ? absl::ToDoubleSeconds(current_->not_after - loop_.Now())
                                 : std::numeric_limits<double>::infinity();
    metrics_.SetGauge(options_.kind->ttl_metric, {}, left);
  });
}

absl::Status IssuedCertificate::Read() {
  absl::StatusOr<std::optional<certs::CertificateFacts>> current = store_.Current();
  if (absl::IsFailedPrecondition(current.status())) return current.status();
  if (!current.ok()) {
    LOG_ERROR(current.status(), "A certificate cannot be used, asking for another one",
              {{"kind", options_.kind->name}});
    return absl::OkStatus();
  }
  std::optional<certs::CertificateFacts> facts = *std::move(current);
  if (facts.has_value()) Adopt(*std::move(facts));
  return absl::OkStatus();
}

std::string IssuedCertificate::WhyUnfit(const certs::CertificateFacts& facts) const {
  if (wanted_) return certs::WhyUnfit(facts, *wanted_, loop_.Now());
  return loop_.Now() >= facts.not_after ? "it has expired" : "";
}

void IssuedCertificate::SetWanted(certs::Subject wanted) {
  if (wanted_ == wanted) return;
  wanted_ = std::move(wanted);
  if (!Good()) due_ = absl::InfinitePast();
  wanted_changed_.Ring();
}

// Also sets when the next is due.
void IssuedCertificate::Adopt(certs::CertificateFacts facts) {
  const std::string unfit = WhyUnfit(facts);
  current_ = std::move(facts);
  if (!unfit.empty()) {
    due_ = absl::InfinitePast();
    LOG_WARNING("A certificate is not good, asking for another one",
                {{"kind", options_.kind->name}, {"because", unfit}});
    return;
  }
  due_ = options_.rotate ? certs::RotationTime(*current_, loop_.Random()) : absl::InfiniteFuture();
  LOG_INFO("Certificate in use",
           {{"kind", options_.kind->name},
            {"expires", cubelet::FormatTime(current_->not_after)},
            {"renewal", options_.rotate ? cubelet::FormatTime(due_) : "off"}});
}

void IssuedCertificate::Start(async::TaskScope& scope, Hooks hooks) {
  hooks_ = std::move(hooks);
  scope.Spawn(options_.kind->name, Run());
  if (options_.rotate && hooks_.hopeless != nullptr)
    scope.Spawn(StrCat("end of ", options_.kind->name), Guard());
}

Task<absl::Status> IssuedCertificate::Ready() {
  while (options_.bootstrap ? !Good() : !current_.has_value()) co_await changed_.Wait();
  co_return absl::OkStatus();
}

Task<void> IssuedCertificate::Run() {
  async::Backoff backoff(kFirstRetry, kLongestRetry);
  bool told = false;
  while (due_ != absl::InfiniteFuture()) {
    if (!wanted_.has_value()) {
      co_await wanted_changed_.Wait();
      continue;
    }
    certs::Subject subject = *wanted_;
    const absl::Duration wait = due_ - loop_.Now();
    if (wait > absl::ZeroDuration()) {
      co_await wanted_changed_.WaitFor(std::min(wait, kLongestSleep));
      continue;
    }
    const absl::Status status = co_await Request(std::move(subject));
    if (status.ok()) {
      backoff.Reset();
      told = false;
      due_ = std::max(due_, loop_.Now() + kShortestLife);
      continue;
    }
    metrics_.Count(options_.kind->errors_metric);
    if (!std::exchange(told, true))
      LOG_ERROR(status, "Failed to get a certificate, will try again",
                {{"kind", options_.kind->name}});
    co_await loop_.Sleep(backoff.Next() * (1 + kRetryJitter * loop_.Random()));
  }
}

// One certificate, from the key to the store.
Task<absl::Status> IssuedCertificate::Request(certs::Subject subject) {
  kube::Client* const client = Asker();
  absl::StatusOr<certs::KeyPtr> made = options_.rotate ? certs::NewEcKey() : store_.PendingKey();
  if (!made.ok()) co_return made.status();
  const std::shared_ptr<EVP_PKEY> key = *std::move(made);
  auto submitted = co_await Submit(client, key, std::move(subject));
  absl::Status status = submitted.status();
  if (status.ok()) {
    const metav1::ObjectMeta& meta = (*submitted)->metadata();
    LOG_INFO("Waiting for the certificate signing request to be approved and signed",
             {{"kind", options_.kind->name}, {"name", meta.name()}});
    const absl::Duration timeout = options_.rotate ? kApprovalTime : kApprovalTimeOnce;
    auto pem = co_await AwaitCertificate(&loop_, client, meta.name(), meta.uid(), timeout);
    status = pem.ok() ? Keep(*pem, key.get()) : pem.status();
  }
  // Another key makes another request, where the one for this is decided.
  if (absl::IsFailedPrecondition(status) && !options_.rotate)
    CO_RETURN_IF_ERROR(store_.RemovePendingKey());
  co_return status;
}

Task<absl::StatusOr<std::shared_ptr<const CertificateSigningRequest>>> IssuedCertificate::Submit(
    kube::Client* client, std::shared_ptr<EVP_PKEY> key, certs::Subject subject) {
  auto request = MakeRequest(*options_.kind, key.get(), subject, !options_.rotate);
  if (!request.ok()) co_return request.status();
  auto created = co_await kube::Create<CertificateSigningRequest>(client, {}, *request);
  if (kube::IsAlreadyExists(created.status()) && !options_.rotate) {
    created =
        co_await kube::Get<CertificateSigningRequest>(client, {"", request->metadata().name(), ""});
    if (created.ok()) {
      const absl::Status same = CheckSame(*options_.kind, **created, key.get(), subject);
      if (!same.ok()) co_return same;
    }
  }
  if (!created.ok()) co_return Annotate(created.status(), "create certificate signing request");
  co_return created;
}

// Puts an issued certificate to use.
absl::Status IssuedCertificate::Keep(const std::string& pem, EVP_PKEY* key) {
  absl::StatusOr<std::vector<certs::X509Ptr>> chain = certs::ParseCertificates(pem);
  if (!chain.ok()) return Annotate(chain.status(), "the certificate that was issued");
  const std::string unfit = WhyUnfit(certs::FactsOf(chain->front().get()));
  if (!unfit.empty())
    return absl::FailedPreconditionError(StrCat("the certificate that was issued: ", unfit));
  absl::StatusOr<certs::CertificateFacts> stored = store_.Store(pem, key, loop_.Now());
  if (!stored.ok()) return Annotate(stored.status(), StrCat("keep the ", options_.kind->name));
  if (!options_.rotate) RETURN_IF_ERROR(store_.RemovePendingKey());
  Adopt(*std::move(stored));
  hooks_.changed();
  changed_.Notify();
  return absl::OkStatus();
}

// How long the certificate, or its absence, can be borne from now on.
absl::Duration IssuedCertificate::GuardDelay(absl::Duration begun) const {
  const absl::Duration patience = begun + kPatience - loop_.Monotonic();
  if (!current_.has_value()) return patience;
  const absl::Duration left = current_->not_after - loop_.Now();
  return options_.bootstrap ? std::max(left, patience) : left;
}

// Ends the process when it can do nothing any more, but the API server could be spoken with: a new
// one begins with the bootstrap kubeconfig, or with what an administrator has put right.
Task<void> IssuedCertificate::Guard() {
  const absl::Duration begun = loop_.Monotonic();
  while (true) {
    const absl::Duration delay = GuardDelay(begun);
    if (delay > absl::ZeroDuration()) {
      co_await changed_.WaitFor(std::min(delay, kLongestSleep));
      continue;
    }
    const bool answers = co_await Answers(hooks_.requester);
    if (answers && !Good()) break;
    co_await loop_.Sleep(kAskAgain);
  }
  const std::string name = options_.kind->name;
  const std::string what =
      current_ ? StrCat("the ", name, " has expired at ", cubelet::FormatTime(current_->not_after))
               : StrCat("no ", name, " was issued for ", FormatGoDuration(kPatience));
  hooks_.hopeless(absl::UnauthenticatedError(
      StrCat(what,
             ", and the API server answers: the kubelet is to be started again, with a "
             "--bootstrap-kubeconfig that is good or a new certificate")));
}

}  // namespace cubelet::kubelet
