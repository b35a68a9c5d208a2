// The asking side of `kubelet status`. Blocks; not for the loop.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace cubelet::server {

// The body of GET /cubelet/status from the kubelet that listens at `socket`. Each read and write
// waits for at most `timeout`. Errors: nobody listens there; the answer is none, or not 200 (its
// text is in the message).
absl::StatusOr<std::string> FetchStatus(const std::string& socket, absl::Duration timeout);

}  // namespace cubelet::server
