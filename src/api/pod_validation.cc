#include "api/pod_validation.h"

#include <limits>
#include <set>

#include "absl/strings/str_join.h"
#include "api/pod_defaults.h"

namespace cubelet::api {
namespace validation {
namespace {

constexpr int kMaxNameservers = 3;
constexpr int kMaxSearches = 32;
constexpr size_t kMaxSearchBytes = 2048;
constexpr size_t kMaxHostnameBytes = 64;

// One of `supported`, and set.
void ValidateChoice(const std::string& value, const std::vector<std::string_view>& supported,
                    const FieldPath& path, FieldErrors& errors) {
  if (value.empty()) return errors.Required(path);
  for (const std::string_view one : supported) {
    if (value == one) return;
  }
  errors.NotSupported(path, value, supported);
}

void ValidateSubdomain(const std::string& value, const FieldPath& path, FieldErrors& errors) {
  if (!value.empty()) errors.InvalidFor(path, value, Dns1123SubdomainFaults(value));
}

void ValidateLabel(const std::string& value, const FieldPath& path, FieldErrors& errors) {
  if (!value.empty()) errors.InvalidFor(path, value, Dns1123LabelFaults(value));
}

void ValidateHostname(const v1::PodSpec& spec, const FieldPath& path, FieldErrors& errors) {
  ValidateLabel(spec.hostname(), path.Child("hostname"), errors);
  ValidateLabel(spec.subdomain(), path.Child("subdomain"), errors);
  if (!spec.has_hostnameoverride()) return;
  const FieldPath override = path.Child("hostnameOverride");
  if (spec.hostnetwork())
    errors.Forbidden(override, "may not be specified when `hostNetwork` is true");
  if (spec.sethostnameasfqdn())
    errors.Forbidden(override, "may not be specified when `setHostnameAsFQDN` is true");
  if (spec.hostnameoverride().size() > kMaxHostnameBytes)
    errors.TooLong(override, kMaxHostnameBytes);
  errors.InvalidFor(override, spec.hostnameoverride(),
                    Dns1123SubdomainFaults(spec.hostnameoverride()));
}

void ValidateHostAliases(const v1::PodSpec& spec, const FieldPath& path, FieldErrors& errors) {
  for (int i = 0; i < spec.hostaliases_size(); ++i) {
    const v1::HostAlias& alias = spec.hostaliases(i);
    const FieldPath alias_path = path.Index(static_cast<size_t>(i));
    errors.InvalidFor(alias_path.Child("ip"), alias.ip(), IpFaults(alias.ip()));
    for (int j = 0; j < alias.hostnames_size(); ++j)
      errors.InvalidFor(alias_path.Child("hostnames").Index(static_cast<size_t>(j)),
                        alias.hostnames(j), Dns1123SubdomainFaults(alias.hostnames(j)));
  }
}

std::string ListText(const google::protobuf::RepeatedPtrField<std::string>& items) {
  return StrCat("[", absl::StrJoin(items, " "), "]");
}

void ValidateSearches(const v1::PodDNSConfig& dns, const FieldPath& path, FieldErrors& errors) {
  const auto& searches = dns.searches();
  if (searches.size() > kMaxSearches)
    errors.Invalid(path, ShownValue::Plain(ListText(searches)),
                   StrCat("must not have more than ", kMaxSearches, " search paths"));
  if (absl::StrJoin(searches, " ").size() > kMaxSearchBytes)
    errors.Invalid(path, ShownValue::Plain(ListText(searches)),
                   StrCat("must not have more than ", kMaxSearchBytes,
                          " characters (including spaces) in the search list"));
  for (int i = 0; i < searches.size(); ++i) {
    if (searches[i] == ".") continue;
    std::string search = searches[i];
    if (search.ends_with('.')) search.pop_back();
    errors.InvalidFor(path.Index(static_cast<size_t>(i)), search,
                      Dns1123SubdomainFaults(search, true));
  }
}

void ValidateDns(const v1::PodSpec& spec, const FieldPath& path, FieldErrors& errors) {
  ValidateChoice(spec.dnspolicy(), {"ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"},
                 path.Child("dnsPolicy"), errors);
  const FieldPath config = path.Child("dnsConfig");
  const v1::PodDNSConfig& dns = spec.dnsconfig();
  if (spec.dnspolicy() == "None") {
    if (!spec.has_dnsconfig())
      return errors.Required(config, "must provide `dnsConfig` when `dnsPolicy` is None");
    if (dns.nameservers().empty())
      return errors.Required(config.Child("nameservers"),
                             "must provide at least one DNS nameserver when `dnsPolicy` is None");
  }
  const FieldPath nameservers = config.Child("nameservers");
  if (dns.nameservers_size() > kMaxNameservers)
    errors.Invalid(nameservers, ShownValue::Plain(ListText(dns.nameservers())),
                   StrCat("must not have more than ", kMaxNameservers, " nameservers"));
  for (int i = 0; i < dns.nameservers_size(); ++i)
    errors.InvalidFor(nameservers.Index(static_cast<size_t>(i)), dns.nameservers(i),
                      IpFaults(dns.nameservers(i)));
  ValidateSearches(dns, config.Child("searches"), errors);
  for (int i = 0; i < dns.options_size(); ++i) {
    if (dns.options(i).name().empty())
      errors.Required(config.Child("options").Index(static_cast<size_t>(i)), "must not be empty");
  }
}

void ValidateGates(const v1::PodSpec& spec, const FieldPath& path, FieldErrors& errors) {
  for (int i = 0; i < spec.readinessgates_size(); ++i) {
    const std::string& type = spec.readinessgates(i).conditiontype();
    errors.InvalidFor(
        path.Child("readinessGates").Index(static_cast<size_t>(i)).Child("conditionType"), type,
        LabelKeyFaults(type));
  }
  std::set<std::string> seen;
  for (int i = 0; i < spec.schedulinggates_size(); ++i) {
    const std::string& name = spec.schedulinggates(i).name();
    const FieldPath gate = path.Child("schedulingGates").Index(static_cast<size_t>(i));
    errors.InvalidFor(gate, name, LabelKeyFaults(name));
    if (!seen.insert(name).second) errors.Duplicate(gate, name);
  }
  if (!spec.nodename().empty() && spec.schedulinggates_size() > 0)
    errors.Forbidden(path.Child("nodeName"),
                     "cannot be set until all schedulingGates have been cleared");
}

void ValidateNamesInSpec(const v1::PodSpec& spec, const FieldPath& path, FieldErrors& errors) {
  ValidateSubdomain(spec.serviceaccountname(), path.Child("serviceAccountName"), errors);
  ValidateSubdomain(spec.nodename(), path.Child("nodeName"), errors);
  ValidateSubdomain(spec.priorityclassname(), path.Child("priorityClassName"), errors);
  if (spec.has_runtimeclassname())
    errors.InvalidFor(path.Child("runtimeClassName"), spec.runtimeclassname(),
                      Dns1123SubdomainFaults(spec.runtimeclassname()));
}

void ValidateLifetime(const v1::PodSpec& spec, const FieldPath& path, FieldErrors& errors) {
  if (!spec.has_terminationgraceperiodseconds())
    errors.Required(path.Child("terminationGracePeriodSeconds"));
  ValidateChoice(spec.restartpolicy(), {"Always", "OnFailure", "Never"},
                 path.Child("restartPolicy"), errors);
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  const int64_t deadline = spec.activedeadlineseconds();
  if (spec.has_activedeadlineseconds() && (deadline < 1 || deadline > kMost))
    errors.Invalid(path.Child("activeDeadlineSeconds"), deadline, RangeFault(1, kMost));
  if (spec.has_preemptionpolicy())
    ValidateChoice(spec.preemptionpolicy(), {"PreemptLowerPriority", "Never"},
                   path.Child("preemptionPolicy"), errors);
}

// Tokens need an account to be of.
void ValidateTokensHaveAnAccount(const v1::PodSpec& spec, const FieldPath& path,
                                 FieldErrors& errors) {
  if (!spec.serviceaccountname().empty()) return;
  for (int i = 0; i < spec.volumes_size(); ++i) {
    const auto& sources = spec.volumes(i).volumesource().projected().sources();
    for (int j = 0; j < sources.size(); ++j) {
      if (sources[j].has_serviceaccounttoken())
        errors.Forbidden(path.Child("volumes")
                             .Index(static_cast<size_t>(i))
                             .Child("projected")
                             .Child("sources")
                             .Index(static_cast<size_t>(j))
                             .Child("serviceAccountToken"),
                         "must not be specified when serviceAccountName is not set");
    }
  }
}

PodFacts FactsOf(const v1::Pod& pod, FieldErrors& errors) {
  PodFacts facts{.pod = pod,
                 .volumes = ValidateVolumes(pod, errors),
                 .claims = {},
                 .host_users = !pod.spec().has_hostusers() || pod.spec().hostusers()};
  for (const v1::PodResourceClaim& claim : pod.spec().resourceclaims()) {
    if (!claim.name().empty()) facts.claims.insert(claim.name());
  }
  return facts;
}

}  // namespace
}  // namespace validation

absl::Status ValidatePod(const v1::Pod& pod) {
  using namespace validation;  // the parts above and those of the header
  FieldErrors errors;
  const v1::PodSpec& spec = pod.spec();
  const FieldPath path("spec");
  ValidateMetadata(pod.metadata(), FieldPath("metadata"), errors);
  ValidatePodAnnotations(pod, errors);
  const PodFacts facts = FactsOf(pod, errors);
  ValidateResourceClaims(spec, path.Child("resourceClaims"), errors);
  ValidateContainers(facts, errors);
  if (spec.ephemeralcontainers_size() > 0)
    errors.Forbidden(path.Child("ephemeralContainers"), "cannot be set on create");
  ValidatePodResources(facts, errors);
  ValidateLifetime(spec, path, errors);
  ValidateDns(spec, path, errors);
  ValidateLabels(spec.nodeselector(), path.Child("nodeSelector"), errors);
  ValidatePodSecurity(spec, path, errors);
  ValidateScheduling(spec, path, errors);
  ValidateGates(spec, path, errors);
  ValidateNamesInSpec(spec, path, errors);
  ValidateHostname(spec, path, errors);
  ValidateHostAliases(spec, path.Child("hostAliases"), errors);
  ValidateOs(spec, path, errors);
  ValidateTokensHaveAnAccount(spec, path, errors);
  ValidateProfileAnnotations(pod, errors);
  return errors.ToStatus();
}

}  // namespace cubelet::api
