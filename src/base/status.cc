#include "base/status.h"

#include <cstring>

#include "base/strings.h"

namespace cubelet {

absl::Status Annotate(const absl::Status& status, std::string_view context) {
  if (status.ok()) return status;
  absl::Status annotated(status.code(), StrCat(context, ": ", Message(status)));
  status.ForEachPayload([&](absl::string_view type, const absl::Cord& payload) {
    annotated.SetPayload(type, payload);
  });
  return annotated;
}

absl::Status ErrnoError(std::string_view context, int error) {
  return absl::ErrnoToStatus(error, ToAbsl(context));
}

absl::Status FirstError(const absl::Status& first, const absl::Status& second) {
  return first.ok() ? second : first;
}

}  // namespace cubelet
