#include "base/status.h"

#include <cstring>

#include "absl/strings/str_cat.h"

namespace cubelet {

absl::Status Annotate(const absl::Status& status, std::string_view context) {
  if (status.ok()) return status;
  absl::Status annotated(status.code(), absl::StrCat(context, ": ", status.message()));
  status.ForEachPayload([&](std::string_view type, const absl::Cord& payload) {
    annotated.SetPayload(type, payload);
  });
  return annotated;
}

absl::Status ErrnoError(std::string_view context, int error) {
  return absl::ErrnoToStatus(error, context);
}

absl::Status FirstError(const absl::Status& first, const absl::Status& second) {
  return first.ok() ? second : first;
}

}  // namespace cubelet
