// The paths of endpoints about a pod or a container: "/exec/default/web/main",
// "/exec/default/web/<uid>/main", "/portForward/default/web". Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/request.h"

namespace cubelet::server {

struct PodPath {
  std::string name_space;
  std::string pod;
  std::string uid;        // "" when the path has none
  std::string container;  // "" for a path about a pod
};

// Nothing when the path has another number of parts, or an empty one.
std::optional<PodPath> ParseContainerPath(std::string_view path, bool with_uid);
std::optional<PodPath> ParsePodPath(std::string_view path);

// "<name>_<namespace>", as messages call a pod.
std::string FullName(const PodPath& path);

// What is answered to a path that has the wrong form: 404.
Response NoSuchPath();

}  // namespace cubelet::server
