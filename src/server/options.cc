#include "server/options.h"

#include <string_view>

#include "base/strings.h"

namespace cubelet::server {
namespace {

// Without --config the two fields below have other defaults; with it they must be written down.
constexpr std::string_view kWhatToSet =
    ": this kubelet runs without an API server (no --kubeconfig), so set authentication.webhook."
    "enabled to false and authorization.mode to AlwaysAllow, and say who may come in with "
    "authentication.x509.clientCAFile or authentication.anonymous.enabled";

}  // namespace

absl::Status CheckMode(const Options& options) {
  if (options.authorization_mode == "AlwaysAllow" || options.authorization_mode == "Webhook")
    return absl::OkStatus();
  return absl::InvalidArgumentError(
      StrCat("authorization.mode: ", GoQuote(options.authorization_mode),
             " is neither AlwaysAllow nor Webhook"));
}

absl::Status CheckStandalone(const Options& options) {
  if (!options.port) return absl::OkStatus();
  if (options.webhook_authentication_enabled) {
    return absl::FailedPreconditionError(
        StrCat("authentication.webhook.enabled: true needs an API server to ask", kWhatToSet));
  }
  if (options.authorization_mode == "Webhook") {
    return absl::FailedPreconditionError(
        StrCat("authorization.mode: Webhook needs an API server to ask", kWhatToSet));
  }
  if (absl::Status mode = CheckMode(options); !mode.ok()) return mode;
  if (options.server_tls_bootstrap) {
    return absl::FailedPreconditionError(
        "serverTLSBootstrap: true needs an API server to sign the certificate: this kubelet runs "
        "without one (no --kubeconfig), so set it to false; a certificate comes from tlsCertFile "
        "and tlsPrivateKeyFile, or is made by the kubelet itself");
  }
  return absl::OkStatus();
}

}  // namespace cubelet::server
