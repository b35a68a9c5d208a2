// What the server says of itself: /version, /api, /apis, the lists of resources in both forms
// (one document for each group, or all in one), and as much of OpenAPI as kubectl needs to send
// objects without checking them itself.
#pragma once

#include <optional>
#include <string>

#include "fakes/api_server/request.h"

namespace cubelet::fakes {

// Nothing when the path is not about discovery.
std::optional<ApiAnswer> Discover(const ApiRequest& request);

}  // namespace cubelet::fakes
