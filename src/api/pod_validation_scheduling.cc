// Affinity, tolerations and spread: nothing here decides, but what is stored must be well formed.
#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/str_join.h"
#include "api/pod_validation.h"

namespace cubelet::api::validation {
namespace {

using StringList = google::protobuf::RepeatedPtrField<std::string>;

void ValidateLabelKey(const std::string& key, const FieldPath& path, FieldErrors& errors) {
  errors.InvalidFor(path, key, LabelKeyFaults(key));
}

void ValidateValues(const StringList& values, const FieldPath& path, FieldErrors& errors) {
  for (int i = 0; i < values.size(); ++i)
    errors.InvalidFor(path.Index(static_cast<size_t>(i)), values[i], LabelValueFaults(values[i]));
}

// In, NotIn, Exists and DoesNotExist against the number of values; whether it is one of these.
bool ValidateSetOperator(const std::string& op, const StringList& values, const FieldPath& path,
                         FieldErrors& errors) {
  if (op == "In" || op == "NotIn") {
    if (values.empty())
      errors.Required(path, "must be specified when `operator` is 'In' or 'NotIn'");
    return true;
  }
  if (op == "Exists" || op == "DoesNotExist") {
    if (!values.empty())
      errors.Forbidden(path, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    return true;
  }
  return false;
}

void ValidateNodeExpression(const v1::NodeSelectorRequirement& requirement, bool check_values,
                            const FieldPath& path, FieldErrors& errors) {
  const std::string& op = requirement.operator_();
  const FieldPath values = path.Child("values");
  if (op == "Gt" || op == "Lt") {
    if (requirement.values_size() != 1)
      errors.Required(values, "must be specified single value when `operator` is 'Lt' or 'Gt'");
  } else if (!ValidateSetOperator(op, requirement.values(), values, errors)) {
    errors.Invalid(path.Child("operator"), op, "not a valid selector operator");
  }
  ValidateLabelKey(requirement.key(), path.Child("key"), errors);
  if (check_values) ValidateValues(requirement.values(), values, errors);
}

void ValidateNodeField(const v1::NodeSelectorRequirement& requirement, const FieldPath& path,
                       FieldErrors& errors) {
  if (requirement.operator_() != "In" && requirement.operator_() != "NotIn") {
    errors.Invalid(path.Child("operator"), requirement.operator_(),
                   "not a valid selector operator");
  } else if (requirement.values_size() != 1) {
    errors.Required(path.Child("values"),
                    "must be only one value when `operator` is 'In' or 'NotIn' for node field "
                    "selector");
  }
  if (requirement.key() != "metadata.name")
    return errors.Invalid(path.Child("key"), requirement.key(), "not a valid field selector key");
  for (int i = 0; i < requirement.values_size(); ++i)
    errors.InvalidFor(path.Child("values").Index(static_cast<size_t>(i)), requirement.values(i),
                      Dns1123SubdomainFaults(requirement.values(i)));
}

void ValidateNodeTerm(const v1::NodeSelectorTerm& term, bool check_values, const FieldPath& path,
                      FieldErrors& errors) {
  for (int i = 0; i < term.matchexpressions_size(); ++i)
    ValidateNodeExpression(term.matchexpressions(i), check_values,
                           path.Child("matchExpressions").Index(static_cast<size_t>(i)), errors);
  for (int i = 0; i < term.matchfields_size(); ++i)
    ValidateNodeField(term.matchfields(i), path.Child("matchFields").Index(static_cast<size_t>(i)),
                      errors);
}

void ValidateWeight(int32_t weight, const FieldPath& path, FieldErrors& errors) {
  if (weight <= 0 || weight > 100)
    errors.Invalid(path.Child("weight"), weight, "must be in the range 1-100");
}

constexpr char kRequired[] = "requiredDuringSchedulingIgnoredDuringExecution";
constexpr char kPreferred[] = "preferredDuringSchedulingIgnoredDuringExecution";

void ValidateNodeAffinity(const v1::NodeAffinity& affinity, const FieldPath& path,
                          FieldErrors& errors) {
  if (affinity.has_requiredduringschedulingignoredduringexecution()) {
    const auto& terms = affinity.requiredduringschedulingignoredduringexecution();
    const FieldPath terms_path = path.Child(kRequired).Child("nodeSelectorTerms");
    if (terms.nodeselectorterms().empty())
      errors.Required(terms_path, "must have at least one node selector term");
    for (int i = 0; i < terms.nodeselectorterms_size(); ++i)
      ValidateNodeTerm(terms.nodeselectorterms(i), true, terms_path.Index(static_cast<size_t>(i)),
                       errors);
  }
  const auto& preferred = affinity.preferredduringschedulingignoredduringexecution();
  for (int i = 0; i < preferred.size(); ++i) {
    const FieldPath term = path.Child(kPreferred).Index(static_cast<size_t>(i));
    ValidateWeight(preferred[i].weight(), term, errors);
    ValidateNodeTerm(preferred[i].preference(), false, term.Child("preference"), errors);
  }
}

std::set<std::string> SelectorKeys(const metav1::LabelSelector& selector) {
  std::set<std::string> keys;
  for (const auto& [key, value] : selector.matchlabels()) keys.insert(key);
  for (const metav1::LabelSelectorRequirement& requirement : selector.matchexpressions())
    keys.insert(requirement.key());
  return keys;
}

void ValidateLabelKeys(const StringList& keys, bool has_selector, const FieldPath& path,
                       FieldErrors& errors) {
  if (keys.empty()) return;
  if (!has_selector)
    return errors.Forbidden(path, "must not be specified when labelSelector is not set");
  for (int i = 0; i < keys.size(); ++i)
    ValidateLabelKey(keys[i], path.Index(static_cast<size_t>(i)), errors);
}

void ValidateMatchLabelKeys(const v1::PodAffinityTerm& term, const FieldPath& path,
                            FieldErrors& errors) {
  ValidateLabelKeys(term.matchlabelkeys(), term.has_labelselector(), path.Child("matchLabelKeys"),
                    errors);
  ValidateLabelKeys(term.mismatchlabelkeys(), term.has_labelselector(),
                    path.Child("mismatchLabelKeys"), errors);
  const auto& mismatch = term.mismatchlabelkeys();
  for (int i = 0; i < term.matchlabelkeys_size(); ++i) {
    const std::string& key = term.matchlabelkeys(i);
    if (std::find(mismatch.begin(), mismatch.end(), key) != mismatch.end())
      errors.Invalid(path.Child("matchLabelKeys").Index(static_cast<size_t>(i)), key,
                     "exists in both matchLabelKeys and mismatchLabelKeys");
  }
}

void ValidatePodTerm(const v1::PodAffinityTerm& term, const FieldPath& path, FieldErrors& errors) {
  ValidateLabelSelector(term.labelselector(), path.Child("labelSelector"), errors);
  ValidateLabelSelector(term.namespaceselector(), path.Child("namespaceSelector"), errors);
  for (const std::string& name : term.namespaces())
    errors.InvalidFor(path.Child("namespace"), name, Dns1123LabelFaults(name));
  ValidateMatchLabelKeys(term, path, errors);
  if (term.topologykey().empty()) errors.Required(path.Child("topologyKey"), "can not be empty");
  ValidateLabelKey(term.topologykey(), path.Child("topologyKey"), errors);
}

// Affinity and anti-affinity have the same fields.
template <typename Affinity>
void ValidatePodAffinity(const Affinity& affinity, const FieldPath& path, FieldErrors& errors) {
  const auto& required = affinity.requiredduringschedulingignoredduringexecution();
  for (int i = 0; i < required.size(); ++i)
    ValidatePodTerm(required[i], path.Child(kRequired).Index(static_cast<size_t>(i)), errors);
  const auto& preferred = affinity.preferredduringschedulingignoredduringexecution();
  for (int i = 0; i < preferred.size(); ++i) {
    const FieldPath term = path.Child(kPreferred).Index(static_cast<size_t>(i));
    ValidateWeight(preferred[i].weight(), term, errors);
    ValidatePodTerm(preferred[i].podaffinityterm(), term.Child("podAffinityTerm"), errors);
  }
}

void ValidateToleration(const v1::Toleration& toleration, const FieldPath& path,
                        FieldErrors& errors) {
  const std::string& op = toleration.operator_();
  const std::string& effect = toleration.effect();
  if (!toleration.key().empty()) ValidateLabelKey(toleration.key(), path.Child("key"), errors);
  if (toleration.key().empty() && op != "Exists")
    errors.Invalid(path.Child("operator"), op,
                   "operator must be Exists when `key` is empty, which means \"match all values "
                   "and all keys\"");
  if (toleration.has_tolerationseconds() && effect != "NoExecute")
    errors.Invalid(path.Child("effect"), effect,
                   "effect must be 'NoExecute' when `tolerationSeconds` is set");
  if (op.empty() || op == "Equal") {
    const Faults faults = LabelValueFaults(toleration.value());
    if (!faults.empty())
      errors.Invalid(path.Child("operator"), toleration.value(), absl::StrJoin(faults, ";"));
  } else if (op == "Exists") {
    if (!toleration.value().empty())
      errors.Invalid(path.Child("operator"), toleration.value(),
                     "value must be empty when `operator` is 'Exists'");
  } else {
    errors.NotSupported(path.Child("operator"), op, {"Equal", "Exists"});
  }
  if (!effect.empty() && effect != "NoSchedule" && effect != "PreferNoSchedule" &&
      effect != "NoExecute")
    errors.NotSupported(path.Child("effect"), effect,
                        {"NoSchedule", "PreferNoSchedule", "NoExecute"});
}

void ValidateInclusion(bool present, const std::string& policy, const FieldPath& path,
                       FieldErrors& errors) {
  if (present && policy != "Honor" && policy != "Ignore")
    errors.NotSupported(path, policy, {"Honor", "Ignore"});
}

void ValidateSpreadKeys(const v1::TopologySpreadConstraint& constraint, const FieldPath& path,
                        FieldErrors& errors) {
  if (constraint.matchlabelkeys().empty()) return;
  if (!constraint.has_labelselector())
    errors.Forbidden(path, "must not be specified when labelSelector is not set");
  const std::set<std::string> selected = SelectorKeys(constraint.labelselector());
  for (int i = 0; i < constraint.matchlabelkeys_size(); ++i) {
    const std::string& key = constraint.matchlabelkeys(i);
    ValidateLabelKey(key, path.Index(static_cast<size_t>(i)), errors);
    if (selected.contains(key))
      errors.Invalid(path.Index(static_cast<size_t>(i)), key,
                     "exists in both matchLabelKeys and labelSelector");
  }
}

void ValidateSpread(const v1::TopologySpreadConstraint& constraint, const FieldPath& path,
                    FieldErrors& errors) {
  const std::string& action = constraint.whenunsatisfiable();
  if (constraint.maxskew() <= 0)
    errors.Invalid(path.Child("maxSkew"), constraint.maxskew(), "must be greater than zero");
  if (constraint.topologykey().empty())
    errors.Required(path.Child("topologyKey"), "can not be empty");
  if (action != "DoNotSchedule" && action != "ScheduleAnyway")
    errors.NotSupported(path.Child("whenUnsatisfiable"), action,
                        {"DoNotSchedule", "ScheduleAnyway"});
  if (constraint.has_mindomains()) {
    const FieldPath domains = path.Child("minDomains");
    if (constraint.mindomains() <= 0)
      errors.Invalid(domains, constraint.mindomains(), "must be greater than zero");
    if (action != "DoNotSchedule")
      errors.Invalid(
          domains, constraint.mindomains(),
          StrCat("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ", action));
  }
  ValidateInclusion(constraint.has_nodeaffinitypolicy(), constraint.nodeaffinitypolicy(),
                    path.Child("nodeAffinityPolicy"), errors);
  ValidateInclusion(constraint.has_nodetaintspolicy(), constraint.nodetaintspolicy(),
                    path.Child("nodeTaintsPolicy"), errors);
  ValidateSpreadKeys(constraint, path.Child("matchLabelKeys"), errors);
  ValidateLabelSelector(constraint.labelselector(), path.Child("labelSelector"), errors);
}

void ValidateSpreads(const v1::PodSpec& spec, const FieldPath& path, FieldErrors& errors) {
  // The last of equal ones is not told, as each is compared with those that follow.
  std::set<std::string> following;
  for (int i = spec.topologyspreadconstraints_size() - 1; i >= 0; --i) {
    const v1::TopologySpreadConstraint& constraint = spec.topologyspreadconstraints(i);
    const std::string kind =
        StrCat("{", constraint.topologykey(), ", ", constraint.whenunsatisfiable(), "}");
    if (!following.insert(kind).second)
      errors.Duplicate(path.Index(static_cast<size_t>(i)).Child("{topologyKey, whenUnsatisfiable}"),
                       kind);
  }
  for (int i = 0; i < spec.topologyspreadconstraints_size(); ++i)
    ValidateSpread(spec.topologyspreadconstraints(i), path.Index(static_cast<size_t>(i)), errors);
}

}  // namespace

void ValidateLabelSelector(const metav1::LabelSelector& selector, const FieldPath& path,
                           FieldErrors& errors) {
  ValidateLabels(selector.matchlabels(), path.Child("matchLabels"), errors);
  for (int i = 0; i < selector.matchexpressions_size(); ++i) {
    const metav1::LabelSelectorRequirement& requirement = selector.matchexpressions(i);
    const FieldPath own = path.Child("matchExpressions").Index(static_cast<size_t>(i));
    const FieldPath values = own.Child("values");
    if (!ValidateSetOperator(requirement.operator_(), requirement.values(), values, errors))
      errors.Invalid(own.Child("operator"), requirement.operator_(),
                     "not a valid selector operator");
    ValidateLabelKey(requirement.key(), own.Child("key"), errors);
    ValidateValues(requirement.values(), values, errors);
  }
}

void ValidateScheduling(const v1::PodSpec& spec, const FieldPath& path, FieldErrors& errors) {
  const FieldPath affinity = path.Child("affinity");
  ValidateNodeAffinity(spec.affinity().nodeaffinity(), affinity.Child("nodeAffinity"), errors);
  ValidatePodAffinity(spec.affinity().podaffinity(), affinity.Child("podAffinity"), errors);
  ValidatePodAffinity(spec.affinity().podantiaffinity(), affinity.Child("podAntiAffinity"), errors);
  for (int i = 0; i < spec.tolerations_size(); ++i)
    ValidateToleration(spec.tolerations(i), path.Child("tolerations").Index(static_cast<size_t>(i)),
                       errors);
  ValidateSpreads(spec, path.Child("topologySpreadConstraints"), errors);
}

}  // namespace cubelet::api::validation
