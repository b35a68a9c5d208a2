#include "api/quantity.h"

#include <array>
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

constexpr std::array<Suffix, 17> kSuffixes = {{
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
    {"\xc2\xb5", -6, Quantity::Format::kDecimalSi},
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

// value x 10^power, rounded up to a whole number, capped.
__int128 ScaleTen(__int128 value, int power) {
  for (; power > 0 && value != 0; --power) {
    if (value > kMaxNano) return kMaxNano;
    value *= 10;
  }
  for (; power < 0 && value != 0; ++power) value = value / 10 + (value % 10 != 0);
  return value;
}

__int128 Pow10(int power) { return ScaleTen(1, power); }

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
  std::string_view rest = text;
  if (rest.empty()) return absl::InvalidArgumentError("quantity is empty");
  bool negative = false;
  if (rest[0] == '-' || rest[0] == '+') {
    negative = rest[0] == '-';
    rest.remove_prefix(1);
  }
  __int128 digits = 0;
  int fraction = 0;
  bool any = false, point = false, lost = false;
  size_t i = 0;
  for (; i < rest.size() && ((rest[i] >= '0' && rest[i] <= '9') || rest[i] == '.'); ++i) {
    if (rest[i] == '.') {
      if (point) return Malformed();
      point = true;
      continue;
    }
    any = true;
    // Digits that cannot matter any more only round up.
    if (digits > kMaxNano) {
      lost = lost || rest[i] != '0';
      if (!point) digits = kMaxNano + 1;
      continue;
    }
    digits = digits * 10 + (rest[i] - '0');
    fraction += point;
  }
  if (!any) return Malformed();
  const std::optional<Suffix> suffix = FindSuffix(rest.substr(i));
  if (!suffix) return absl::InvalidArgumentError("unable to parse quantity's suffix");
  Quantity quantity;
  quantity.format_ = suffix->format;
  if (suffix->format == Format::kBinarySi) {
    for (int power = suffix->power; power > 0 && digits != 0 && digits <= kMaxNano; --power)
      digits *= 2;
    digits = ScaleTen(digits, 9 - fraction);
  } else {
    digits = ScaleTen(digits, suffix->power + 9 - fraction);
  }
  if (lost && digits < kMaxNano) digits += 1;
  if (digits > kMaxNano) digits = kMaxNano;
  quantity.nano_ = negative ? -digits : digits;
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
