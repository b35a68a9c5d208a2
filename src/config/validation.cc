#include "config/validation.h"

#include <utility>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "base/strings.h"
#include "config/field_table.h"
#include "config/fields.h"
#include "config/flag_table.h"

namespace cubelet::config {
namespace {

// `["a" "b"]` of "a|b".
std::string Choices(std::string_view choices) {
  std::vector<std::string> quoted;
  for (absl::string_view choice : absl::StrSplit(ToAbsl(choices), '|'))
    quoted.push_back(GoQuote(ToStd(choice)));
  return GoList(quoted);
}

bool IsChoice(std::string_view choices, std::string_view value) {
  for (absl::string_view choice : absl::StrSplit(ToAbsl(choices), '|')) {
    if (choice == ToAbsl(value)) return true;
  }
  return false;
}

void CheckRule(const KubeletConfiguration& config, const FieldSpec& field, Faults& faults) {
  const Rule& rule = field.rule;
  if (rule.kind == Rule::Kind::kNone || IsAbsent(config, field.path)) return;
  const std::string text = ToText(config, field.path, KindOfField(field.path));
  const std::string subject = StrCat(NameOf(field.path), " ", text);
  switch (rule.kind) {
    case Rule::Kind::kNone:
      break;
    case Rule::Kind::kNotNegative:
      faults.AddIf(ToNumber(config, field.path) < 0,
                   StrCat(subject, " must not be a negative number"));
      break;
    case Rule::Kind::kPositive:
      faults.AddIf(ToNumber(config, field.path) <= 0, StrCat(subject, " must be greater than 0"));
      break;
    case Rule::Kind::kBetween: {
      const int64_t number = ToNumber(config, field.path);
      faults.AddIf(
          number < rule.min || number > rule.max,
          StrCat(subject, " must be between ", rule.min, " and ", rule.max, ", inclusive"));
      break;
    }
    case Rule::Kind::kAtLeast:
      faults.AddIf(ToNumber(config, field.path) < rule.min,
                   StrCat(subject, " must be ", rule.min, " or greater"));
      break;
    case Rule::Kind::kOneOf:
      faults.AddIf(!IsChoice(rule.choices, text),
                   StrCat(NameOf(field.path), " ", GoQuote(text),
                          " must be one of: ", Choices(rule.choices)));
      break;
    case Rule::Kind::kNotEmpty:
      faults.AddIf(text.empty(), StrCat(NameOf(field.path), " must not be empty"));
      break;
  }
}

}  // namespace

void Faults::Add(std::string text) { texts_.push_back(StrCat("invalid configuration: ", text)); }

std::string NameOf(std::string_view path) {
  const FlagSpec* flag = FlagOfField(path);
  return flag == nullptr ? std::string(path) : StrCat(path, " (--", flag->name, ")");
}

absl::Status Validate(const KubeletConfiguration& config, const FeatureGates& gates,
                      const Host& host) {
  Faults faults;
  for (const FieldSpec& field : Fields()) CheckRule(config, field, faults);
  ValidateServing(config, gates, faults);
  ValidateImages(config, gates, faults);
  ValidateNodeResources(config, gates, host, faults);
  ValidateManagers(config, gates, faults);
  ValidatePodLifecycle(config, gates, faults);
  ValidateLogging(config, gates, faults);
  if (faults.texts().empty()) return absl::OkStatus();
  const std::string all = absl::StrJoin(faults.texts(), ", ");
  return absl::InvalidArgumentError(
      StrCat("failed to validate kubelet configuration, error: ",
             faults.texts().size() == 1 ? all : StrCat("[", all, "]")));
}

}  // namespace cubelet::config
