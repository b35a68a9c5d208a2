// Which sysctls pods may set (pod-lifecycle.md 4.5).
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace cubelet::node {

enum class SysctlNamespace { kNone, kIpc, kNet };

const char* SysctlNamespaceName(SysctlNamespace name);  // "IPC", "Net"

// The name with dots between its parts: "net/ipv4/conf/eth0.1/rp_filter" gives
// "net.ipv4.conf.eth0/1.rp_filter", as sysctl(8) does.
std::string NormalizeSysctl(std::string_view name);

// The namespace that keeps `name` (normalised; may end in "*") to the pod.
SysctlNamespace NamespaceOfSysctl(std::string_view name);

class SysctlAllowlist {
 public:
  // The built-in names that `kernel_release` ("5.10.0-23-amd64") keeps apart by namespace, and the
  // patterns of allowedUnsafeSysctls. Error: names the pattern that is not known to be namespaced.
  static absl::StatusOr<SysctlAllowlist> Make(std::string_view kernel_release,
                                              const std::vector<std::string>& unsafe_patterns);

  // "" when allowed, otherwise why not: `forbidden sysctl: "x" not allowlisted`, ...
  std::string WhyForbidden(std::string_view name, bool host_network, bool host_ipc) const;

 private:
  std::set<std::string> names_;
  std::vector<std::string> prefixes_;
};

}  // namespace cubelet::node
