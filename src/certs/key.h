// Private keys: made, and written as PEM. Whoever holds the text wipes it (WipeText) once it is
// written.
#pragma once

#include <openssl/evp.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "certs/openssl.h"

namespace cubelet::certs {

// An ECDSA key of the curve P-256.
absl::StatusOr<KeyPtr> NewEcKey();

absl::StatusOr<std::string> KeyToPem(EVP_PKEY* key);

// A file of mode 0600 with the key.
absl::Status WriteKey(const std::string& path, EVP_PKEY* key);

void WipeText(std::string& text);

// What has been written into a memory BIO.
std::string BioText(BIO* bio);

}  // namespace cubelet::certs
