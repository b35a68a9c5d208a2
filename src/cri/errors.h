// The runtime's errors in the words other programs know.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace cubelet::cri {

// "rpc error: code = NotFound desc = <message>", as an error of the runtime stands in events and
// statuses.
std::string RpcErrorText(const absl::Status& status);

// gRPC's word for the code: "NotFound", "DeadlineExceeded", "Unknown", ...
const char* RpcCodeName(absl::StatusCode code);

}  // namespace cubelet::cri
