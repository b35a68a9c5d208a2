#include "api/yaml_scalars.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

#include "absl/strings/numbers.h"
#include "api/codec_special.h"
#include "api/json_text.h"
#include "base/strings.h"

namespace cubelet::api {
namespace {

namespace json = boost::json;

constexpr std::string_view kTagPrefix = "tag:yaml.org,2002:";

bool IsNull(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

// "yes" matches "yes", "Yes" and "YES".
bool MatchesWord(std::string_view text, std::string_view word) {
  if (text.size() != word.size()) return false;
  const auto upper = [](char c) { return static_cast<char>(c - 'a' + 'A'); };
  bool lower_tail = true, upper_tail = true;
  for (size_t i = 1; i < word.size(); ++i) {
    lower_tail = lower_tail && text[i] == word[i];
    upper_tail = upper_tail && text[i] == upper(word[i]);
  }
  if (text[0] == word[0]) return lower_tail;
  return text[0] == upper(word[0]) && (lower_tail || upper_tail);
}

std::optional<bool> ParseBool(std::string_view text) {
  for (const std::string_view word : {"y", "yes", "true", "on"}) {
    if (MatchesWord(text, word)) return true;
  }
  for (const std::string_view word : {"n", "no", "false", "off"}) {
    if (MatchesWord(text, word)) return false;
  }
  return std::nullopt;
}

int BaseOf(std::string_view& digits) {
  if (digits.size() < 2 || digits[0] != '0') return 10;
  const char mark = static_cast<char>(digits[1] | 0x20);
  if (mark == 'x' || mark == 'o' || mark == 'b') {
    digits.remove_prefix(2);
    return mark == 'x' ? 16 : mark == 'o' ? 8 : 2;
  }
  digits.remove_prefix(1);
  return 8;
}

// An integer with Go's prefixes: 0x, 0o, 0b, and a leading 0 for octal.
std::optional<json::value> ParseInteger(std::string_view text) {
  const bool negative = text.starts_with('-');
  std::string_view digits = text;
  if (negative || text.starts_with('+')) digits.remove_prefix(1);
  const int base = BaseOf(digits);
  uint64_t magnitude = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), magnitude, base);
  if (digits.empty() || end != digits.data() + digits.size()) return std::nullopt;
  if (error != std::errc()) return std::nullopt;
  constexpr uint64_t kMaxInt = std::numeric_limits<int64_t>::max();
  if (negative) {
    if (magnitude > kMaxInt + 1) return std::nullopt;
    return json::value(static_cast<int64_t>(0 - magnitude));
  }
  if (magnitude > kMaxInt) return json::value(magnitude);
  return json::value(static_cast<int64_t>(magnitude));
}

// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
bool LooksLikeFloat(std::string_view text) {
  size_t i = 0;
  const auto digits = [&] {
    const size_t start = i;
    while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i;
    return i > start;
  };
  const auto sign = [&] {
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
  };
  sign();
  const bool whole = digits();
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (!digits() && !whole) return false;
  } else if (!whole) {
    return false;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    sign();
    if (!digits()) return false;
  }
  return i == text.size();
}

std::optional<json::value> ParseNumber(std::string_view text) {
  const char first = text.empty() ? '\0' : text[0];
  const bool digit_or_sign = (first >= '0' && first <= '9') || first == '-' || first == '+';
  if (!digit_or_sign && first != '.') return std::nullopt;
  std::string plain(text);
  if (digit_or_sign) std::erase(plain, '_');
  if (digit_or_sign) {
    if (std::optional<json::value> integer = ParseInteger(plain)) return integer;
  }
  double number = 0;
  if (LooksLikeFloat(plain) && absl::SimpleAtod(plain, &number) && std::isfinite(number))
    return json::value(number);
  return std::nullopt;
}

absl::Status DoesNotFit(std::string_view text, std::string_view tag) {
  return absl::InvalidArgumentError(StrCat("cannot read ", GoQuote(text), " as !!", tag));
}

}  // namespace

bool IsUtf8(std::string_view text) { return CleanUtf8(text) == text; }

json::value ResolvePlain(std::string_view text) {
  if (IsNull(text)) return nullptr;
  if (const std::optional<bool> boolean = ParseBool(text)) return *boolean;
  if (std::optional<json::value> number = ParseNumber(text)) return *std::move(number);
  return json::string(text.data(), text.size());
}

absl::StatusOr<json::value> ResolveTagged(std::string_view tag, std::string_view text) {
  if (!tag.starts_with(kTagPrefix))
    return absl::InvalidArgumentError(StrCat("tag ", GoQuote(tag), " is not known"));
  const std::string_view name = tag.substr(kTagPrefix.size());
  if (name == "str" || name == "timestamp")
    return json::value(json::string(text.data(), text.size()));
  if (name == "binary") {
    std::string bytes;
    if (!DecodeBase64(text, bytes) || !IsUtf8(bytes)) return DoesNotFit(text, name);
    return json::value(json::string(bytes));
  }
  json::value value = ResolvePlain(text);
  if (name == "float" && value.is_int64()) return json::value(value.to_number<double>());
  const bool fits = (name == "null" && value.is_null()) || (name == "bool" && value.is_bool()) ||
                    (name == "int" && (value.is_int64() || value.is_uint64())) ||
                    (name == "float" && value.is_double());
  if (!fits) return DoesNotFit(text, name);
  return value;
}

absl::StatusOr<std::string> KeyText(const json::value& key) {
  if (key.is_string()) return std::string(key.get_string().data(), key.get_string().size());
  if (key.is_bool()) return std::string(key.get_bool() ? "true" : "false");
  if (key.is_number()) return NumberText(key);
  return absl::InvalidArgumentError("a key is null");
}

}  // namespace cubelet::api
