#include "api/quantity.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>

#include "absl/strings/numbers.h"
#include "base/strings.h"

namespace cubelet::api {
namespace {

constexpr __int128 kNano = 1'000'000'000;
// The largest whole number kept: 2^63-1.
constexpr __int128 kMaxNano = static_cast<__int128>(std::numeric_limits<int64_t>::max()) * kNano;

struct Suffix {
  std::string_view text;
  int power;  // of ten, or of two for binary suffixes
  Quantity::Format format;
};

constexpr std::array<Suffix, 16> kSuffixes = {{
    {"n", -9, Quantity::Format::kDecimalSi},
    {"u", -6, Quantity::Format::kDecimalSi},
    {"m", -3, Quantity::Format::kDecimalSi},
    {"", 0, Quantity::Format::kDecimalSi},
    {"k", 3, Quantity::Format::kDecimalSi},
    {"M", 6, Quantity::Format::kDecimalSi},
    {"G", 9, Quantity::Format::kDecimalSi},
    {"T", 12, Quantity::Format::kDecimalSi},
    {"P", 15, Quantity::Format::kDecimalSi},
    {"E", 18, Quantity::Format::kDecimalSi},
    {"Ki", 10, Quantity::Format::kBinarySi},
    {"Mi", 20, Quantity::Format::kBinarySi},
    {"Gi", 30, Quantity::Format::kBinarySi},
    {"Ti", 40, Quantity::Format::kBinarySi},
    {"Pi", 50, Quantity::Format::kBinarySi},
    {"Ei", 60, Quantity::Format::kBinarySi},
}};

absl::Status Malformed() {
  return absl::InvalidArgumentError(
      "quantities must match the regular expression "
      "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
}

std::optional<Suffix> FindSuffix(std::string_view text) {
  for (const Suffix& suffix : kSuffixes) {
    if (suffix.text == text) return suffix;
  }
  if (text.size() >= 2 && (text[0] == 'e' || text[0] == 'E')) {
    int power = 0;
    if (!absl::SimpleAtoi(ToAbsl(text.substr(1)), &power)) return std::nullopt;
    return Suffix{"", power, Quantity::Format::kDecimalExponent};
  }
  return std::nullopt;
}

// Takes the longest prefix of `text` made of `characters`.
std::string_view TakeWhile(std::string_view& text, std::string_view characters) {
  const std::string_view taken = text.substr(0, text.find_first_not_of(characters));
  text.remove_prefix(taken.size());
  return taken;
}

constexpr std::string_view kDigits = "0123456789";

bool HasSuffixForm(std::string_view text) {
  TakeWhile(text, "eEinumkKMGTP");
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  TakeWhile(text, kDigits);
  return text.empty();
}

// 10^power; power is at most 37.
__int128 Pow10(int power) {
  __int128 value = 1;
  for (; power > 0; --power) value *= 10;
  return value;
}

// value x 10^power, rounded up to a whole number (`lost` says that the value was a little more),
// and capped.
__int128 ScaleTen(__int128 value, int64_t power, bool lost) {
  if (value == 0) return lost ? 1 : 0;
  for (; power > 0; --power) {
    if (value > kMaxNano) return kMaxNano;
    value *= 10;
  }
  if (power < -37) return 1;
  const __int128 divisor = Pow10(static_cast<int>(-power));
  const bool inexact = lost || value % divisor != 0;
  return std::min(value / divisor + (inexact ? 1 : 0), kMaxNano);
}

// whole.fraction x 10^exponent in nano units.
__int128 DecimalNano(std::string_view whole, std::string_view fraction, int64_t exponent) {
  __int128 digits = 0;
  bool lost = false;
  exponent += static_cast<int64_t>(whole.size()) + 9;
  for (const std::string_view part : {whole, fraction}) {
    for (const char c : part) {
      // 36 digits are more than can matter; what follows only rounds up.
      if (digits >= Pow10(35)) {
        lost = lost || c != '0';
        continue;
      }
      digits = digits * 10 + (c - '0');
      --exponent;
    }
  }
  return ScaleTen(digits, exponent, lost);
}

// whole.fraction x 2^power in nano units; power is at most 60.
__int128 BinaryNano(std::string_view whole, std::string_view fraction, int power) {
  __int128 nano = DecimalNano(whole, "", 0);
  for (int i = 0; i < power && nano < kMaxNano; ++i) nano *= 2;
  // 18 digits times 2^60 fit.
  constexpr size_t kMost = 18;
  const std::string_view kept = fraction.substr(0, kMost);
  const bool lost =
      fraction.size() > kMost && fraction.find_first_not_of('0', kMost) != std::string_view::npos;
  __int128 part = 0;
  for (const char c : kept) part = part * 10 + (c - '0');
  part <<= power;
  return std::min(nano + ScaleTen(part, 9 - static_cast<int64_t>(kept.size()), lost), kMaxNano);
}

std::string Digits(__int128 value) {
  if (value == 0) return "0";
  std::string out;
  const bool negative = value < 0;
  for (; value != 0; value /= 10)
    out.insert(out.begin(), static_cast<char>('0' + (value % 10 < 0 ? -(value % 10) : value % 10)));
  return negative ? "-" + out : out;
}

__int128 DivideUp(__int128 value, __int128 by) {
  const __int128 quotient = value / by;
  if (value % by == 0) return quotient;
  return value > 0 ? quotient + 1 : quotient - 1;
}

int64_t Cap(__int128 value) {
  if (value > std::numeric_limits<int64_t>::max()) return std::numeric_limits<int64_t>::max();
  if (value < std::numeric_limits<int64_t>::min()) return std::numeric_limits<int64_t>::min();
  return static_cast<int64_t>(value);
}

}  // namespace

Quantity Quantity::FromInt(int64_t value, Format format) {
  Quantity quantity;
  quantity.nano_ = static_cast<__int128>(value) * kNano;
  quantity.format_ = format;
  return quantity;
}

Quantity Quantity::FromMilli(int64_t milli, Format format) {
  Quantity quantity;
  quantity.nano_ = static_cast<__int128>(milli) * 1'000'000;
  quantity.format_ = format;
  return quantity;
}

absl::StatusOr<Quantity> Quantity::Parse(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const std::string_view whole = TakeWhile(text, kDigits);
  std::string_view fraction;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = TakeWhile(text, kDigits);
  }
  if ((whole.empty() && fraction.empty()) || !HasSuffixForm(text)) return Malformed();
  const std::optional<Suffix> suffix = FindSuffix(text);
  if (!suffix) return absl::InvalidArgumentError("unable to parse quantity's suffix");
  Quantity quantity;
  quantity.format_ = suffix->format;
  quantity.nano_ = suffix->format == Format::kBinarySi
                       ? BinaryNano(whole, fraction, suffix->power)
                       : DecimalNano(whole, fraction, suffix->power);
  if (negative) quantity.nano_ = -quantity.nano_;
  return quantity;
}

Quantity Quantity::ParseOrZero(std::string_view text) {
  absl::StatusOr<Quantity> quantity = Parse(text);
  return quantity.ok() ? *quantity : Quantity();
}

int64_t Quantity::Value() const { return Cap(DivideUp(nano_, kNano)); }
int64_t Quantity::MilliValue() const { return Cap(DivideUp(nano_, 1'000'000)); }

Quantity& Quantity::operator+=(const Quantity& other) {
  if (nano_ == 0) format_ = other.format_;
  nano_ += other.nano_;
  return *this;
}

Quantity& Quantity::operator-=(const Quantity& other) {
  if (nano_ == 0) format_ = other.format_;
  nano_ -= other.nano_;
  return *this;
}

std::string Quantity::ToString() const {
  if (nano_ == 0) return "0";
  Format format = format_;
  // Binary suffixes cannot write fractions, and numbers below 1024 have none.
  const __int128 magnitude = nano_ < 0 ? -nano_ : nano_;
  if (format == Format::kBinarySi && (magnitude < 1024 * kNano || nano_ % kNano != 0))
    format = Format::kDecimalSi;
  if (format == Format::kBinarySi) {
    __int128 value = nano_ / kNano;
    size_t suffix = 0;
    static constexpr std::array<std::string_view, 7> kBinary = {"",   "Ki", "Mi", "Gi",
                                                                "Ti", "Pi", "Ei"};
    while (suffix + 1 < kBinary.size() && value % 1024 == 0) {
      value /= 1024;
      ++suffix;
    }
    return StrCat(Digits(value), kBinary[suffix]);
  }
  int power = -9;
  while (power < 18 && nano_ % Pow10(power + 9 + 3) == 0) power += 3;
  const __int128 value = nano_ / Pow10(power + 9);
  if (format == Format::kDecimalExponent)
    return power == 0 ? Digits(value) : StrCat(Digits(value), "e", power);
  for (const Suffix& suffix : kSuffixes) {
    if (suffix.format == Format::kDecimalSi && suffix.power == power)
      return StrCat(Digits(value), suffix.text);
  }
  return Digits(value);
}

}  // namespace cubelet::api
