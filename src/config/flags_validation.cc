// Rules on the flags that are no field of KubeletConfiguration.
#include <algorithm>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "base/strings.h"
#include "config/flags.h"
#include "config/names.h"
#include "config/value_text.h"
#include "config/version.h"

namespace cubelet::config {
namespace {

// Label keys of Kubernetes' own domains that a node may give itself.
constexpr std::string_view kAllowedLabels[] = {
    "beta.kubernetes.io/arch",
    "beta.kubernetes.io/instance-type",
    "beta.kubernetes.io/os",
    "failure-domain.beta.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "kubernetes.io/arch",
    "kubernetes.io/hostname",
    "kubernetes.io/os",
    "node.kubernetes.io/instance-type",
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
};
constexpr std::string_view kAllowedDomains[] = {"kubelet.kubernetes.io", "node.kubernetes.io"};

absl::Status Invalid(std::string message) {
  return absl::InvalidArgumentError(StrCat("failed to validate kubelet flags: ", message));
}

bool IsIn(std::string_view domain, std::string_view parent) {
  return domain == parent || domain.ends_with(StrCat(".", parent));
}

// Whether the key is Kubernetes' own and not one a node may set.
bool IsRestricted(std::string_view key) {
  const std::string_view domain = key.substr(0, key.find('/'));
  if (domain.size() == key.size()) return false;
  if (!IsIn(domain, "kubernetes.io") && !IsIn(domain, "k8s.io")) return false;
  if (std::ranges::find(kAllowedLabels, key) != std::end(kAllowedLabels)) return false;
  return std::ranges::none_of(kAllowedDomains,
                              [&](std::string_view allowed) { return IsIn(domain, allowed); });
}

absl::Status ValidateLabels(const std::map<std::string, std::string>& labels) {
  std::vector<std::string> restricted;
  for (const auto& [key, value] : labels) {
    if (!IsQualifiedName(key) || !IsLabelValue(value))
      return Invalid(StrCat("invalid node labels: ", GoQuote(StrCat(key, "=", value)),
                            " is not a valid label"));
    if (IsRestricted(key)) restricted.push_back(key);
  }
  if (restricted.empty()) return absl::OkStatus();
  std::vector<std::string> allowed(std::begin(kAllowedLabels), std::end(kAllowedLabels));
  return Invalid(
      StrCat("unknown 'kubernetes.io' or 'k8s.io' labels specified with --node-labels: ",
             GoList(restricted),
             "\n--node-labels in the 'kubernetes.io' namespace must begin with an allowed prefix "
             "(kubelet.kubernetes.io, node.kubernetes.io) or be in the specifically allowed set (",
             absl::StrJoin(allowed, ", "), ")"));
}

absl::Status ValidateNodeIp(const std::string& text) {
  if (text.empty()) return absl::OkStatus();
  const std::vector<std::string> addresses = absl::StrSplit(text, ',');
  bool ok = addresses.size() <= 2;
  for (const std::string& address : addresses) ok = ok && CheckIp(address).ok();
  const auto is_v6 = [](const std::string& address) {
    return address.find(':') != std::string::npos;
  };
  if (ok && addresses.size() == 2) ok = is_v6(addresses[0]) != is_v6(addresses[1]);
  if (ok) return absl::OkStatus();
  return Invalid(StrCat("bad --node-ip ", GoQuote(text),
                        ": want an IP address, or one of each family separated by a comma"));
}

// A version of our own to report must be of this Kubernetes release: v1.36.2, v1.36.2-x, v1.36.2+x.
absl::Status ValidateVersion(const std::string& version) {
  if (version == "true" || version == "false" || version == "raw") return absl::OkStatus();
  const std::string_view release = kKubernetesVersion;
  const std::string_view rest = std::string_view(version).starts_with(release)
                                    ? std::string_view(version).substr(release.size())
                                    : std::string_view("?");
  if (rest.empty() || rest[0] == '-' || rest[0] == '+') return absl::OkStatus();
  return Invalid(StrCat("invalid value ", GoQuote(version),
                        " for --version: want true, false, raw, or a version that begins with ",
                        release));
}

}  // namespace

absl::Status ValidateNodeFlags(const NodeFlags& flags) {
  RETURN_IF_ERROR(ValidateLabels(flags.node_labels));
  RETURN_IF_ERROR(ValidateNodeIp(flags.node_ip));
  RETURN_IF_ERROR(ValidateVersion(flags.version));
  if (flags.exit_on_lock_contention && flags.lock_file.empty())
    return Invalid("cannot exit on lock file contention: no lock file specified");
  if (!flags.cloud_provider.empty() && flags.cloud_provider != "external")
    return Invalid(StrCat("--cloud-provider ", GoQuote(flags.cloud_provider),
                          " is not supported: want \"\" or \"external\""));
  if (flags.image_credential_provider_config.empty() !=
      flags.image_credential_provider_bin_dir.empty())
    return Invalid(
        "--image-credential-provider-config and --image-credential-provider-bin-dir must be given "
        "together");
  return absl::OkStatus();
}

}  // namespace cubelet::config
