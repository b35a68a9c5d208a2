#include "certs/openssl.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "absl/cleanup/cleanup.h"
#include "base/status.h"
#include "base/strings.h"
#include "os/files.h"

namespace cubelet::certs {
namespace {

// A bundle of certificates larger than this is no bundle.
constexpr size_t kMaxCertificates = 1000;
constexpr size_t kMaxFileBytes = 4 << 20;

BioPtr ReadOnlyBio(std::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Without this OpenSSL would ask for a password on the terminal.
int NoPassword(char*, int, int, void*) { return -1; }

}  // namespace

absl::Status OpenSslError(std::string_view context) {
  std::string reasons;
  while (const unsigned long error = ERR_get_error()) {
    const char* reason = ERR_reason_error_string(error);
    StrAppend(&reasons, reasons.empty() ? "" : ", ", reason != nullptr ? reason : "unknown error");
  }
  return absl::InvalidArgumentError(
      StrCat(context, ": ", reasons.empty() ? "OpenSSL gave no reason" : reasons));
}

absl::StatusOr<std::vector<X509Ptr>> ParseCertificates(std::string_view pem) {
  ERR_clear_error();
  const BioPtr bio = ReadOnlyBio(pem);
  std::vector<X509Ptr> certificates;
  while (certificates.size() < kMaxCertificates) {
    X509Ptr certificate(PEM_read_bio_X509(bio.get(), nullptr, NoPassword, nullptr));
    if (certificate == nullptr) break;
    certificates.push_back(std::move(certificate));
  }
  // The end of the text is an error, too: "no start line".
  const unsigned long last = ERR_peek_last_error();
  const bool at_end =
      ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
  if (last != 0 && !at_end) return OpenSslError("read certificate");
  ERR_clear_error();
  if (certificates.empty()) return absl::InvalidArgumentError("there is no PEM certificate in it");
  return certificates;
}

absl::StatusOr<KeyPtr> ParsePrivateKey(std::string_view pem) {
  ERR_clear_error();
  const BioPtr bio = ReadOnlyBio(pem);
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassword, nullptr));
  if (key != nullptr) return key;
  ERR_clear_error();
  if (pem.find("PRIVATE KEY-----") == std::string_view::npos)
    return absl::InvalidArgumentError("there is no PEM private key in it");
  return absl::InvalidArgumentError("its private key cannot be read, or is encrypted");
}

absl::StatusOr<std::vector<X509Ptr>> ReadCertificates(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string pem, os::ReadFile(path, kMaxFileBytes));
  absl::StatusOr<std::vector<X509Ptr>> certificates = ParseCertificates(pem);
  if (!certificates.ok()) return Annotate(certificates.status(), path);
  return certificates;
}

absl::StatusOr<KeyPtr> ReadPrivateKey(const std::string& path) {
  ASSIGN_OR_RETURN(std::string pem, os::ReadFile(path, kMaxFileBytes));
  const absl::Cleanup forget = [&] { OPENSSL_cleanse(pem.data(), pem.size()); };
  absl::StatusOr<KeyPtr> key = ParsePrivateKey(pem);
  if (!key.ok()) return Annotate(key.status(), path);
  return key;
}

}  // namespace cubelet::certs
