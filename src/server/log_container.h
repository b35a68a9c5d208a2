// Whose log is shown for a container (node.md 17.11). Pure.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "api/types.h"

namespace cubelet::server {

// Whether the pod's spec has a container of that name, of any kind.
bool HasContainer(const v1::Pod& pod, std::string_view container);

// The id ("containerd://...") of the instance whose log answers for the container: the one that
// runs or has ended last, so that one that waits to be started again shows its last run; with
// `previous` the one before. Error: there is none, in Kubernetes' words.
absl::StatusOr<std::string> ChooseLogContainer(const v1::PodStatus& status, std::string_view pod,
                                               std::string_view container, bool previous);

}  // namespace cubelet::server
