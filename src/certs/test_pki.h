// Authorities and certificates for tests. Included by tests only.
#pragma once

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/check.h"
#include "certs/openssl.h"

namespace cubelet::certs {

struct TestCertificate {
  X509Ptr certificate;
  KeyPtr key;

  std::string CertificatePem() const {
    const BioPtr bio(BIO_new(BIO_s_mem()));
    CHECK(PEM_write_bio_X509(bio.get(), certificate.get()) == 1);
    return Text(bio.get());
  }
  std::string KeyPem() const {
    const BioPtr bio(BIO_new(BIO_s_mem()));
    CHECK(PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) ==
          1);
    return Text(bio.get());
  }

 private:
  static std::string Text(BIO* bio) {
    char* data = nullptr;
    const long length = BIO_get_mem_data(bio, &data);
    return std::string(data, static_cast<size_t>(length));
  }
};

struct TestCertificateOptions {
  std::string common_name;
  std::vector<std::string> organizations;
  std::string names;                 // subjectAltName: "DNS:lab,IP:127.0.0.1"
  std::string usage = "clientAuth";  // extendedKeyUsage; "" for none
  bool authority = false;
  absl::Time not_before = absl::UnixEpoch();
  absl::Time not_after = absl::UnixEpoch() + absl::Hours(24 * 365 * 200);
};

// A certificate signed by `issuer`, by itself without one.
inline TestCertificate MakeTestCertificate(const TestCertificateOptions& options,
                                           const TestCertificate* issuer = nullptr) {
  TestCertificate made{X509Ptr(X509_new()), KeyPtr(EVP_EC_gen("P-256"))};
  X509* const x509 = made.certificate.get();
  static uint64_t serial = 0;
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509), ++serial);
  X509_set_version(x509, X509_VERSION_3);
  ASN1_TIME_set(X509_getm_notBefore(x509), absl::ToTimeT(options.not_before));
  ASN1_TIME_set(X509_getm_notAfter(x509), absl::ToTimeT(options.not_after));
  const auto add_name = [&](int nid, const std::string& text) {
    CHECK(X509_NAME_add_entry_by_NID(X509_get_subject_name(x509), nid, V_ASN1_UTF8STRING,
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()), -1, 0) == 1);
  };
  for (const std::string& organization : options.organizations)
    add_name(NID_organizationName, organization);
  if (!options.common_name.empty()) add_name(NID_commonName, options.common_name);
  X509* const signer = issuer != nullptr ? issuer->certificate.get() : x509;
  X509_set_issuer_name(x509, X509_get_subject_name(signer));
  X509_set_pubkey(x509, made.key.get());
  X509V3_CTX context;
  X509V3_set_ctx(&context, signer, x509, nullptr, nullptr, 0);
  const auto extend = [&](int nid, const std::string& value) {
    if (value.empty()) return;
    const X509ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
    CHECK(extension != nullptr && X509_add_ext(x509, extension.get(), -1) == 1);
  };
  extend(NID_basic_constraints, options.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  extend(NID_ext_key_usage, options.authority ? "" : options.usage);
  extend(NID_subject_alt_name, options.names);
  EVP_PKEY* const key = issuer != nullptr ? issuer->key.get() : made.key.get();
  CHECK(X509_sign(x509, key, EVP_sha256()) != 0);
  return made;
}

inline TestCertificate MakeTestAuthority(const std::string& name,
                                         const TestCertificate* issuer = nullptr) {
  TestCertificateOptions options;
  options.common_name = name;
  options.authority = true;
  return MakeTestCertificate(options, issuer);
}

}  // namespace cubelet::certs
