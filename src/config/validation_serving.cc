// Servers, authentication, tracing, metrics: what the agent serves and how.
#include <algorithm>

#include "base/status.h"
#include "base/strings.h"
#include "config/validation.h"
#include "config/value_text.h"
#include "config/version.h"

namespace cubelet::config {
namespace {

// The names that Go's TLS library has, secure and insecure ones.
constexpr std::string_view kCipherSuites[] = {
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_RSA_WITH_RC4_128_SHA",
};

// P-256, P-384, P-521, X25519 and the three hybrids with ML-KEM.
constexpr int kCurves[] = {23, 24, 25, 29, 4587, 4588, 4589};

constexpr std::string_view kTracingSchemes[] = {"none", "dns", "unix", "unix-abstract"};

// gRPC's names of targets: "scheme:..." where the scheme is known, "host:port" otherwise.
bool HasTracingScheme(std::string_view endpoint) {
  const size_t mark = endpoint.find("://");
  if (mark == endpoint.npos) return true;
  return std::ranges::find(kTracingSchemes, endpoint.substr(0, mark)) != std::end(kTracingSchemes);
}

void ValidateTls(const KubeletConfiguration& config, const FeatureGates& gates, Faults& faults) {
  faults.AddIf(config.servertlsbootstrap() && !gates.Enabled("RotateKubeletServerCertificate"),
               StrCat(NameOf("serverTLSBootstrap"),
                      " true requires feature gate RotateKubeletServerCertificate"));
  for (const std::string& name : config.tlsciphersuites())
    faults.AddIf(std::ranges::find(kCipherSuites, name) == std::end(kCipherSuites),
                 StrCat(NameOf("tlsCipherSuites"), ": Cipher suite ", name,
                        " not supported or doesn't exist"));
  for (const int curve : config.tlscurvepreferences())
    faults.AddIf(std::ranges::find(kCurves, curve) == std::end(kCurves),
                 StrCat(NameOf("tlsCurvePreferences"), ": curve ", curve, " is not supported"));
}

void ValidateAddress(std::string_view path, const std::string& address, Faults& faults) {
  faults.AddIf(!CheckIp(address).ok(),
               StrCat(NameOf(path), " ", GoQuote(address), " must be an IP address"));
}

}  // namespace

void ValidateServing(const KubeletConfiguration& config, const FeatureGates& gates,
                     Faults& faults) {
  ValidateTls(config, gates, faults);
  ValidateAddress("address", config.address(), faults);
  ValidateAddress("healthzBindAddress", config.healthzbindaddress(), faults);
  faults.AddIf(config.enablesystemlogquery() && !config.enablesystemloghandler(),
               "enableSystemLogHandler is required for enableSystemLogQuery");
  const std::string& hidden = config.showhiddenmetricsforversion();
  faults.AddIf(!hidden.empty() && hidden != kPreviousMinorVersion,
               StrCat("showHiddenMetricsForVersion ", GoQuote(hidden),
                      " must be omitted or have the value '", kPreviousMinorVersion,
                      "': only the previous minor version is allowed"));
  const std::string& endpoint = config.tracing().endpoint();
  faults.AddIf(!HasTracingScheme(endpoint),
               StrCat("tracing.endpoint ", GoQuote(endpoint),
                      " must have one of the schemes none, dns, unix and unix-abstract"));
}

}  // namespace cubelet::config
