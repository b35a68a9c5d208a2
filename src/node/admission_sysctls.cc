#include "node/admission_sysctls.h"

#include <algorithm>

#include "base/status.h"
#include "base/strings.h"
#include "os/machine.h"

namespace cubelet::node {
namespace {

struct SafeSysctl {
  const char* name;
  os::KernelRelease since;  // the kernel that keeps it per namespace
};

constexpr SafeSysctl kSafeSysctls[] = {
    {"kernel.shm_rmid_forced", {}},
    {"net.ipv4.ip_local_port_range", {}},
    {"net.ipv4.tcp_syncookies", {}},
    {"net.ipv4.ping_group_range", {}},
    {"net.ipv4.ip_unprivileged_port_start", {}},
    {"net.ipv4.ip_local_reserved_ports", {3, 16}},
    {"net.ipv4.tcp_keepalive_time", {4, 5}},
    {"net.ipv4.tcp_keepalive_intvl", {4, 5}},
    {"net.ipv4.tcp_keepalive_probes", {4, 5}},
    {"net.ipv4.tcp_fin_timeout", {4, 6}},
    {"net.ipv4.tcp_rmem", {4, 15}},
    {"net.ipv4.tcp_wmem", {4, 15}},
};

struct Namespaced {
  const char* name;
  bool is_prefix;
  SysctlNamespace in;
};

constexpr Namespaced kNamespaced[] = {
    {"kernel.sem", false, SysctlNamespace::kIpc}, {"kernel.shm", true, SysctlNamespace::kIpc},
    {"kernel.msg", true, SysctlNamespace::kIpc},  {"fs.mqueue.", true, SysctlNamespace::kIpc},
    {"net.", true, SysctlNamespace::kNet},
};

}  // namespace

const char* SysctlNamespaceName(SysctlNamespace name) {
  switch (name) {
    case SysctlNamespace::kIpc:
      return "IPC";
    case SysctlNamespace::kNet:
      return "Net";
    case SysctlNamespace::kNone:
      return "";
  }
  return "";
}

std::string NormalizeSysctl(std::string_view name) {
  std::string normal(name);
  const size_t first = normal.find_first_of("./");
  // Already with dots, or without parts.
  if (first == std::string::npos || normal[first] == '.') return normal;
  for (char& c : normal) {
    if (c == '/') {
      c = '.';
    } else if (c == '.') {
      c = '/';
    }
  }
  return normal;
}

SysctlNamespace NamespaceOfSysctl(std::string_view name) {
  const bool is_pattern = name.ends_with('*');
  const std::string_view stem = is_pattern ? name.substr(0, name.size() - 1) : name;
  for (const Namespaced& entry : kNamespaced) {
    if (entry.is_prefix ? stem.starts_with(entry.name) : !is_pattern && stem == entry.name)
      return entry.in;
  }
  return SysctlNamespace::kNone;
}

absl::StatusOr<SysctlAllowlist> SysctlAllowlist::Make(
    std::string_view kernel_release, const std::vector<std::string>& unsafe_patterns) {
  SysctlAllowlist allowlist;
  const os::KernelRelease kernel = os::ParseKernelRelease(kernel_release);
  for (const SafeSysctl& sysctl : kSafeSysctls) {
    if (kernel >= sysctl.since) allowlist.names_.insert(sysctl.name);
  }
  for (const std::string& pattern : unsafe_patterns) {
    std::string name = NormalizeSysctl(pattern);
    if (NamespaceOfSysctl(name) == SysctlNamespace::kNone)
      return absl::InvalidArgumentError(StrCat("allowedUnsafeSysctls: the sysctls ",
                                               GoQuote(pattern),
                                               " are not known to be namespaced"));
    if (name.ends_with('*')) {
      name.pop_back();
      allowlist.prefixes_.push_back(std::move(name));
    } else {
      allowlist.names_.insert(std::move(name));
    }
  }
  return allowlist;
}

std::string SysctlAllowlist::WhyForbidden(std::string_view name, bool host_network,
                                          bool host_ipc) const {
  const std::string normal = NormalizeSysctl(name);
  const bool by_prefix =
      std::any_of(prefixes_.begin(), prefixes_.end(),
                  [&normal](const std::string& prefix) { return normal.starts_with(prefix); });
  if (!names_.contains(normal) && !by_prefix)
    return StrCat("forbidden sysctl: ", GoQuote(normal), " not allowlisted");
  const SysctlNamespace in = NamespaceOfSysctl(normal);
  if ((in == SysctlNamespace::kIpc && host_ipc) || (in == SysctlNamespace::kNet && host_network))
    return StrCat("forbidden sysctl: ", GoQuote(normal), " not allowed with host ",
                  SysctlNamespaceName(in), " enabled");
  return "";
}

}  // namespace cubelet::node
