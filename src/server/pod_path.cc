#include "server/pod_path.h"

#include <vector>

#include "absl/strings/str_split.h"
#include "base/strings.h"
#include "server/endpoint.h"

namespace cubelet::server {
namespace {

// What follows the endpoint's name; nothing when one of it is empty.
std::vector<std::string> Parts(std::string_view path) {
  std::vector<std::string> parts = absl::StrSplit(ToAbsl(path.substr(1)), '/');
  parts.erase(parts.begin());
  for (const std::string& part : parts) {
    if (part.empty()) return {};
  }
  return parts;
}

}  // namespace

std::optional<PodPath> ParseContainerPath(std::string_view path, bool with_uid) {
  std::vector<std::string> parts = Parts(path);
  if (parts.size() == 3) return PodPath{parts[0], parts[1], "", parts[2]};
  if (parts.size() == 4 && with_uid) return PodPath{parts[0], parts[1], parts[2], parts[3]};
  return std::nullopt;
}

std::optional<PodPath> ParsePodPath(std::string_view path) {
  std::vector<std::string> parts = Parts(path);
  if (parts.size() == 2) return PodPath{parts[0], parts[1], "", ""};
  if (parts.size() == 3) return PodPath{parts[0], parts[1], parts[2], ""};
  return std::nullopt;
}

std::string FullName(const PodPath& path) { return StrCat(path.pod, "_", path.name_space); }

Response NoSuchPath() { return Text(404, "404: Page Not Found"); }

}  // namespace cubelet::server
