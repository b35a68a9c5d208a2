#include "kubelet/serving_subject.h"

#include <algorithm>
#include <string>
#include <vector>

#include "certs/names.h"
#include "certs/signing_request.h"

namespace cubelet::kubelet {
namespace {

void SortOut(std::vector<std::string>& list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

}  // namespace

std::optional<certs::Subject> ServingSubject(const v1::Node& node) {
  certs::Subject subject = certs::NodeSubject(node.metadata().name());
  for (const v1::NodeAddress& address : node.status().addresses()) {
    const std::string& type = address.type();
    const bool name = type == "Hostname" || type == "InternalDNS" || type == "ExternalDNS";
    const bool ip = certs::IsIp(address.address());
    if (name && !ip) subject.dns_names.push_back(address.address());
    if (ip && (type == "InternalIP" || type == "ExternalIP" || type == "Hostname"))
      subject.ip_addresses.push_back(address.address());
  }
  if (subject.ip_addresses.empty()) return std::nullopt;
  SortOut(subject.dns_names);
  SortOut(subject.ip_addresses);
  return subject;
}

}  // namespace cubelet::kubelet
