#include "fakes/api_server/authority.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "certs/openssl.h"

namespace cubelet::fakes {
namespace {

using RequestPtr = std::unique_ptr<X509_REQ, certs::OpenSslDeleter<X509_REQ_free>>;

constexpr absl::Duration kBackdate = absl::Minutes(5);

struct ExtensionsDeleter {
  void operator()(STACK_OF(X509_EXTENSION) * extensions) const {
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  }
};

absl::StatusOr<RequestPtr> ParseRequest(const std::string& pem) {
  const certs::BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  RequestPtr request(PEM_read_bio_X509_REQ(bio.get(), nullptr, nullptr, nullptr));
  if (request == nullptr) return certs::OpenSslError("read the certificate request");
  if (X509_REQ_verify(request.get(), X509_REQ_get0_pubkey(request.get())) != 1)
    return absl::InvalidArgumentError("the certificate request is not signed by its own key");
  return request;
}

KeyPair PairOf(const certs::TestCertificate& made) {
  return {made.CertificatePem(), made.KeyPem()};
}

// Alternative names come from the request; usages and the rest are the signer's.
void Extend(X509* certificate, X509* issuer, X509_REQ* request, const std::string& usage) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, request, nullptr, 0);
  const auto add = [&](int nid, const char* value) {
    const certs::X509ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
    CHECK(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1);
  };
  add(NID_basic_constraints, "critical,CA:FALSE");
  add(NID_key_usage, "critical,digitalSignature");
  add(NID_ext_key_usage, usage.c_str());
  const std::unique_ptr<STACK_OF(X509_EXTENSION), ExtensionsDeleter> wanted(
      X509_REQ_get_extensions(request));
  const int names = X509v3_get_ext_by_NID(wanted.get(), NID_subject_alt_name, -1);
  if (names >= 0) X509_add_ext(certificate, X509v3_get_ext(wanted.get(), names), -1);
}

}  // namespace

Authority::Authority() : root_(certs::MakeTestAuthority("kubernetes")) {}

KeyPair Authority::ForClient(const std::string& name,
                             const std::vector<std::string>& groups) const {
  certs::TestCertificateOptions options;
  options.common_name = name;
  options.organizations = groups;
  return PairOf(certs::MakeTestCertificate(options, &root_));
}

KeyPair Authority::ForServer(const std::string& names) const {
  certs::TestCertificateOptions options;
  options.common_name = "kube-apiserver";
  options.names = names;
  options.usage = "serverAuth";
  return PairOf(certs::MakeTestCertificate(options, &root_));
}

absl::StatusOr<std::string> Authority::Sign(const std::string& request, const std::string& usage,
                                            absl::Time now, absl::Duration lifetime) const {
  const auto parsed = ParseRequest(request);
  if (!parsed.ok()) return absl::InvalidArgumentError(parsed.status().message());
  X509_REQ* const asked = parsed->get();
  certs::TestCertificateOptions options;
  options.not_before = now - kBackdate;
  options.not_after = now + lifetime;
  // A certificate with a fresh serial number, made into the one asked for.
  certs::TestCertificate made = certs::MakeTestCertificate(options, &root_);
  X509* const certificate = made.certificate.get();
  while (X509_get_ext_count(certificate) > 0) X509_EXTENSION_free(X509_delete_ext(certificate, 0));
  X509_set_subject_name(certificate, X509_REQ_get_subject_name(asked));
  X509_set_pubkey(certificate, X509_REQ_get0_pubkey(asked));
  Extend(certificate, root_.certificate.get(), asked, usage);
  CHECK(X509_sign(certificate, root_.key.get(), EVP_sha256()) != 0);
  return made.CertificatePem();
}

}  // namespace cubelet::fakes
