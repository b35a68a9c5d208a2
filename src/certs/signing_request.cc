#include "certs/signing_request.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "absl/strings/escaping.h"
#include "base/status.h"
#include "base/strings.h"
#include "certs/key.h"
#include "certs/names.h"
#include "certs/openssl.h"

namespace cubelet::certs {
namespace {

using RequestPtr = std::unique_ptr<X509_REQ, OpenSslDeleter<X509_REQ_free>>;

constexpr double kEarliest = 0.7;  // of a certificate's life
constexpr double kLatest = 0.9;

absl::Status AddEntry(X509_NAME* name, int nid, const std::string& text) {
  if (X509_NAME_add_entry_by_NID(name, nid, V_ASN1_UTF8STRING,
                                 reinterpret_cast<const unsigned char*>(text.data()),
                                 static_cast<int>(text.size()), -1, 0) != 1)
    return OpenSslError(StrCat("name ", GoQuote(text), " in a certificate request"));
  return absl::OkStatus();
}

struct ExtensionsDeleter {
  void operator()(STACK_OF(X509_EXTENSION) * extensions) const {
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  }
};

absl::Status AddNames(X509_REQ* request, const Subject& subject) {
  if (subject.dns_names.empty() && subject.ip_addresses.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const GeneralNamesPtr names,
                   MakeGeneralNames(subject.dns_names, subject.ip_addresses));
  const std::unique_ptr<STACK_OF(X509_EXTENSION), ExtensionsDeleter> extensions(
      sk_X509_EXTENSION_new_null());
  X509_EXTENSION* const extension = X509V3_EXT_i2d(NID_subject_alt_name, 0, names.get());
  if (extension == nullptr || sk_X509_EXTENSION_push(extensions.get(), extension) == 0 ||
      X509_REQ_add_extensions(request, extensions.get()) != 1)
    return OpenSslError("add names to the certificate request");
  return absl::OkStatus();
}

absl::StatusOr<std::string> PublicKeyBytes(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int length = i2d_PUBKEY(key, &der);
  if (length < 0) return OpenSslError("encode the public key");
  std::string bytes(reinterpret_cast<char*>(der), static_cast<size_t>(length));
  OPENSSL_free(der);
  return bytes;
}

bool Contains(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

// Each part with its length before it, so that no two lists have the same text.
void AppendPart(std::string_view part, std::string* text) {
  StrAppend(text, part.size(), ":", part, ",");
}

absl::StatusOr<std::string> Sha512Of256(std::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  if (EVP_Digest(text.data(), text.size(), digest, &length, EVP_sha512_256(), nullptr) != 1)
    return OpenSslError("hash the certificate request");
  return std::string(reinterpret_cast<char*>(digest), length);
}

}  // namespace

Subject NodeSubject(const std::string& node_name) {
  return {.common_name = StrCat("system:node:", node_name), .organizations = {"system:nodes"}};
}

std::vector<std::string> ClientUsages() { return {"digital signature", "client auth"}; }
std::vector<std::string> ServingUsages() { return {"digital signature", "server auth"}; }

absl::StatusOr<std::string> MakeSigningRequest(EVP_PKEY* key, const Subject& subject) {
  const RequestPtr request(X509_REQ_new());
  X509_NAME* const name = X509_REQ_get_subject_name(request.get());
  for (const std::string& organization : subject.organizations)
    RETURN_IF_ERROR(AddEntry(name, NID_organizationName, organization));
  RETURN_IF_ERROR(AddEntry(name, NID_commonName, subject.common_name));
  RETURN_IF_ERROR(AddNames(request.get(), subject));
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (X509_REQ_set_pubkey(request.get(), key) != 1 ||
      X509_REQ_sign(request.get(), key, EVP_sha256()) == 0 ||
      PEM_write_bio_X509_REQ(bio.get(), request.get()) != 1)
    return OpenSslError("make a certificate request");
  return BioText(bio.get());
}

absl::StatusOr<std::string> SigningRequestName(EVP_PKEY* key, const Subject& subject,
                                               const std::vector<std::string>& usages) {
  ASSIGN_OR_RETURN(const std::string public_key, PublicKeyBytes(key));
  std::string text;
  AppendPart(public_key, &text);
  AppendPart(subject.common_name, &text);
  for (const std::string& organization : subject.organizations) AppendPart(organization, &text);
  for (const std::string& usage : usages) AppendPart(usage, &text);
  ASSIGN_OR_RETURN(const std::string digest, Sha512Of256(text));
  return StrCat("node-csr-", absl::WebSafeBase64Escape(digest));
}

absl::Status CheckSigningRequest(std::string_view pem, EVP_PKEY* key, const Subject& subject) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const RequestPtr request(PEM_read_bio_X509_REQ(bio.get(), nullptr, nullptr, nullptr));
  if (request == nullptr) return OpenSslError("read the certificate request");
  EVP_PKEY* const asked = X509_REQ_get0_pubkey(request.get());
  if (asked == nullptr || EVP_PKEY_eq(asked, key) != 1)
    return absl::InvalidArgumentError("it is for another key");
  const Subject named = SubjectOf(X509_REQ_get_subject_name(request.get()));
  if (named.common_name == subject.common_name && named.organizations == subject.organizations)
    return absl::OkStatus();
  return absl::InvalidArgumentError(StrCat("it is for ", GoQuote(named.common_name)));
}

std::string WhyUnfit(const CertificateFacts& facts, const Subject& wanted, absl::Time now) {
  if (now >= facts.not_after) return "it has expired";
  if (facts.common_name != wanted.common_name) return StrCat("it is not for ", wanted.common_name);
  for (const std::string& organization : wanted.organizations) {
    if (!Contains(facts.organizations, organization))
      return StrCat("it does not name the group ", organization);
  }
  for (const std::string& name : wanted.dns_names) {
    if (!Contains(facts.dns_names, name)) return StrCat("it is not for ", name);
  }
  for (const std::string& ip : wanted.ip_addresses) {
    if (!ContainsIp(facts.ip_addresses, ip)) return StrCat("it is not for ", ip);
  }
  return "";
}

absl::Time RotationTime(const CertificateFacts& facts, double random) {
  const absl::Duration life = facts.not_after - facts.not_before;
  return facts.not_before + life * (kEarliest + (kLatest - kEarliest) * random);
}

}  // namespace cubelet::certs
