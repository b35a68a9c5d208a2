#include "api/field_errors.h"

#include <algorithm>

#include "absl/strings/str_join.h"

namespace cubelet::api {
namespace {

constexpr size_t kMaxTold = 100;

}  // namespace

void FieldErrors::Add(const FieldPath& path, std::string_view what, std::string_view detail) {
  ++count_;
  if (messages_.size() >= kMaxTold) return;
  std::string message = StrCat(path.text(), ": ", what, detail.empty() ? "" : ": ", detail);
  if (std::find(messages_.begin(), messages_.end(), message) == messages_.end())
    messages_.push_back(std::move(message));
}

void FieldErrors::Required(const FieldPath& path, std::string_view detail) {
  Add(path, "Required value", detail);
}

void FieldErrors::Forbidden(const FieldPath& path, std::string_view detail) {
  Add(path, "Forbidden", detail);
}

void FieldErrors::Invalid(const FieldPath& path, const ShownValue& value, std::string_view detail) {
  Add(path, StrCat("Invalid value: ", value.text()), detail);
}

void FieldErrors::Duplicate(const FieldPath& path, const ShownValue& value) {
  Add(path, StrCat("Duplicate value: ", value.text()), "");
}

void FieldErrors::NotFound(const FieldPath& path, const ShownValue& value,
                           std::string_view detail) {
  Add(path, StrCat("Not found: ", value.text()), detail);
}

void FieldErrors::NotSupported(const FieldPath& path, std::string_view value,
                               const std::vector<std::string_view>& supported) {
  std::vector<std::string> quoted;
  for (const std::string_view one : supported) quoted.push_back(GoQuote(one));
  Add(path, StrCat("Unsupported value: ", GoQuote(value)),
      StrCat("supported values: ", absl::StrJoin(quoted, ", ")));
}

void FieldErrors::TooLong(const FieldPath& path, size_t most_bytes) {
  Add(path, "Too long", StrCat("may not be more than ", most_bytes, " bytes"));
}

void FieldErrors::TooMany(const FieldPath& path, int actual, int most) {
  Add(path, StrCat("Too many: ", actual), StrCat("must have at most ", most, " items"));
}

void FieldErrors::InvalidFor(const FieldPath& path, const ShownValue& value, const Faults& faults) {
  for (const std::string& fault : faults) Invalid(path, value, fault);
}

absl::Status FieldErrors::ToStatus() const {
  if (messages_.empty()) return absl::OkStatus();
  if (messages_.size() == 1) return absl::InvalidArgumentError(messages_.front());
  return absl::InvalidArgumentError(StrCat("[", absl::StrJoin(messages_, ", "), "]"));
}

}  // namespace cubelet::api
