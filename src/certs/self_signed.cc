#include "certs/self_signed.h"

#include <openssl/pem.h>
#include <openssl/rand.h>

#include <algorithm>

#include "base/clock.h"
#include "base/status.h"
#include "base/strings.h"
#include "certs/key.h"
#include "certs/names.h"
#include "certs/openssl.h"
#include "os/files.h"

namespace cubelet::certs {
namespace {

constexpr absl::Duration kLifetime = absl::Hours(24 * 365);
constexpr absl::Duration kBackdate = absl::Hours(1);  // clocks of clients differ
constexpr absl::Duration kRenewBefore = absl::Hours(24 * 30);

struct Issuer {
  X509* certificate;  // null: the certificate signs itself
  EVP_PKEY* key;
};

absl::Status AddExtension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer != nullptr ? issuer : certificate, certificate, nullptr, nullptr,
                 0);
  const X509ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  if (extension == nullptr || X509_add_ext(certificate, extension.get(), -1) != 1)
    return OpenSslError("add certificate extension");
  return absl::OkStatus();
}

absl::Status AddNames(X509* certificate, const std::vector<std::string>& dns,
                      const std::vector<std::string>& ips) {
  ASSIGN_OR_RETURN(const GeneralNamesPtr names, MakeGeneralNames(dns, ips));
  if (X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) != 1)
    return OpenSslError("add names to the certificate");
  return absl::OkStatus();
}

// An unsigned certificate for `key` with subject CN `name`, issued by `issuer`.
absl::StatusOr<X509Ptr> NewCertificate(const std::string& name, EVP_PKEY* key, X509* issuer,
                                       absl::Time now) {
  X509Ptr certificate(X509_new());
  uint64_t serial = 0;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) != 1)
    return OpenSslError("make a serial number");
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), serial >> 1 | 1);
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_TIME_set(X509_getm_notBefore(certificate.get()), absl::ToTimeT(now - kBackdate));
  ASN1_TIME_set(X509_getm_notAfter(certificate.get()), absl::ToTimeT(now + kLifetime));
  X509_NAME* const subject = X509_get_subject_name(certificate.get());
  if (X509_NAME_add_entry_by_NID(subject, NID_commonName, V_ASN1_UTF8STRING,
                                 reinterpret_cast<const unsigned char*>(name.data()),
                                 static_cast<int>(name.size()), -1, 0) != 1 ||
      X509_set_issuer_name(certificate.get(),
                           issuer == nullptr ? subject : X509_get_subject_name(issuer)) != 1 ||
      X509_set_pubkey(certificate.get(), key) != 1) {
    return OpenSslError(StrCat("make a certificate for ", GoQuote(name)));
  }
  return certificate;
}

absl::Status Sign(X509* certificate, EVP_PKEY* key) {
  if (X509_sign(certificate, key, EVP_sha256()) == 0) return OpenSslError("sign certificate");
  return absl::OkStatus();
}

// The authority that signs one certificate; its key is forgotten.
absl::StatusOr<X509Ptr> MakeAuthority(const ServingNames& names, EVP_PKEY* key, absl::Time now) {
  const std::string common_name = StrCat(names.host, "-ca@", absl::ToUnixSeconds(now));
  ASSIGN_OR_RETURN(X509Ptr authority, NewCertificate(common_name, key, nullptr, now));
  for (auto [nid, value] : {std::pair(NID_subject_key_identifier, "hash"),
                            std::pair(NID_basic_constraints, "critical,CA:TRUE"),
                            std::pair(NID_key_usage, "critical,digitalSignature,keyCertSign")}) {
    RETURN_IF_ERROR(AddExtension(authority.get(), nullptr, nid, value));
  }
  RETURN_IF_ERROR(Sign(authority.get(), key));
  return authority;
}

absl::StatusOr<X509Ptr> MakeLeaf(const ServingNames& names, EVP_PKEY* key, const Issuer& issuer,
                                 absl::Time now) {
  const std::string common_name = StrCat(names.host, "@", absl::ToUnixSeconds(now));
  ASSIGN_OR_RETURN(X509Ptr leaf, NewCertificate(common_name, key, issuer.certificate, now));
  const char* const usage = EVP_PKEY_is_a(key, "RSA") == 1
                                ? "critical,digitalSignature,keyEncipherment"
                                : "critical,digitalSignature";
  for (auto [nid, value] :
       {std::pair(NID_authority_key_identifier, "keyid"),
        std::pair(NID_basic_constraints, "critical,CA:FALSE"), std::pair(NID_key_usage, usage),
        std::pair(NID_ext_key_usage, "serverAuth")}) {
    RETURN_IF_ERROR(AddExtension(leaf.get(), issuer.certificate, nid, value));
  }
  std::vector<std::string> dns = names.dns, ips = names.ips;
  (IsIp(names.host) ? ips : dns).push_back(names.host);
  for (auto* list : {&dns, &ips}) {
    std::sort(list->begin(), list->end());
    list->erase(std::unique(list->begin(), list->end()), list->end());
  }
  RETURN_IF_ERROR(AddNames(leaf.get(), dns, ips));
  RETURN_IF_ERROR(Sign(leaf.get(), issuer.key));
  return leaf;
}

bool Contains(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

// Whether `name` is "<anything><separator><digits>", as kubelets name what they make themselves.
bool EndsInTime(const std::string& name, const std::string& separator) {
  const size_t at = name.rfind(separator);
  return at != std::string::npos && at + separator.size() < name.size() &&
         name.find_first_not_of("0123456789", at + separator.size()) == std::string::npos;
}

bool IsSelfMade(const CertificateFacts& facts) {
  return EndsInTime(facts.common_name, "@") && EndsInTime(facts.issuer_common_name, "-ca@");
}

absl::Status WriteNewKey(const std::string& path) {
  ASSIGN_OR_RETURN(const KeyPtr key, NewEcKey());
  return WriteKey(path, key.get());
}

}  // namespace

absl::StatusOr<std::string> MakeSelfSigned(EVP_PKEY* key, const ServingNames& names,
                                           absl::Time now) {
  ASSIGN_OR_RETURN(const KeyPtr authority_key, NewEcKey());
  ASSIGN_OR_RETURN(const X509Ptr authority, MakeAuthority(names, authority_key.get(), now));
  const Issuer issuer{authority.get(), authority_key.get()};
  ASSIGN_OR_RETURN(const X509Ptr leaf, MakeLeaf(names, key, issuer, now));
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(bio.get(), leaf.get()) != 1 ||
      PEM_write_bio_X509(bio.get(), authority.get()) != 1) {
    return OpenSslError("write the certificate as PEM");
  }
  return BioText(bio.get());
}

std::string WhyReplace(const CertificateFacts& facts, const ServingNames& names, absl::Time now) {
  if (!IsSelfMade(facts)) return "";
  if (now >= facts.not_after) return "it has expired";
  if (now + kRenewBefore >= facts.not_after) {
    return StrCat("it expires in ",
                  FormatGoDuration(absl::Trunc(facts.not_after - now, absl::Seconds(1))));
  }
  std::vector<std::string> wanted = names.dns;
  wanted.push_back(names.host);
  for (const std::string& name : wanted) {
    if (!IsIp(name) && !Contains(facts.dns_names, name)) return StrCat("it is not for ", name);
  }
  wanted = names.ips;
  if (IsIp(names.host)) wanted.push_back(names.host);
  for (const std::string& ip : wanted) {
    if (!ContainsIp(facts.ip_addresses, ip)) return StrCat("it is not for ", ip);
  }
  return "";
}

KeyPairPaths SelfSignedPaths(const std::string& directory) {
  return {os::JoinPath(directory, "kubelet.crt"), os::JoinPath(directory, "kubelet.key")};
}

absl::Status EnsureSelfSigned(const std::string& directory, const ServingNames& names,
                              absl::Time now, std::string* made) {
  const KeyPairPaths paths = SelfSignedPaths(directory);
  ASSIGN_OR_RETURN(const bool have_certificate, os::Exists(paths.certificate));
  ASSIGN_OR_RETURN(const bool have_key, os::Exists(paths.key));
  if (have_certificate && !have_key) {
    return absl::FailedPreconditionError(
        StrCat("serving certificate: there is ", paths.certificate, " but no ", paths.key,
               ": add the key, or remove the certificate to have both made"));
  }
  RETURN_IF_ERROR(os::MakeDirectories(directory, 0755));
  if (!have_key) RETURN_IF_ERROR(WriteNewKey(paths.key));
  ASSIGN_OR_RETURN(const KeyPtr key, ReadPrivateKey(paths.key));
  *made = "there was none";
  if (have_certificate) {
    ASSIGN_OR_RETURN(const std::vector<X509Ptr> chain, ReadCertificates(paths.certificate));
    X509* const certificate = chain.front().get();
    const CertificateFacts facts = FactsOf(certificate);
    *made = WhyReplace(facts, names, now);
    if (made->empty() && IsSelfMade(facts) && X509_check_private_key(certificate, key.get()) != 1)
      *made = "it is not for the key";
  }
  if (made->empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string pem, MakeSelfSigned(key.get(), names, now));
  return os::WriteFileAtomic(paths.certificate, pem, 0644);
}

}  // namespace cubelet::certs
