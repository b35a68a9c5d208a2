// Which request of which kubelet stands behind a pod's log, exec, attach and portforward. Pure but
// for the store.
#pragma once

#include "absl/status/statusor.h"
#include "fakes/api_server/object_api.h"
#include "fakes/api_server/request.h"
#include "fakes/api_server/store.h"

namespace cubelet::fakes {

bool IsForKubelet(const Route& route);

// Errors: there is no such pod, it is on no node, or the node says no address.
absl::StatusOr<KubeletTarget> KubeletTargetOf(const ObjectStore& store, const Route& route,
                                              const ApiRequest& request);

}  // namespace cubelet::fakes
