// Faults of an object's fields, worded as the API server words them.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "api/names.h"
#include "base/strings.h"

namespace cubelet::api {

// "spec.containers[0].resources.limits[cpu]"
class FieldPath {
 public:
  explicit FieldPath(std::string_view name) : text_(name) {}

  FieldPath Child(std::string_view name) const { return FieldPath(StrCat(text_, ".", name)); }
  FieldPath Index(size_t index) const { return FieldPath(StrCat(text_, "[", index, "]")); }
  FieldPath Key(std::string_view key) const { return FieldPath(StrCat(text_, "[", key, "]")); }

  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// A value as a fault shows it: text in quotes, numbers and booleans plain.
class ShownValue {
 public:
  ShownValue(std::string_view text) : text_(GoQuote(text)) {}
  ShownValue(const std::string& text) : ShownValue(std::string_view(text)) {}
  ShownValue(const char* text) : ShownValue(std::string_view(text)) {}
  ShownValue(bool value) : text_(value ? "true" : "false") {}
  template <std::integral T>
  ShownValue(T value) : text_(StrCat(value)) {}

  // Shown as it is.
  static ShownValue Plain(std::string_view text) {
    ShownValue value(false);
    value.text_ = text;
    return value;
  }

  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

class FieldErrors {
 public:
  void Required(const FieldPath& path, std::string_view detail = "");
  void Forbidden(const FieldPath& path, std::string_view detail);
  void Invalid(const FieldPath& path, const ShownValue& value, std::string_view detail);
  void Duplicate(const FieldPath& path, const ShownValue& value);
  void NotFound(const FieldPath& path, const ShownValue& value, std::string_view detail = "");
  void NotSupported(const FieldPath& path, std::string_view value,
                    const std::vector<std::string_view>& supported);
  void TooLong(const FieldPath& path, size_t most_bytes);
  void TooMany(const FieldPath& path, int actual, int most);

  // One Invalid for each fault of `value`.
  void InvalidFor(const FieldPath& path, const ShownValue& value, const Faults& faults);

  // How many were found; grows with each.
  size_t count() const { return count_; }

  // OK, or INVALID_ARGUMENT: one alone as it is, several as "[a, b]", equal ones once. Only the
  // first hundred are told.
  absl::Status ToStatus() const;

 private:
  void Add(const FieldPath& path, std::string_view what, std::string_view detail);

  size_t count_ = 0;
  std::vector<std::string> messages_;
};

}  // namespace cubelet::api
