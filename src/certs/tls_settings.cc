#include "certs/tls_settings.h"

#include <openssl/ssl.h>

#include <string_view>

#include "absl/strings/str_join.h"
#include "base/strings.h"

namespace cubelet::certs {
namespace {

struct Version {
  std::string_view name;
  int number;
};
constexpr Version kVersions[] = {{"", TLS1_2_VERSION},
                                 {"VersionTLS10", TLS1_VERSION},
                                 {"VersionTLS11", TLS1_1_VERSION},
                                 {"VersionTLS12", TLS1_2_VERSION},
                                 {"VersionTLS13", TLS1_3_VERSION}};

enum class Suite {
  kDefault,  // offered when nothing is configured
  kOnRequest,
  kTls13,    // always on, as in Go: a list has no say over TLS 1.3
  kMissing,  // not built into OpenSSL
};

struct CipherSuite {
  std::string_view go_name;
  std::string_view openssl_name;
  Suite suite;
};

// Every name Go's crypto/tls knows, in Go's order of preference within each group.
constexpr CipherSuite kSuites[] = {
    {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256", Suite::kDefault},
    {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256", Suite::kDefault},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384", Suite::kDefault},
    {"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384", Suite::kDefault},
    {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305",
     Suite::kDefault},
    {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305", Suite::kDefault},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA", Suite::kDefault},
    {"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA", Suite::kDefault},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA", Suite::kDefault},
    {"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA", Suite::kDefault},
    {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", "ECDHE-ECDSA-CHACHA20-POLY1305", Suite::kOnRequest},
    {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", "ECDHE-RSA-CHACHA20-POLY1305", Suite::kOnRequest},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", "ECDHE-ECDSA-AES128-SHA256", Suite::kOnRequest},
    {"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "ECDHE-RSA-AES128-SHA256", Suite::kOnRequest},
    {"TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256", Suite::kOnRequest},
    {"TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384", Suite::kOnRequest},
    {"TLS_RSA_WITH_AES_128_CBC_SHA256", "AES128-SHA256", Suite::kOnRequest},
    {"TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA", Suite::kOnRequest},
    {"TLS_RSA_WITH_AES_256_CBC_SHA", "AES256-SHA", Suite::kOnRequest},
    {"TLS_AES_128_GCM_SHA256", "", Suite::kTls13},
    {"TLS_AES_256_GCM_SHA384", "", Suite::kTls13},
    {"TLS_CHACHA20_POLY1305_SHA256", "", Suite::kTls13},
    {"TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", "", Suite::kMissing},
    {"TLS_RSA_WITH_3DES_EDE_CBC_SHA", "", Suite::kMissing},
    {"TLS_ECDHE_ECDSA_WITH_RC4_128_SHA", "", Suite::kMissing},
    {"TLS_ECDHE_RSA_WITH_RC4_128_SHA", "", Suite::kMissing},
    {"TLS_RSA_WITH_RC4_128_SHA", "", Suite::kMissing},
};

struct Curve {
  int32_t id;  // Go's tls.CurveID, the number in the protocol
  std::string_view go_name;
  std::string_view group;  // "" is not built into OpenSSL
};
constexpr Curve kCurves[] = {{23, "CurveP256", "P-256"},      {24, "CurveP384", "P-384"},
                             {25, "CurveP521", "P-521"},      {29, "X25519", "X25519"},
                             {4588, "X25519MLKEM768", ""},    {4587, "SecP256r1MLKEM768", ""},
                             {4589, "SecP384r1MLKEM1024", ""}};

const CipherSuite* FindSuite(const std::string& name) {
  for (const CipherSuite& suite : kSuites) {
    if (suite.go_name == name) return &suite;
  }
  return nullptr;
}

const Curve* FindCurve(int32_t id) {
  for (const Curve& curve : kCurves) {
    if (curve.id == id) return &curve;
  }
  return nullptr;
}

absl::Status SetVersion(const std::string& name, TlsSettings& settings) {
  for (const Version& version : kVersions) {
    if (version.name != name) continue;
    settings.min_version = version.number;
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(StrCat("tlsMinVersion: unknown tls version ", GoQuote(name)));
}

absl::Status SetSuites(const std::vector<std::string>& names, TlsSettings& settings) {
  std::vector<std::string> list;
  bool tls13 = false;
  for (const std::string& name : names) {
    const CipherSuite* suite = FindSuite(name);
    if (suite == nullptr) {
      return absl::InvalidArgumentError(
          StrCat("tlsCipherSuites: Cipher suite ", name, " not supported or doesn't exist"));
    }
    tls13 |= suite->suite == Suite::kTls13;
    if (suite->suite == Suite::kMissing) {
      settings.warnings.push_back(
          StrCat("tlsCipherSuites: ", name, " is too weak for this build and is passed over"));
    }
    if (!suite->openssl_name.empty()) list.emplace_back(suite->openssl_name);
  }
  for (const CipherSuite& suite : kSuites) {
    if (names.empty() && suite.suite == Suite::kDefault) list.emplace_back(suite.openssl_name);
  }
  if (list.empty() && !tls13) {
    return absl::InvalidArgumentError(
        StrCat("tlsCipherSuites: none of ", GoList(names), " is available"));
  }
  // A list of TLS 1.3 suites only leaves nothing for the older versions.
  if (list.empty()) settings.min_version = TLS1_3_VERSION;
  settings.cipher_list = absl::StrJoin(list, ":");
  // OpenSSL's security level 2 forbids what TLS 1.0 and 1.1 cannot do without.
  if (settings.min_version < TLS1_2_VERSION) settings.cipher_list += ":@SECLEVEL=0";
  return absl::OkStatus();
}

absl::Status SetCurves(const std::vector<int32_t>& ids, TlsSettings& settings) {
  std::vector<std::string> groups;
  for (int32_t id : ids) {
    const Curve* curve = FindCurve(id);
    if (curve == nullptr)
      return absl::InvalidArgumentError(StrCat("tlsCurvePreferences: unknown curve ", id));
    if (curve->group.empty()) {
      settings.warnings.push_back(StrCat("tlsCurvePreferences: ", id, " (", curve->go_name,
                                         ") is not in this OpenSSL and is passed over"));
    } else {
      groups.emplace_back(curve->group);
    }
  }
  if (!ids.empty() && groups.empty()) {
    return absl::InvalidArgumentError(
        StrCat("tlsCurvePreferences: none of [", absl::StrJoin(ids, " "), "] is available"));
  }
  settings.groups = absl::StrJoin(groups, ":");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TlsSettings> ParseTlsSettings(const std::string& min_version,
                                             const std::vector<std::string>& cipher_suites,
                                             const std::vector<int32_t>& curves) {
  TlsSettings settings;
  if (absl::Status status = SetVersion(min_version, settings); !status.ok()) return status;
  if (absl::Status status = SetSuites(cipher_suites, settings); !status.ok()) return status;
  if (absl::Status status = SetCurves(curves, settings); !status.ok()) return status;
  return settings;
}

}  // namespace cubelet::certs
