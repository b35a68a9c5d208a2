// What a pod is called inside (containers.md 1.2). Pure.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "api/types.h"

namespace cubelet::containers {

struct PodHostname {
  std::string hostname;  // at most 63 bytes
  std::string domain;    // "<subdomain>.<namespace>.svc.<cluster domain>" or ""
};

// Errors: names that DNS does not allow, in Kubernetes' words.
absl::StatusOr<PodHostname> HostnameOf(const v1::Pod& pod, std::string_view cluster_domain);

// The name the kernel is given: with the domain when setHostnameAsFQDN asks for it. Error: longer
// than the 64 bytes the kernel takes.
absl::StatusOr<std::string> KernelHostname(const v1::Pod& pod, const PodHostname& name);

}  // namespace cubelet::containers
