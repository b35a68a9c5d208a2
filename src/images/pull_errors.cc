#include "images/pull_errors.h"

#include "base/strings.h"
#include "cri/errors.h"

namespace cubelet::images {

std::string PullErrorText(const absl::Status& status) {
  if (status.code() == absl::StatusCode::kUnknown) return std::string(Message(status));
  return cri::RpcErrorText(status);
}

PullFailure ClassifyPullError(std::string_view image, std::string_view error) {
  struct Known {
    std::string_view reason;
    std::string_view cause;
  };
  static constexpr Known kKnown[] = {
      {kRegistryUnavailable, "the registry is unavailable"},
      {kSignatureValidationFailed, "the signature validation failed"},
  };
  for (const auto& [reason, cause] : kKnown) {
    if (!error.starts_with(reason)) continue;
    return {std::string(reason), StrCat("image pull failed for ", image, " because ", cause,
                                        error.substr(reason.size()))};
  }
  return {kErrImagePull, std::string(error)};
}

}  // namespace cubelet::images
