// Where cgroups stand below the cgroup root, and what their names say (constants.md 4.3). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "api/pod.h"

namespace cubelet::cgroups {

// "/", or an absolute path without a final slash. Error: a part that is empty, "." or "..".
absl::StatusOr<std::string> NormalizeRoot(std::string_view cgroup_root);

// "/kubepods" of the root "/".
std::string PodsPath(std::string_view root);

// The parent of the pods of a class: "/kubepods", "/kubepods/burstable", "/kubepods/besteffort".
std::string QosPath(std::string_view root, api::QosClass qos);

std::string PodPathOf(std::string_view root, std::string_view uid, api::QosClass qos);

// The uid in "pod<uid>"; none for any other name.
std::optional<std::string> UidOf(std::string_view name);

// A uid becomes a file name. Error: one that cannot.
absl::Status CheckUid(std::string_view uid);

}  // namespace cubelet::cgroups
