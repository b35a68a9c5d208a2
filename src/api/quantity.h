// Kubernetes quantities ("250m", "1Gi", "12e3"): exact decimal arithmetic and one canonical form.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace cubelet::api {

// A number in nano units: finer values are rounded up (away from zero), and beyond 2^63-1 it is
// capped, as Kubernetes does for binary suffixes (its decimal numbers go further, which no
// resource needs). Held in 128 bits, so that sums do not overflow.
class Quantity {
 public:
  enum class Format { kDecimalSi, kBinarySi, kDecimalExponent };

  Quantity() = default;
  static Quantity FromInt(int64_t value, Format format = Format::kDecimalSi);
  static Quantity FromMilli(int64_t milli, Format format = Format::kDecimalSi);

  // Errors are worded as Kubernetes words them, without the text.
  static absl::StatusOr<Quantity> Parse(std::string_view text);

  // For what has been validated before: an unreadable text is zero.
  static Quantity ParseOrZero(std::string_view text);

  // Whole units and thousandths, rounded up (away from zero), capped to 64 bits.
  int64_t Value() const;
  int64_t MilliValue() const;

  bool IsZero() const { return nano_ == 0; }
  int Sign() const { return nano_ < 0 ? -1 : nano_ > 0 ? 1 : 0; }

  Quantity& operator+=(const Quantity& other);
  Quantity& operator-=(const Quantity& other);
  friend Quantity operator+(Quantity a, const Quantity& b) { return a += b; }
  friend Quantity operator-(Quantity a, const Quantity& b) { return a -= b; }
  std::strong_ordering operator<=>(const Quantity& other) const { return nano_ <=> other.nano_; }
  bool operator==(const Quantity& other) const { return nano_ == other.nano_; }

  // The canonical form: no fraction, the largest suffix that keeps it exact.
  std::string ToString() const;

 private:
  __int128 nano_ = 0;
  Format format_ = Format::kDecimalSi;
};

}  // namespace cubelet::api
