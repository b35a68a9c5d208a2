// What a failed pull is called in events and in the pod's status (containers.md 5.2.2). Pure.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace cubelet::images {

// The waiting reasons of containers whose image is not there.
inline constexpr char kErrImagePull[] = "ErrImagePull";
inline constexpr char kImagePullBackOff[] = "ImagePullBackOff";
inline constexpr char kErrImageNeverPull[] = "ErrImageNeverPull";
inline constexpr char kInvalidImageName[] = "InvalidImageName";
inline constexpr char kImageInspectError[] = "ImageInspectError";
inline constexpr char kRegistryUnavailable[] = "RegistryUnavailable";
inline constexpr char kSignatureValidationFailed[] = "SignatureValidationFailed";

// The runtime's error as text. A code that says nothing (UNKNOWN) is left out, which is how a
// runtime hands over a reason of its own at the beginning of its message.
std::string PullErrorText(const absl::Status& status);

struct PullFailure {
  std::string reason;
  std::string message;
};

// `error` is PullErrorText; `image` as written in the spec.
PullFailure ClassifyPullError(std::string_view image, std::string_view error);

}  // namespace cubelet::images
