#include "base/clock.h"

#include <time.h>

#include <cstdint>

#include "base/strings.h"

namespace cubelet {
namespace {

absl::Duration ReadClock(clockid_t id) {
  timespec now{};
  ::clock_gettime(id, &now);
  return absl::DurationFromTimespec(now);
}

// Digits of `value` / 10^digits without trailing zeros: (1500, 3) is "1.5".
std::string Decimal(uint64_t value, int digits) {
  uint64_t unit = 1;
  for (int i = 0; i < digits; ++i) unit *= 10;
  std::string out = StrCat(value / unit);
  std::string fraction = StrCat(value % unit);
  fraction.insert(0, static_cast<size_t>(digits) - fraction.size() * (digits > 0), '0');
  if (digits == 0) return out;
  while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
  return fraction.empty() ? out : StrCat(out, ".", fraction);
}

absl::Status BadDuration(std::string_view what, std::string_view text) {
  return absl::InvalidArgumentError(StrCat("time: ", what, " ", GoQuote(text)));
}

// Nanoseconds of a unit, 0 if unknown.
uint64_t UnitNanoseconds(std::string_view unit) {
  if (unit == "ns") return 1;
  if (unit == "us" || unit == "µs" || unit == "μs") return 1'000;
  if (unit == "ms") return 1'000'000;
  if (unit == "s") return 1'000'000'000;
  if (unit == "m") return 60'000'000'000;
  if (unit == "h") return 3'600'000'000'000;
  return 0;
}

// The magnitude of the shortest duration there is, one more than that of the longest.
constexpr uint64_t kMaxMagnitude = uint64_t{1} << 63;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// A number of a duration. Digits of the fraction that cannot count are left out.
struct Number {
  uint64_t whole = 0;
  uint64_t fraction = 0;
  double fraction_unit = 1;  // one of `fraction` is 1 / fraction_unit
};

// Takes the number at the start of `rest`. False: there is none, or it is too large.
bool TakeNumber(std::string_view& rest, Number& number) {
  size_t digits = 0;
  for (; !rest.empty() && IsDigit(rest[0]); rest.remove_prefix(1), ++digits) {
    if (number.whole > kMaxMagnitude / 10) return false;
    number.whole = number.whole * 10 + static_cast<uint64_t>(rest[0] - '0');
    if (number.whole > kMaxMagnitude) return false;
  }
  if (!rest.starts_with('.')) return digits > 0;
  rest.remove_prefix(1);
  for (; !rest.empty() && IsDigit(rest[0]); rest.remove_prefix(1), ++digits) {
    if (number.fraction > kMaxMagnitude / 100) continue;
    number.fraction = number.fraction * 10 + static_cast<uint64_t>(rest[0] - '0');
    number.fraction_unit *= 10;
  }
  return digits > 0;
}

// Adds `number` of a unit. False: the sum is too large.
bool Add(const Number& number, uint64_t unit, uint64_t& total) {
  if (number.whole > kMaxMagnitude / unit) return false;
  const double part =
      static_cast<double>(number.fraction) * (static_cast<double>(unit) / number.fraction_unit);
  total += number.whole * unit;
  if (total > kMaxMagnitude) return false;
  total += static_cast<uint64_t>(part);
  return total <= kMaxMagnitude;
}

}  // namespace

absl::Time SystemClock::Now() const { return absl::UnixEpoch() + ReadClock(CLOCK_REALTIME); }

absl::Duration SystemClock::Monotonic() const { return ReadClock(CLOCK_MONOTONIC); }

std::string FormatGoDuration(absl::Duration duration) {
  int64_t nanoseconds = absl::ToInt64Nanoseconds(duration);
  if (nanoseconds == 0) return "0s";
  const std::string sign = nanoseconds < 0 ? "-" : "";
  uint64_t left =
      nanoseconds < 0 ? -static_cast<uint64_t>(nanoseconds) : static_cast<uint64_t>(nanoseconds);
  if (left < 1000) return StrCat(sign, left, "ns");
  if (left < 1000000) return StrCat(sign, Decimal(left, 3), "µs");
  if (left < 1000000000) return StrCat(sign, Decimal(left, 6), "ms");
  const uint64_t minutes = left / 60000000000u;
  std::string out = sign;
  if (minutes >= 60) StrAppend(&out, minutes / 60, "h");
  if (minutes > 0) StrAppend(&out, minutes % 60, "m");
  return StrCat(out, Decimal(left % 60000000000u, 9), "s");
}

absl::Status ParseGoDuration(std::string_view text, absl::Duration& duration) {
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  if (rest == "0") {
    duration = absl::ZeroDuration();
    return absl::OkStatus();
  }
  if (rest.empty()) return BadDuration("invalid duration", text);
  uint64_t total = 0;
  while (!rest.empty()) {
    Number number;
    if (!TakeNumber(rest, number)) return BadDuration("invalid duration", text);
    size_t length = 0;
    while (length < rest.size() && rest[length] != '.' && !IsDigit(rest[length])) ++length;
    if (length == 0) return BadDuration("missing unit in duration", text);
    const std::string_view name = rest.substr(0, length);
    const uint64_t unit = UnitNanoseconds(name);
    if (unit == 0) return BadDuration(StrCat("unknown unit ", GoQuote(name), " in duration"), text);
    if (!Add(number, unit, total)) return BadDuration("invalid duration", text);
    rest.remove_prefix(length);
  }
  if (total == kMaxMagnitude && !negative) return BadDuration("invalid duration", text);
  duration = absl::Nanoseconds(static_cast<int64_t>(negative ? 0 - total : total));
  return absl::OkStatus();
}

std::string FormatTime(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

std::string FormatTimeNano(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E9SZ", time, absl::UTCTimeZone());
}

}  // namespace cubelet
