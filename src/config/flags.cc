#include "config/flags.h"

#include <limits>
#include <set>

#include "absl/strings/str_join.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/strings.h"
#include "config/fields.h"

namespace cubelet::config {
namespace {

// Sets a member of NodeFlags from text.
class MemberSetter {
 public:
  MemberSetter(NodeFlags& flags, bool first, std::string_view text)
      : flags_(flags), first_(first), text_(text) {}

  absl::Status operator()(bool NodeFlags::* member) const {
    ASSIGN_OR_RETURN(flags_.*member, ParseBool(text_));
    return absl::OkStatus();
  }
  absl::Status operator()(std::string NodeFlags::* member) const {
    flags_.*member = std::string(text_);
    return absl::OkStatus();
  }
  absl::Status operator()(int32_t NodeFlags::* member) const {
    ASSIGN_OR_RETURN(const int64_t number, ParseInt(text_, std::numeric_limits<int32_t>::min(),
                                                    std::numeric_limits<int32_t>::max()));
    flags_.*member = static_cast<int32_t>(number);
    return absl::OkStatus();
  }
  absl::Status operator()(absl::Duration NodeFlags::* member) const {
    ASSIGN_OR_RETURN(flags_.*member, ParseDuration(text_));
    return absl::OkStatus();
  }
  absl::Status operator()(std::map<std::string, std::string> NodeFlags::* member) const {
    if (first_) (flags_.*member).clear();
    ASSIGN_OR_RETURN(const auto pairs, ParsePairs(text_, '='));
    for (const auto& [key, value] : pairs) (flags_.*member)[key] = value;
    return absl::OkStatus();
  }
  absl::Status operator()(FieldPath) const { return absl::OkStatus(); }
  absl::Status operator()(std::monostate) const { return absl::OkStatus(); }

 private:
  NodeFlags& flags_;
  bool first_;
  std::string_view text_;
};

class MemberText {
 public:
  explicit MemberText(const Config& config, const FlagSpec& flag) : config_(config), flag_(flag) {}

  std::string operator()(bool NodeFlags::* member) const {
    return config_.flags.*member ? "true" : "false";
  }
  std::string operator()(std::string NodeFlags::* member) const { return config_.flags.*member; }
  std::string operator()(int32_t NodeFlags::* member) const {
    return StrCat(config_.flags.*member);
  }
  std::string operator()(absl::Duration NodeFlags::* member) const {
    return FormatGoDuration(config_.flags.*member);
  }
  std::string operator()(std::map<std::string, std::string> NodeFlags::* member) const {
    return absl::StrJoin(config_.flags.*member, ",", absl::PairFormatter("="));
  }
  std::string operator()(FieldPath field) const {
    return ToText(config_.kubelet, field.path, KindOf(flag_));
  }
  std::string operator()(std::monostate) const {
    const auto given = config_.ignored_flags.find(std::string(flag_.name));
    return given != config_.ignored_flags.end() ? given->second : std::string(flag_.fallback);
  }

 private:
  const Config& config_;
  const FlagSpec& flag_;
};

// A flag without effect must still be given in its syntax.
absl::Status CheckIgnored(const FlagSpec& flag, std::string_view text) {
  switch (KindOf(flag)) {
    case ValueKind::kBool:
      return ParseBool(text).status();
    case ValueKind::kInt64:
      return ParseInt(text, std::numeric_limits<int64_t>::min(),
                      std::numeric_limits<int64_t>::max())
          .status();
    case ValueKind::kDuration:
      return ParseDuration(text).status();
    default:
      return absl::OkStatus();
  }
}

absl::Status Explain(const absl::Status& status, const Occurrence& occurrence) {
  if (status.ok()) return status;
  const FlagSpec& flag = *occurrence.flag;
  const std::string shorthand =
      flag.shorthand == 0 ? "" : StrCat("-", std::string(1, flag.shorthand), ", ");
  return Annotate(status, StrCat("invalid argument ", GoQuote(occurrence.value), " for ",
                                 GoQuote(StrCat(shorthand, "--", flag.name)), " flag"));
}

absl::Status ApplyField(const Occurrence& occurrence, bool first, KubeletConfiguration& kubelet) {
  const FlagSpec& flag = *occurrence.flag;
  if (first) Clear(kubelet, flag.field());
  return SetFromText(kubelet, flag.field(), KindOf(flag), occurrence.value);
}

absl::Status ApplyOther(const Occurrence& occurrence, bool first, Config& config) {
  const FlagSpec& flag = *occurrence.flag;
  if (std::holds_alternative<std::monostate>(flag.target)) {
    config.ignored_flags[std::string(flag.name)] = occurrence.value;
    return CheckIgnored(flag, occurrence.value);
  }
  return std::visit(MemberSetter(config.flags, first, occurrence.value), flag.target);
}

}  // namespace

NodeFlags DefaultNodeFlags() {
  NodeFlags flags;
  for (const FlagSpec& flag : Flags()) {
    if (flag.fallback.empty()) continue;
    const absl::Status status = std::visit(MemberSetter(flags, true, flag.fallback), flag.target);
    CHECK(status.ok());
  }
  return flags;
}

absl::Status ApplyFlags(const std::vector<Occurrence>& flags, Config& config) {
  std::set<const FlagSpec*> seen;
  for (const Occurrence& occurrence : flags) {
    const bool first = seen.insert(occurrence.flag).second;
    const absl::Status status = occurrence.flag->field().empty()
                                    ? ApplyOther(occurrence, first, config)
                                    : ApplyField(occurrence, first, config.kubelet);
    RETURN_IF_ERROR(Explain(status, occurrence));
  }
  return absl::OkStatus();
}

absl::Status ApplyFieldFlags(const std::vector<Occurrence>& flags, KubeletConfiguration& kubelet) {
  const auto gates = kubelet.featuregates();
  std::set<const FlagSpec*> seen;
  for (const Occurrence& occurrence : flags) {
    if (occurrence.flag->field().empty()) continue;
    const bool first = seen.insert(occurrence.flag).second;
    RETURN_IF_ERROR(Explain(ApplyField(occurrence, first, kubelet), occurrence));
  }
  for (const auto& [name, value] : gates) kubelet.mutable_featuregates()->insert({name, value});
  return absl::OkStatus();
}

std::vector<std::string> DeprecationWarnings(const std::vector<Occurrence>& flags) {
  std::vector<std::string> warnings;
  std::set<const FlagSpec*> seen;
  for (const Occurrence& occurrence : flags) {
    const FlagSpec& flag = *occurrence.flag;
    if (flag.deprecated.empty() || !seen.insert(&flag).second) continue;
    warnings.push_back(StrCat("Flag --", flag.name, " has been deprecated, ", flag.deprecated));
  }
  return warnings;
}

std::string FlagText(const FlagSpec& flag, const Config& config) {
  return std::visit(MemberText(config, flag), flag.target);
}

std::vector<std::pair<std::string, std::string>> FlagValues(const Config& config) {
  std::vector<std::pair<std::string, std::string>> values;
  for (const FlagSpec& flag : Flags())
    values.emplace_back(std::string(flag.name), FlagText(flag, config));
  return values;
}

}  // namespace cubelet::config
