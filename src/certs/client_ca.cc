#include "certs/client_ca.h"

#include "absl/cleanup/cleanup.h"
#include "base/status.h"
#include "base/strings.h"
#include "certs/certificate.h"

namespace cubelet::certs {
namespace {

constexpr int kMaxChain = 10;

using StoreContextPtr = std::unique_ptr<X509_STORE_CTX, OpenSslDeleter<X509_STORE_CTX_free>>;

}  // namespace

absl::StatusOr<std::unique_ptr<ClientCa>> ClientCa::Load(std::string file, ReloadProblem problem) {
  std::unique_ptr<ClientCa> ca(new ClientCa(std::move(file), std::move(problem)));
  if (absl::Status status = ca->Read(); !status.ok())
    return Annotate(status, "authentication.x509.clientCAFile");
  return ca;
}

absl::Status ClientCa::Read() {
  // The stamp first: a change while reading makes the next look read again.
  stamp_ = StampOf(file_);
  ASSIGN_OR_RETURN(const std::vector<X509Ptr> certificates, ReadCertificates(file_));
  X509StorePtr store(X509_STORE_new());
  for (const X509Ptr& certificate : certificates) {
    if (X509_STORE_add_cert(store.get(), certificate.get()) != 1) return OpenSslError(file_);
  }
  store_ = std::move(store);
  return absl::OkStatus();
}

void ClientCa::Refresh() {
  if (StampOf(file_) == stamp_) return;
  if (absl::Status status = Read(); !status.ok()) problem_(file_, status);
}

absl::StatusOr<std::optional<Identity>> ClientCa::Verify(const std::vector<X509*>& chain,
                                                         absl::Time now) {
  Refresh();
  STACK_OF(X509)* const untrusted = sk_X509_new_null();
  const absl::Cleanup free_stack = [&] { sk_X509_free(untrusted); };
  for (size_t i = 1; i < chain.size(); ++i) sk_X509_push(untrusted, chain[i]);
  const StoreContextPtr context(X509_STORE_CTX_new());
  if (X509_STORE_CTX_init(context.get(), store_.get(), chain.front(), untrusted) != 1)
    return OpenSslError("verify client certificate");
  X509_VERIFY_PARAM* const param = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_CLIENT);
  X509_VERIFY_PARAM_set_time(param, absl::ToTimeT(now));
  X509_VERIFY_PARAM_set_depth(param, kMaxChain);
  X509_VERIFY_PARAM_set_auth_level(param, 1);  // no MD5 and SHA-1 signatures, as Go has it
  // Every certificate in the file is an authority by itself, be it an intermediate one.
  X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
  if (X509_verify_cert(context.get()) != 1) {
    const int error = X509_STORE_CTX_get_error(context.get());
    return absl::UnauthenticatedError(StrCat("client certificate of ",
                                             GoQuote(FactsOf(chain.front()).common_name), ": ",
                                             X509_verify_cert_error_string(error)));
  }
  CertificateFacts facts = FactsOf(chain.front());
  if (facts.common_name.empty()) return std::nullopt;
  return Identity{std::move(facts.common_name), std::move(facts.organizations)};
}

}  // namespace cubelet::certs
