#include "cgroups/names.h"

#include <vector>

#include "absl/strings/str_split.h"
#include "base/strings.h"
#include "os/files.h"

namespace cubelet::cgroups {
namespace {

constexpr char kPods[] = "kubepods";
constexpr char kBurstable[] = "burstable";
constexpr char kBestEffort[] = "besteffort";
constexpr std::string_view kPodPrefix = "pod";

// NAME_MAX without the prefix.
constexpr size_t kMaxUidBytes = 252;

}  // namespace

absl::StatusOr<std::string> NormalizeRoot(std::string_view cgroup_root) {
  std::string root;
  for (absl::string_view part : absl::StrSplit(ToAbsl(cgroup_root), '/', absl::SkipEmpty())) {
    if (part == "." || part == "..")
      return absl::InvalidArgumentError(
          StrCat("cgroupRoot: ", GoQuote(cgroup_root), " must not hold . or .. as a part"));
    StrAppend(&root, "/", part);
  }
  return root.empty() ? "/" : root;
}

std::string PodsPath(std::string_view root) { return os::JoinPath(root, kPods); }

std::string QosPath(std::string_view root, api::QosClass qos) {
  const std::string pods = PodsPath(root);
  switch (qos) {
    case api::QosClass::kGuaranteed:
      return pods;
    case api::QosClass::kBurstable:
      return os::JoinPath(pods, kBurstable);
    case api::QosClass::kBestEffort:
      return os::JoinPath(pods, kBestEffort);
  }
  return pods;
}

std::string PodPathOf(std::string_view root, std::string_view uid, api::QosClass qos) {
  return StrCat(QosPath(root, qos), "/", kPodPrefix, uid);
}

std::optional<std::string> UidOf(std::string_view name) {
  if (!name.starts_with(kPodPrefix) || name.size() == kPodPrefix.size()) return std::nullopt;
  return std::string(name.substr(kPodPrefix.size()));
}

absl::Status CheckUid(std::string_view uid) {
  const bool usable = !uid.empty() && uid.size() <= kMaxUidBytes &&
                      uid.find('/') == std::string_view::npos &&
                      uid.find('\0') == std::string_view::npos;
  if (usable) return absl::OkStatus();
  return absl::InvalidArgumentError(
      StrCat("pod uid ", GoQuote(uid.substr(0, kMaxUidBytes)), " cannot be part of a file name"));
}

}  // namespace cubelet::cgroups
