// Owned OpenSSL objects and PEM reading. Part of this folder and of `server`.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace cubelet::certs {

template <auto free_function>
struct OpenSslDeleter {
  template <typename T>
  void operator()(T* object) const {
    free_function(object);
  }
};

using BioPtr = std::unique_ptr<BIO, OpenSslDeleter<BIO_free_all>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, OpenSslDeleter<EVP_PKEY_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, OpenSslDeleter<SSL_CTX_free>>;
using X509ExtensionPtr = std::unique_ptr<X509_EXTENSION, OpenSslDeleter<X509_EXTENSION_free>>;
using X509Ptr = std::unique_ptr<X509, OpenSslDeleter<X509_free>>;
using X509StorePtr = std::unique_ptr<X509_STORE, OpenSslDeleter<X509_STORE_free>>;
using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, OpenSslDeleter<GENERAL_NAMES_free>>;

// "<context>: <OpenSSL's reasons>"; empties OpenSSL's queue of errors.
absl::Status OpenSslError(std::string_view context);

// All certificates of a PEM text, in its order; other PEM blocks are passed over. Error: none is
// in it, or one cannot be read.
absl::StatusOr<std::vector<X509Ptr>> ParseCertificates(std::string_view pem);

// The first private key of a PEM text. Error: none is in it, it cannot be read, or it is encrypted
// (nobody could type the password). The message never holds any of the text.
absl::StatusOr<KeyPtr> ParsePrivateKey(std::string_view pem);

// The same from a file of at most 4 MiB; errors begin with its path. The text of a key is wiped
// from memory.
absl::StatusOr<std::vector<X509Ptr>> ReadCertificates(const std::string& path);
absl::StatusOr<KeyPtr> ReadPrivateKey(const std::string& path);

}  // namespace cubelet::certs
