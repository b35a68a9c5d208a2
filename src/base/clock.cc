#include "base/clock.h"

#include <time.h>

#include <cctype>
#include <cmath>
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
double UnitNanoseconds(std::string_view unit) {
  if (unit == "ns") return 1;
  if (unit == "us" || unit == "µs" || unit == "μs") return 1e3;
  if (unit == "ms") return 1e6;
  if (unit == "s") return 1e9;
  if (unit == "m") return 60e9;
  if (unit == "h") return 3600e9;
  return 0;
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
  bool negative = false;
  if (!rest.empty() && (rest[0] == '-' || rest[0] == '+')) {
    negative = rest[0] == '-';
    rest.remove_prefix(1);
  }
  if (rest == "0") {
    duration = absl::ZeroDuration();
    return absl::OkStatus();
  }
  if (rest.empty()) return BadDuration("invalid duration", text);
  double total = 0;
  while (!rest.empty()) {
    double number = 0, scale = 1;
    size_t i = 0;
    bool digits = false, point = false;
    for (; i < rest.size() && (std::isdigit(static_cast<unsigned char>(rest[i])) || rest[i] == '.');
         ++i) {
      if (rest[i] == '.') {
        if (point) return BadDuration("invalid duration", text);
        point = true;
        continue;
      }
      digits = true;
      if (point) scale /= 10;
      number = point ? number + (rest[i] - '0') * scale : number * 10 + (rest[i] - '0');
    }
    if (!digits) return BadDuration("invalid duration", text);
    rest.remove_prefix(i);
    size_t unit_length = 0;
    while (unit_length < rest.size() && rest[unit_length] != '.' &&
           !std::isdigit(static_cast<unsigned char>(rest[unit_length])))
      ++unit_length;
    if (unit_length == 0) return BadDuration("missing unit in duration", text);
    const double unit = UnitNanoseconds(rest.substr(0, unit_length));
    if (unit == 0)
      return BadDuration(
          StrCat("unknown unit ", GoQuote(rest.substr(0, unit_length)), " in duration"), text);
    total += number * unit;
    rest.remove_prefix(unit_length);
  }
  if (total > 9.2e18) return BadDuration("invalid duration", text);
  duration = absl::Nanoseconds(static_cast<int64_t>(std::llround(negative ? -total : total)));
  return absl::OkStatus();
}

std::string FormatTime(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

std::string FormatTimeNano(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E9SZ", time, absl::UTCTimeZone());
}

}  // namespace cubelet
