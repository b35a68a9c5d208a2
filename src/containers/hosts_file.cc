#include "containers/hosts_file.h"

#include "absl/strings/str_join.h"
#include "base/status.h"
#include "base/strings.h"
#include "containers/hostname.h"

namespace cubelet::containers {
namespace {

constexpr char kManagedHead[] =
    "# Kubernetes-managed hosts file.\n"
    "127.0.0.1\tlocalhost\n"
    "::1\tlocalhost ip6-localhost ip6-loopback\n"
    "fe00::0\tip6-localnet\n"
    "fe00::0\tip6-mcastprefix\n"
    "fe00::1\tip6-allnodes\n"
    "fe00::2\tip6-allrouters\n";
constexpr char kHostNetworkHead[] = "# Kubernetes-managed hosts file (host network).\n";

void AppendAliases(const v1::Pod& pod, std::string* out) {
  if (pod.spec().hostaliases().empty()) return;
  StrAppend(out, "\n# Entries added by HostAliases.\n");
  for (const v1::HostAlias& alias : pod.spec().hostaliases())
    StrAppend(out, alias.ip(), "\t", absl::StrJoin(alias.hostnames(), "\t"), "\n");
}

}  // namespace

absl::StatusOr<std::string> HostsFile(const v1::Pod& pod, const NodeContext& node,
                                      const std::vector<std::string>& pod_ips,
                                      std::string_view node_hosts) {
  std::string out;
  if (pod.spec().hostnetwork()) {
    out = StrCat(kHostNetworkHead, node_hosts);
  } else {
    ASSIGN_OR_RETURN(const PodHostname name, HostnameOf(pod, node.cluster_domain));
    const std::string names = name.domain.empty()
                                  ? name.hostname
                                  : StrCat(name.hostname, ".", name.domain, "\t", name.hostname);
    out = kManagedHead;
    for (const std::string& ip : pod_ips) StrAppend(&out, ip, "\t", names, "\n");
  }
  AppendAliases(pod, &out);
  return out;
}

}  // namespace cubelet::containers
