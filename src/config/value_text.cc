#include "config/value_text.h"

#include <arpa/inet.h>

#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "api/quantity.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/strings.h"

namespace cubelet::config {
namespace {

using k8s::io::api::core::v1::Taint;
using v1beta1::MemoryReservation;
using v1beta1::VModuleItem;

absl::Status GoError(std::string_view function, std::string_view text, std::string_view what) {
  return absl::InvalidArgumentError(
      StrCat("strconv.", function, ": parsing ", GoQuote(text), ": ", what));
}

std::string Trimmed(absl::string_view text) {
  return std::string(absl::StripAsciiWhitespace(text));
}

int BaseOf(std::string_view digits) {
  if (digits.size() < 2 || digits[0] != '0') return 10;
  switch (absl::ascii_tolower(static_cast<unsigned char>(digits[1]))) {
    case 'x':
      return 16;
    case 'o':
      return 8;
    case 'b':
      return 2;
    default:
      return 8;
  }
}

// 36 for what is no digit in any base.
int DigitValue(char c) {
  const char lower = absl::ascii_tolower(static_cast<unsigned char>(c));
  if (lower >= '0' && lower <= '9') return lower - '0';
  if (lower >= 'a' && lower <= 'z') return lower - 'a' + 10;
  return 36;
}

enum class Digits { kOk, kSyntax, kRange };

Digits ReadDigits(std::string_view digits, uint64_t& value) {
  const int base = BaseOf(digits);
  const bool prefixed = base != 10;
  if (prefixed)
    digits.remove_prefix(absl::ascii_isalpha(static_cast<unsigned char>(digits[1])) ? 2 : 1);
  if (digits.empty() || digits.back() == '_') return Digits::kSyntax;
  value = 0;
  bool overflow = false, last_underscore = false;
  for (char c : digits) {
    if (c == '_') {
      if (!prefixed || last_underscore) return Digits::kSyntax;
      last_underscore = true;
      continue;
    }
    last_underscore = false;
    const int digit = DigitValue(c);
    if (digit >= base) return Digits::kSyntax;
    overflow = overflow || __builtin_mul_overflow(value, static_cast<uint64_t>(base), &value) ||
               __builtin_add_overflow(value, static_cast<uint64_t>(digit), &value);
  }
  return overflow ? Digits::kRange : Digits::kOk;
}

absl::Status BadQuotes(std::string_view text) {
  return absl::InvalidArgumentError(StrCat("wrong quotes in list ", GoQuote(text)));
}

// One field that begins with a quote; `rest` is left behind its closing one.
absl::StatusOr<std::string> QuotedField(std::string_view& rest, std::string_view text) {
  std::string field;
  rest.remove_prefix(1);
  while (true) {
    const size_t quote = rest.find('"');
    if (quote == rest.npos) return BadQuotes(text);
    field += rest.substr(0, quote);
    rest.remove_prefix(quote + 1);
    if (rest.empty() || rest[0] != '"') break;
    field += '"';
    rest.remove_prefix(1);
  }
  if (!rest.empty() && rest[0] != ',') return BadQuotes(text);
  return field;
}

absl::StatusOr<Taint> ParseTaint(absl::string_view text) {
  const auto invalid = [&](std::string_view why) {
    return absl::InvalidArgumentError(StrCat("invalid taint spec: ", ToStd(text), why));
  };
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  if (parts.size() != 2) return invalid(", want key=value:effect");
  const std::vector<std::string> sides = absl::StrSplit(parts[0], '=');
  if (sides.size() > 2) return invalid(", want key=value:effect");
  if (parts[1] != "NoSchedule" && parts[1] != "PreferNoSchedule" && parts[1] != "NoExecute")
    return invalid(", unsupported taint effect");
  Taint taint;
  taint.set_key(sides[0]);
  if (sides.size() == 2) taint.set_value(sides[1]);
  taint.set_effect(parts[1]);
  return taint;
}

absl::StatusOr<MemoryReservation> ParseReservation(absl::string_view text) {
  const auto invalid = [&](std::string_view why) {
    return absl::InvalidArgumentError(StrCat("reserved memory ", GoQuote(ToStd(text)), ": ", why));
  };
  const std::vector<std::string> parts = absl::StrSplit(text, absl::MaxSplits(':', 1));
  if (parts.size() != 2) return invalid("want <NUMA node>:<type>=<quantity>,...");
  const absl::StatusOr<int64_t> node = ParseInt(parts[0], 0, std::numeric_limits<int32_t>::max());
  if (!node.ok()) return invalid(Message(node.status()));
  MemoryReservation reservation;
  reservation.set_numanode(static_cast<int32_t>(*node));
  const auto limits = ParsePairs(parts[1], '=', "quantity");
  if (!limits.ok()) return invalid(Message(limits.status()));
  for (const auto& [type, amount] : *limits) {
    const absl::StatusOr<api::Quantity> quantity = api::Quantity::Parse(amount);
    if (!quantity.ok()) return invalid(StrCat(type, ": ", Message(quantity.status())));
    (*reservation.mutable_limits())[type].set_string(quantity->ToString());
  }
  return reservation;
}

}  // namespace

const char* KindName(ValueKind kind) {
  switch (kind) {
    case ValueKind::kDefault:
    case ValueKind::kBool:
      return "";
    case ValueKind::kInt32:
      return "int32";
    case ValueKind::kInt64:
      return "int";
    case ValueKind::kUint32:
      return "Level";
    case ValueKind::kDouble:
      return "float";
    case ValueKind::kString:
      return "string";
    case ValueKind::kDuration:
      return "duration";
    case ValueKind::kQuantity:
      return "quantity";
    case ValueKind::kIp:
      return "ip";
    case ValueKind::kStringList:
      return "strings";
    case ValueKind::kIntList:
      return "ints";
    case ValueKind::kStringMap:
    case ValueKind::kThresholdMap:
      return "mapStringString";
    case ValueKind::kBoolMap:
      return "mapStringBool";
    case ValueKind::kHeaderMap:
      return "colonSeparatedMultimapStringString";
    case ValueKind::kTaints:
      return "[]Taint";
    case ValueKind::kReservedMemory:
      return "reserved-memory";
    case ValueKind::kPriorityPeriods:
      return "priority=seconds,...";
    case ValueKind::kVmodule:
      return "pattern=N,...";
    case ValueKind::kVersion:
      return "version[=true]";
  }
  return "";
}

absl::StatusOr<bool> ParseBool(std::string_view text) {
  for (std::string_view yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == yes) return true;
  }
  for (std::string_view no : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == no) return false;
  }
  return GoError("ParseBool", text, "invalid syntax");
}

absl::StatusOr<int64_t> ParseInt(std::string_view text, int64_t min, int64_t max) {
  std::string_view digits = text;
  const bool negative = !digits.empty() && digits[0] == '-';
  if (negative || (!digits.empty() && digits[0] == '+')) digits.remove_prefix(1);
  uint64_t magnitude = 0;
  const Digits result = ReadDigits(digits, magnitude);
  if (result == Digits::kSyntax) return GoError("ParseInt", text, "invalid syntax");
  constexpr uint64_t kMost = std::numeric_limits<int64_t>::max();
  if (result == Digits::kRange || magnitude > kMost + (negative ? 1 : 0))
    return GoError("ParseInt", text, "value out of range");
  const int64_t number = static_cast<int64_t>(negative ? -magnitude : magnitude);
  if (number < min || number > max) return GoError("ParseInt", text, "value out of range");
  return number;
}

absl::StatusOr<double> ParseDouble(std::string_view text) {
  double number = 0;
  if (!absl::SimpleAtod(ToAbsl(text), &number))
    return GoError("ParseFloat", text, "invalid syntax");
  return number;
}

absl::StatusOr<absl::Duration> ParseDuration(std::string_view text) {
  absl::Duration duration;
  RETURN_IF_ERROR(ParseGoDuration(text, duration));
  return duration;
}

absl::Status CheckIp(std::string_view text) {
  in6_addr address;
  const std::string copy(text);
  if (::inet_pton(AF_INET, copy.c_str(), &address) == 1 ||
      ::inet_pton(AF_INET6, copy.c_str(), &address) == 1)
    return absl::OkStatus();
  return absl::InvalidArgumentError(StrCat("invalid IP address: ", GoQuote(text)));
}

absl::StatusOr<std::vector<std::string>> ParseList(std::string_view text) {
  std::vector<std::string> items;
  if (text.empty()) return items;
  std::string_view rest = text;
  while (true) {
    if (!rest.empty() && rest[0] == '"') {
      ASSIGN_OR_RETURN(std::string field, QuotedField(rest, text));
      items.push_back(std::move(field));
    } else {
      const std::string_view field = rest.substr(0, rest.find(','));
      if (field.find('"') != field.npos) return BadQuotes(text);
      items.emplace_back(field);
      rest.remove_prefix(field.size());
    }
    if (rest.empty()) return items;
    rest.remove_prefix(1);
  }
}

absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ParsePairs(
    std::string_view text, char separator, std::string_view value_type) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (absl::string_view item : absl::StrSplit(ToAbsl(text), ',', absl::SkipEmpty())) {
    const std::vector<absl::string_view> sides =
        absl::StrSplit(item, absl::MaxSplits(separator, 1));
    if (sides.size() != 2)
      return absl::InvalidArgumentError(
          StrCat("malformed pair, expect string", std::string(1, separator), value_type));
    pairs.emplace_back(Trimmed(sides[0]), Trimmed(sides[1]));
  }
  return pairs;
}

absl::StatusOr<std::vector<Taint>> ParseTaints(std::string_view text) {
  std::vector<Taint> taints;
  for (absl::string_view item : absl::StrSplit(ToAbsl(text), ',', absl::SkipEmpty())) {
    ASSIGN_OR_RETURN(Taint taint, ParseTaint(item));
    taints.push_back(std::move(taint));
  }
  return taints;
}

absl::StatusOr<std::vector<MemoryReservation>> ParseReservedMemory(std::string_view text) {
  std::vector<MemoryReservation> reservations;
  for (absl::string_view item : absl::StrSplit(ToAbsl(text), ';', absl::SkipEmpty())) {
    ASSIGN_OR_RETURN(MemoryReservation reservation, ParseReservation(item));
    reservations.push_back(std::move(reservation));
  }
  return reservations;
}

absl::StatusOr<std::vector<VModuleItem>> ParseVmodule(std::string_view text) {
  std::vector<VModuleItem> items;
  for (absl::string_view part : absl::StrSplit(ToAbsl(text), ',', absl::SkipEmpty())) {
    const std::vector<std::string> sides = absl::StrSplit(part, '=');
    if (sides.size() != 2 || sides[0].empty())
      return absl::InvalidArgumentError(
          StrCat(GoQuote(ToStd(part)), " doesn't have the pattern=N format"));
    ASSIGN_OR_RETURN(const int64_t verbosity,
                     ParseInt(sides[1], 0, std::numeric_limits<int32_t>::max()));
    VModuleItem item;
    item.set_filepattern(sides[0]);
    item.set_verbosity(static_cast<uint32_t>(verbosity));
    items.push_back(std::move(item));
  }
  return items;
}

}  // namespace cubelet::config
