// Resources of containers and of the pod, and resource claims.
#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "absl/strings/str_join.h"
#include "api/pod.h"
#include "api/pod_validation.h"
#include "api/quantity.h"

namespace cubelet::api::validation {
namespace {

constexpr std::string_view kHugePages = "hugepages-";

bool IsHugePages(std::string_view name) { return name.starts_with(kHugePages); }
bool IsPlain(std::string_view name) { return name.find('/') == std::string_view::npos; }

// Resources Kubernetes itself gives a meaning to.
bool IsNative(std::string_view name) {
  return IsPlain(name) || name.find("kubernetes.io/") != std::string_view::npos;
}

bool IsExtended(std::string_view name) {
  return !IsNative(name) && !name.starts_with("requests.") &&
         LabelKeyFaults(StrCat("requests.", name)).empty();
}

bool IsOvercommitted(std::string_view name) { return IsNative(name) && !IsHugePages(name); }

bool IsContainerResource(std::string_view name) {
  return name == "cpu" || name == "memory" || name == "ephemeral-storage" || IsHugePages(name);
}

// What quotas count is a standard resource too, only not one for containers.
bool IsStandardResource(std::string_view name) {
  static const std::set<std::string_view> kNames = {"configmaps",
                                                    "limits.cpu",
                                                    "limits.ephemeral-storage",
                                                    "limits.memory",
                                                    "persistentvolumeclaims",
                                                    "pods",
                                                    "replicationcontrollers",
                                                    "requests.cpu",
                                                    "requests.ephemeral-storage",
                                                    "requests.memory",
                                                    "requests.storage",
                                                    "resourcequotas",
                                                    "secrets",
                                                    "services",
                                                    "services.loadbalancers",
                                                    "services.nodeports",
                                                    "storage"};
  return IsContainerResource(name) || kNames.contains(name) ||
         name.starts_with("requests.hugepages-");
}

void ValidateContainerResourceName(const std::string& name, const FieldPath& path,
                                   FieldErrors& errors) {
  const Faults faults = LabelKeyFaults(name);
  errors.InvalidFor(path, name, faults);
  if (!faults.empty()) return;
  if (IsPlain(name)) {
    if (!IsStandardResource(name))
      errors.Invalid(path, name, "must be a standard resource type or fully qualified");
    if (!IsContainerResource(name))
      errors.Invalid(path, name, "must be a standard resource for containers");
  } else if (!IsNative(name) && !IsExtended(name)) {
    errors.Invalid(path, name, "doesn't follow extended resource name standard");
  }
}

void ValidatePodResourceName(const std::string& name, const FieldPath& path, FieldErrors& errors) {
  const Faults faults = LabelKeyFaults(name);
  errors.InvalidFor(path, name, faults);
  if (faults.empty() && name != "cpu" && name != "memory" && !IsHugePages(name))
    errors.NotSupported(path, name, {"cpu", "hugepages-", "memory"});
}

bool IsWholePages(std::string_view name, const Quantity& amount) {
  const absl::StatusOr<Quantity> size = Quantity::Parse(name.substr(kHugePages.size()));
  if (!size.ok() || size->Sign() <= 0 || size->MilliValue() % 1000 != 0) return false;
  return amount.Value() % size->Value() == 0;
}

void ValidateAmount(std::string_view name, const Quantity& amount, const FieldPath& path,
                    FieldErrors& errors) {
  const std::string text = amount.ToString();
  if (amount.Sign() < 0) errors.Invalid(path, text, "must be greater than or equal to 0");
  if (IsExtended(name) && amount.MilliValue() % 1000 != 0)
    errors.Invalid(path, ShownValue::Plain(text), "must be an integer");
  if (IsHugePages(name) && !IsWholePages(name, amount))
    errors.Invalid(path, text, StrCat(text, " is not positive integer multiple of ", name));
}

void ValidateAgainstLimit(const std::string& name, const Quantity& request,
                          const ResourceAmounts& limits, const FieldPath& path,
                          FieldErrors& errors) {
  const auto limit = limits.find(name);
  if (limit == limits.end()) {
    if (!IsOvercommitted(name))
      errors.Required(path.Child("limits"), "Limit must be set for non overcommitable resources");
    return;
  }
  const std::string told = StrCat(name, " limit of ", limit->second.ToString());
  if (request != limit->second && !IsOvercommitted(name)) {
    errors.Invalid(path.Child("requests"), request.ToString(), StrCat("must be equal to ", told));
  } else if (request > limit->second) {
    errors.Invalid(path.Child("requests"), request.ToString(),
                   StrCat("must be less than or equal to ", told));
  }
}

using NameCheck = void (*)(const std::string&, const FieldPath&, FieldErrors&);

void ValidateRequirements(const v1::ResourceRequirements& resources, NameCheck check_name,
                          const FieldPath& path, FieldErrors& errors) {
  const ResourceAmounts limits = ToAmounts(resources.limits());
  const ResourceAmounts requests = ToAmounts(resources.requests());
  bool compute = false, huge = false;
  const auto see = [&](std::string_view name) {
    compute = compute || name == "cpu" || name == "memory";
    huge = huge || IsHugePages(name);
  };
  for (const auto& [name, amount] : limits) {
    const FieldPath key = path.Child("limits").Key(name);
    check_name(name, key, errors);
    ValidateAmount(name, amount, key, errors);
    see(name);
  }
  for (const auto& [name, amount] : requests) {
    const FieldPath key = path.Child("requests").Key(name);
    check_name(name, key, errors);
    ValidateAmount(name, amount, key, errors);
    ValidateAgainstLimit(name, amount, limits, path, errors);
    see(name);
  }
  if (huge && !compute) errors.Forbidden(path, "HugePages require cpu or memory");
}

// Claims that a container uses: each once, whole or by request, of those the pod has.
void ValidateUsedClaims(const PodFacts& facts, const v1::ResourceRequirements& resources,
                        const FieldPath& path, FieldErrors& errors) {
  std::set<std::string> whole, used;
  for (int i = 0; i < resources.claims_size(); ++i) {
    const v1::ResourceClaim& claim = resources.claims(i);
    const FieldPath claim_path = path.Index(static_cast<size_t>(i));
    if (claim.name().empty()) {
      errors.Required(claim_path);
      continue;
    }
    if (!claim.request().empty())
      errors.InvalidFor(claim_path.Child("request"), claim.request(),
                        Dns1123LabelFaults(claim.request()));
    const std::string key =
        claim.request().empty() ? claim.name() : StrCat(claim.name(), "/", claim.request());
    if (whole.contains(claim.name()) || (claim.request().empty() && used.contains(claim.name()))) {
      errors.Duplicate(claim_path, claim.name());
    } else if (used.contains(key)) {
      errors.Duplicate(claim_path, key);
    }
    if (claim.request().empty()) whole.insert(claim.name());
    used.insert(claim.name());
    used.insert(key);
    if (!facts.claims.contains(claim.name()))
      errors.NotFound(claim_path, claim.name(),
                      StrCat("must be one of the names in pod.spec.resourceClaims",
                             facts.claims.empty() ? " which is empty"
                                                  : ": " + absl::StrJoin(facts.claims, ", ")));
  }
}

// The pod's requests must hold those of its containers, its limits each of theirs.
void ValidateConsistency(const v1::Pod& pod, const FieldPath& path, FieldErrors& errors) {
  const ResourceAmounts requests = ToAmounts(pod.spec().resources().requests());
  const ResourceAmounts limits = ToAmounts(pod.spec().resources().limits());
  v1::Pod containers_only;
  *containers_only.mutable_spec()->mutable_containers() = pod.spec().containers();
  *containers_only.mutable_spec()->mutable_initcontainers() = pod.spec().initcontainers();
  for (const auto& [name, sum] : PodRequests(containers_only)) {
    const auto own = requests.find(name);
    const Quantity have = own == requests.end() ? Quantity() : own->second;
    if (sum > have)
      errors.Invalid(path.Child("requests").Key(name), have.ToString(),
                     StrCat("must be greater than or equal to aggregate container requests of ",
                            sum.ToString()));
  }
  for (int i = 0; i < pod.spec().containers_size(); ++i) {
    for (const auto& [name, limit] : ToAmounts(pod.spec().containers(i).resources().limits())) {
      const auto own = limits.find(name);
      if (own != limits.end() && limit > own->second)
        errors.Invalid(
            path.Child("containers").Index(static_cast<size_t>(i)).Key(name).Child("limits"),
            limit.ToString(),
            StrCat("must be less than or equal to pod limits of ", own->second.ToString()));
    }
  }
}

}  // namespace

void ValidateContainerResources(const PodFacts& facts, const v1::ResourceRequirements& resources,
                                const FieldPath& path, FieldErrors& errors) {
  ValidateRequirements(resources, ValidateContainerResourceName, path, errors);
  ValidateUsedClaims(facts, resources, path.Child("claims"), errors);
}

void ValidatePodResources(const PodFacts& facts, FieldErrors& errors) {
  const v1::PodSpec& spec = facts.pod.spec();
  v1::ResourceRequirements overhead;
  *overhead.mutable_limits() = spec.overhead();
  ValidateRequirements(overhead, ValidateContainerResourceName, FieldPath("spec.overhead"), errors);

  if (!spec.has_resources()) return;
  const FieldPath path("spec.resources");
  if (spec.resources().claims_size() > 0)
    errors.Forbidden(path.Child("claims"), "claims cannot be set for Resources at pod-level");
  ValidateRequirements(spec.resources(), ValidatePodResourceName, path, errors);
  ValidateConsistency(facts.pod, path, errors);
}

void ValidateResourceClaims(const v1::PodSpec& spec, const FieldPath& path, FieldErrors& errors) {
  std::set<std::string> names;
  for (int i = 0; i < spec.resourceclaims_size(); ++i) {
    const v1::PodResourceClaim& claim = spec.resourceclaims(i);
    const FieldPath claim_path = path.Index(static_cast<size_t>(i));
    if (claim.name().empty()) {
      errors.Required(claim_path.Child("name"));
    } else if (!names.insert(claim.name()).second) {
      errors.Duplicate(claim_path.Child("name"), claim.name());
    } else {
      errors.InvalidFor(claim_path.Child("name"), claim.name(), Dns1123LabelFaults(claim.name()));
    }
    if (claim.has_resourceclaimname() && claim.has_resourceclaimtemplatename())
      errors.Invalid(claim_path, claim.name(),
                     "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be "
                     "specified");
    if (!claim.has_resourceclaimname() && !claim.has_resourceclaimtemplatename())
      errors.Invalid(claim_path, claim.name(),
                     "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`");
    if (claim.has_resourceclaimname())
      errors.InvalidFor(claim_path.Child("resourceClaimName"), claim.resourceclaimname(),
                        Dns1123SubdomainFaults(claim.resourceclaimname()));
    if (claim.has_resourceclaimtemplatename())
      errors.InvalidFor(claim_path.Child("resourceClaimTemplateName"),
                        claim.resourceclaimtemplatename(),
                        Dns1123SubdomainFaults(claim.resourceclaimtemplatename()));
  }
}

}  // namespace cubelet::api::validation
