// An authority and certificates as PEM texts, for tests. Included by tests only.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

#include "base/check.h"

namespace cubelet::kube {

struct TestPem {
  std::string certificate;
  std::string key;
};

class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name = "test-authority")
      : key_(EVP_EC_gen("P-256")), certificate_(X509_new()) {
    Fill(certificate_.get(), key_.get(), name, "critical,CA:TRUE", "");
  }

  // `names`: subjectAltName, as "DNS:api,IP:127.0.0.1"; "" for none.
  TestPem Issue(const std::string& common_name, const std::string& names) {
    const KeyPtr key(EVP_EC_gen("P-256"));
    const CertificatePtr certificate(X509_new());
    Fill(certificate.get(), key.get(), common_name, "critical,CA:FALSE", names);
    return {Text([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate.get()); }),
            Text([&](BIO* bio) {
              return PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr,
                                              nullptr);
            })};
  }

  std::string Pem() const {
    return Text([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate_.get()); });
  }

 private:
  struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
    void operator()(BIO* bio) const { BIO_free(bio); }
  };
  using KeyPtr = std::unique_ptr<EVP_PKEY, Free>;
  using CertificatePtr = std::unique_ptr<X509, Free>;

  template <typename Write>
  static std::string Text(Write write) {
    const std::unique_ptr<BIO, Free> bio(BIO_new(BIO_s_mem()));
    CHECK(write(bio.get()) == 1);
    char* data = nullptr;
    const long length = BIO_get_mem_data(bio.get(), &data);
    return std::string(data, static_cast<size_t>(length));
  }

  // Signed by this authority, which signs itself first.
  void Fill(X509* certificate, EVP_PKEY* key, const std::string& common_name,
            const std::string& constraints, const std::string& names) {
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), ++serial_);
    ASN1_TIME_set(X509_getm_notBefore(certificate), 0);
    ASN1_TIME_set(X509_getm_notAfter(certificate), time_t{1} << 33);
    X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate), NID_commonName,
                               V_ASN1_UTF8STRING,
                               reinterpret_cast<const unsigned char*>(common_name.data()),
                               static_cast<int>(common_name.size()), -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate_.get()));
    X509_set_pubkey(certificate, key);
    Extend(certificate, NID_basic_constraints, constraints);
    Extend(certificate, NID_subject_alt_name, names);
    CHECK(X509_sign(certificate, key_.get(), EVP_sha256()) != 0);
  }

  void Extend(X509* certificate, int nid, const std::string& value) {
    if (value.empty()) return;
    X509V3_CTX context;
    X509V3_set_ctx(&context, certificate_.get(), certificate, nullptr, nullptr, 0);
    const std::unique_ptr<X509_EXTENSION, Free> extension(
        X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
    CHECK(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1);
  }

  KeyPtr key_;
  CertificatePtr certificate_;
  uint64_t serial_ = 0;
};

}  // namespace cubelet::kube
