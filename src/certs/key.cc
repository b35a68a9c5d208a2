#include "certs/key.h"

#include <openssl/crypto.h>
#include <openssl/pem.h>

#include "absl/cleanup/cleanup.h"
#include "base/status.h"
#include "os/files.h"

namespace cubelet::certs {

absl::StatusOr<KeyPtr> NewEcKey() {
  KeyPtr key(EVP_EC_gen("P-256"));
  if (key == nullptr) return OpenSslError("make an ECDSA key");
  return key;
}

// Not in PKCS #8, where it is an EC key: the form that the Go kubelet writes and reads.
absl::StatusOr<std::string> KeyToPem(EVP_PKEY* key) {
  const BioPtr bio(BIO_new(BIO_s_secmem()));
  if (PEM_write_bio_PrivateKey_traditional(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) !=
      1)
    return OpenSslError("write the key as PEM");
  return BioText(bio.get());
}

absl::Status WriteKey(const std::string& path, EVP_PKEY* key) {
  ASSIGN_OR_RETURN(std::string pem, KeyToPem(key));
  const absl::Cleanup forget = [&] { WipeText(pem); };
  return os::WriteFileAtomic(path, pem, 0600);
}

void WipeText(std::string& text) { OPENSSL_cleanse(text.data(), text.size()); }

std::string BioText(BIO* bio) {
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<size_t>(length));
}

}  // namespace cubelet::certs
