// tlsMinVersion, tlsCipherSuites and tlsCurvePreferences in OpenSSL's words. Pure.
//
// The names are Go's. Go knows a few suites and curves that this OpenSSL does not have (RC4, 3DES,
// the ML-KEM hybrids): those are passed over with a warning as long as something is left.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace cubelet::certs {

struct TlsSettings {
  int min_version = 0;      // TLS1_2_VERSION, ...
  std::string cipher_list;  // for TLS 1.2 and older, with @SECLEVEL where it must be lowered
  std::string groups;       // "X25519:P-256"; "" is OpenSSL's default
  std::vector<std::string> warnings;
};

// "" and empty lists mean Go's defaults. Errors name the field and the value: `tlsMinVersion:
// unknown tls version "VersionTLS9"`, `tlsCipherSuites: Cipher suite X not supported or doesn't
// exist`.
absl::StatusOr<TlsSettings> ParseTlsSettings(const std::string& min_version,
                                             const std::vector<std::string>& cipher_suites,
                                             const std::vector<int32_t>& curves);

}  // namespace cubelet::certs
