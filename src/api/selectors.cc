#include "api/selectors.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "api/names.h"
#include "base/status.h"
#include "base/strings.h"

namespace cubelet::api {
namespace {

using Operator = Selector::Operator;

std::optional<Operator> OperatorOf(std::string_view name) {
  if (name == "In") return Operator::kIn;
  if (name == "NotIn") return Operator::kNotIn;
  if (name == "Exists") return Operator::kExists;
  if (name == "DoesNotExist") return Operator::kDoesNotExist;
  if (name == "Gt") return Operator::kGt;
  if (name == "Lt") return Operator::kLt;
  return std::nullopt;
}

std::optional<int64_t> Number(const std::string& text) {
  int64_t number = 0;
  if (!absl::SimpleAtoi(text, &number)) return std::nullopt;
  return number;
}

absl::Status Faulty(std::string_view what, std::string_view value, const Faults& faults) {
  return absl::InvalidArgumentError(
      StrCat(what, " ", GoQuote(value), ": ", absl::StrJoin(faults, "; ")));
}

absl::Status CheckValues(Operator op, const std::vector<std::string>& values) {
  switch (op) {
    case Operator::kIn:
    case Operator::kNotIn:
      if (values.empty()) return absl::InvalidArgumentError("in and notin want values");
      break;
    case Operator::kExists:
    case Operator::kDoesNotExist:
      if (!values.empty()) return absl::InvalidArgumentError("exists takes no values");
      break;
    case Operator::kGt:
    case Operator::kLt:
      if (values.size() != 1 || !Number(values[0]))
        return absl::InvalidArgumentError("> and < want one whole number");
      break;
  }
  for (const std::string& value : values) {
    const Faults faults = LabelValueFaults(value);
    if (!faults.empty()) return Faulty("value", value, faults);
  }
  return absl::OkStatus();
}

// Reads the string form, one requirement after the other.
class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  absl::StatusOr<Selector> Parse() {
    Selector selector;
    if (Peek().empty()) return selector;
    while (true) {
      RETURN_IF_ERROR(ParseRequirement(selector));
      const std::string_view separator = Next();
      if (separator.empty()) return selector;
      if (separator != ",") return Unexpected(separator, "',' or the end");
    }
  }

 private:
  static constexpr std::string_view kBlank = " \t\r\n";
  static constexpr std::string_view kSpecial = "!=()<>,";

  absl::Status ParseRequirement(Selector& selector) {
    std::string_view key = Next();
    const bool negated = key == "!";
    if (negated) key = Next();
    if (key.empty() || kSpecial.find(key[0]) != std::string_view::npos)
      return Unexpected(key, "a label's key");
    const std::string_view op = negated ? "" : Peek();
    if (negated || op.empty() || op == ",")
      return selector.Add(std::string(key), negated ? Operator::kDoesNotExist : Operator::kExists,
                          {});
    Next();
    if (op == "in" || op == "notin") {
      ASSIGN_OR_RETURN(std::vector<std::string> values, ParseValues());
      return selector.Add(std::string(key), op == "in" ? Operator::kIn : Operator::kNotIn,
                          std::move(values));
    }
    const std::optional<Operator> one = OneValueOperator(op);
    if (!one) return Unexpected(op, "one of '=', '==', '!=', '>', '<', 'in', 'notin'");
    return selector.Add(std::string(key), *one, {ParseOneValue()});
  }

  static std::optional<Operator> OneValueOperator(std::string_view op) {
    if (op == "=" || op == "==") return Operator::kIn;
    if (op == "!=") return Operator::kNotIn;
    if (op == ">") return Operator::kGt;
    if (op == "<") return Operator::kLt;
    return std::nullopt;
  }

  // An empty value is one too.
  std::string ParseOneValue() {
    const std::string_view value = Peek();
    if (value.empty() || kSpecial.find(value[0]) != std::string_view::npos) return "";
    return std::string(Next());
  }

  absl::StatusOr<std::vector<std::string>> ParseValues() {
    if (const std::string_view open = Next(); open != "(") return Unexpected(open, "'('");
    std::vector<std::string> values;
    while (true) {
      values.push_back(ParseOneValue());
      const std::string_view separator = Next();
      if (separator == ")") return values;
      if (separator != ",") return Unexpected(separator, "',' or ')'");
    }
  }

  std::string_view Peek() const { return Parser(rest_).Next(); }

  // A name, an operator or a mark; "" at the end.
  std::string_view Next() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(kBlank), rest_.size()));
    if (rest_.empty()) return "";
    size_t length = 1;
    if (rest_.starts_with("==") || rest_.starts_with("!=")) {
      length = 2;
    } else if (kSpecial.find(rest_[0]) == std::string_view::npos) {
      length = std::min(rest_.find_first_of(StrCat(kBlank, kSpecial)), rest_.size());
    }
    const std::string_view token = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return token;
  }

  static absl::Status Unexpected(std::string_view found, std::string_view expected) {
    return absl::InvalidArgumentError(StrCat("unable to parse requirement: found ",
                                             found.empty() ? "the end" : GoQuote(found),
                                             ", expected: ", expected));
  }

  std::string_view rest_;
};

bool MatchesField(const v1::NodeSelectorRequirement& requirement, const v1::Node& node) {
  if (requirement.key() != "metadata.name" || requirement.values_size() != 1) return false;
  const bool equal = requirement.values(0) == node.metadata().name();
  if (requirement.operator_() == "In") return equal;
  return requirement.operator_() == "NotIn" && !equal;
}

bool MatchesTerm(const v1::NodeSelectorTerm& term, const v1::Node& node) {
  if (term.matchexpressions().empty() && term.matchfields().empty()) return false;
  Selector selector;
  for (const v1::NodeSelectorRequirement& requirement : term.matchexpressions()) {
    const std::optional<Operator> op = OperatorOf(requirement.operator_());
    if (!op || !selector
                    .Add(requirement.key(), *op,
                         {requirement.values().begin(), requirement.values().end()})
                    .ok())
      return false;
  }
  return selector.Matches(node.metadata().labels()) &&
         std::all_of(term.matchfields().begin(), term.matchfields().end(),
                     [&node](const auto& requirement) { return MatchesField(requirement, node); });
}

}  // namespace

Selector Selector::Nothing() {
  Selector selector;
  selector.nothing_ = true;
  return selector;
}

absl::StatusOr<Selector> Selector::Parse(std::string_view text) { return Parser(text).Parse(); }

absl::StatusOr<Selector> Selector::From(const metav1::LabelSelector& object) {
  Selector selector;
  for (const auto& [key, value] : object.matchlabels())
    RETURN_IF_ERROR(selector.Add(key, Operator::kIn, {value}));
  for (const metav1::LabelSelectorRequirement& requirement : object.matchexpressions()) {
    const std::optional<Operator> op = OperatorOf(requirement.operator_());
    if (!op || *op == Operator::kGt || *op == Operator::kLt)
      return absl::InvalidArgumentError(
          StrCat(GoQuote(requirement.operator_()), " is not a valid label selector operator"));
    RETURN_IF_ERROR(selector.Add(requirement.key(), *op,
                                 {requirement.values().begin(), requirement.values().end()}));
  }
  return selector;
}

absl::Status Selector::Add(std::string key, Operator op, std::vector<std::string> values) {
  const Faults faults = LabelKeyFaults(key);
  if (!faults.empty()) return Faulty("key", key, faults);
  RETURN_IF_ERROR(Annotate(CheckValues(op, values), StrCat("label ", key)));
  requirements_.push_back({std::move(key), op, {values.begin(), values.end()}});
  return absl::OkStatus();
}

bool Selector::Matches(const LabelMap& labels) const {
  if (nothing_) return false;
  for (const Requirement& requirement : requirements_) {
    const auto label = labels.find(requirement.key);
    const bool has = label != labels.end();
    bool matches = false;
    switch (requirement.op) {
      case Operator::kIn:
        matches = has && requirement.values.contains(label->second);
        break;
      case Operator::kNotIn:
        matches = !has || !requirement.values.contains(label->second);
        break;
      case Operator::kExists:
        matches = has;
        break;
      case Operator::kDoesNotExist:
        matches = !has;
        break;
      case Operator::kGt:
      case Operator::kLt: {
        const std::optional<int64_t> number = has ? Number(label->second) : std::nullopt;
        const std::optional<int64_t> bound = Number(*requirement.values.begin());
        matches = number && (requirement.op == Operator::kGt ? *number > *bound : *number < *bound);
        break;
      }
    }
    if (!matches) return false;
  }
  return true;
}

std::string Selector::ToString() const {
  std::multimap<std::string_view, const Requirement*> sorted;
  for (const Requirement& requirement : requirements_)
    sorted.emplace(requirement.key, &requirement);
  std::string out;
  for (const auto& [key, requirement] : sorted) {
    const std::string values = absl::StrJoin(requirement->values, ",");
    const bool one = requirement->values.size() == 1;
    StrAppend(&out, out.empty() ? "" : ",", requirement->op == Operator::kDoesNotExist ? "!" : "",
              requirement->key);
    switch (requirement->op) {
      case Operator::kIn:
        StrAppend(&out, one ? "=" : " in (", values, one ? "" : ")");
        break;
      case Operator::kNotIn:
        StrAppend(&out, one ? "!=" : " notin (", values, one ? "" : ")");
        break;
      case Operator::kGt:
      case Operator::kLt:
        StrAppend(&out, requirement->op == Operator::kGt ? ">" : "<", values);
        break;
      case Operator::kExists:
      case Operator::kDoesNotExist:
        break;
    }
  }
  return out;
}

bool MatchesNodeSelector(const v1::NodeSelector& selector, const v1::Node& node) {
  return std::any_of(selector.nodeselectorterms().begin(), selector.nodeselectorterms().end(),
                     [&node](const v1::NodeSelectorTerm& term) { return MatchesTerm(term, node); });
}

bool MatchesNodeAffinity(const v1::Pod& pod, const v1::Node& node) {
  for (const auto& [key, value] : pod.spec().nodeselector()) {
    const auto label = node.metadata().labels().find(key);
    if (label == node.metadata().labels().end() || label->second != value) return false;
  }
  const v1::NodeAffinity& affinity = pod.spec().affinity().nodeaffinity();
  return !affinity.has_requiredduringschedulingignoredduringexecution() ||
         MatchesNodeSelector(affinity.requiredduringschedulingignoredduringexecution(), node);
}

}  // namespace cubelet::api
