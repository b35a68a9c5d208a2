#include "containers/hostname.h"

#include <string>

#include "absl/strings/str_join.h"
#include "api/names.h"
#include "base/status.h"
#include "base/strings.h"

namespace cubelet::containers {
namespace {

constexpr size_t kMaxHostnameBytes = 63;
constexpr size_t kMaxKernelHostnameBytes = 64;

absl::Status InvalidName(std::string_view field, std::string_view name, std::string_view kind,
                         const api::Faults& faults) {
  return absl::InvalidArgumentError(StrCat("pod ", field, " ", GoQuote(name),
                                           " is not a valid DNS ", kind, ": ",
                                           absl::StrJoin(faults, ";")));
}

// A name cut to what a hostname may hold, ending in a letter or digit.
absl::StatusOr<std::string> Truncate(const v1::Pod& pod, const std::string& name) {
  if (name.size() <= kMaxHostnameBytes) return name;
  const std::string_view cut = std::string_view(name).substr(0, kMaxHostnameBytes);
  const size_t last = cut.find_last_not_of("-.");
  if (last == std::string_view::npos)
    return absl::InvalidArgumentError(StrCat("hostname for pod ", GoQuote(pod.metadata().name()),
                                             " was invalid: ", GoQuote(name)));
  return std::string(cut.substr(0, last + 1));
}

}  // namespace

absl::StatusOr<PodHostname> HostnameOf(const v1::Pod& pod, std::string_view cluster_domain) {
  const v1::PodSpec& spec = pod.spec();
  PodHostname result;
  if (spec.has_hostnameoverride()) {
    const std::string& name = spec.hostnameoverride();
    if (const auto faults = api::Dns1123SubdomainFaults(name); !faults.empty())
      return InvalidName("HostnameOverride", name, "subdomain", faults);
    ASSIGN_OR_RETURN(result.hostname, Truncate(pod, name));
    return result;
  }
  std::string name = pod.metadata().name();
  if (!spec.hostname().empty()) {
    name = spec.hostname();
    if (const auto faults = api::Dns1123LabelFaults(name); !faults.empty())
      return InvalidName("Hostname", name, "label", faults);
  }
  ASSIGN_OR_RETURN(result.hostname, Truncate(pod, name));
  if (!spec.subdomain().empty()) {
    if (const auto faults = api::Dns1123LabelFaults(spec.subdomain()); !faults.empty())
      return InvalidName("Subdomain", spec.subdomain(), "label", faults);
    result.domain =
        StrCat(spec.subdomain(), ".", pod.metadata().namespace_(), ".svc.", cluster_domain);
  }
  return result;
}

absl::StatusOr<std::string> KernelHostname(const v1::Pod& pod, const PodHostname& name) {
  if (!pod.spec().sethostnameasfqdn() || name.domain.empty()) return name.hostname;
  std::string fqdn = StrCat(name.hostname, ".", name.domain);
  if (fqdn.size() > kMaxKernelHostnameBytes)
    return absl::InvalidArgumentError(
        StrCat("failed to construct FQDN from pod hostname and cluster domain, FQDN ", fqdn,
               " is too long (", kMaxKernelHostnameBytes, " characters is the max, ", fqdn.size(),
               " characters requested)"));
  return fqdn;
}

}  // namespace cubelet::containers
