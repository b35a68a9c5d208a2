// Certificates and keys: as PEM text, and as the bytes within it.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/strings/escaping.h"
#include "base/strings.h"
#include "certs/certificate.h"
#include "certs/openssl.h"

namespace {

void Read(std::string_view pem) {
  (void)cubelet::certs::ParsePrivateKey(pem);
  const auto certificates = cubelet::certs::ParseCertificates(pem);
  if (!certificates.ok()) return;
  for (const auto& certificate : *certificates) (void)cubelet::certs::FactsOf(certificate.get());
}

std::string Pem(std::string_view kind, std::string_view bytes) {
  return cubelet::StrCat("-----BEGIN ", kind, "-----\n", absl::Base64Escape(cubelet::ToAbsl(bytes)),
                         "\n-----END ", kind, "-----\n");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Read(text);
  Read(Pem("CERTIFICATE", text));
  return 0;
}
