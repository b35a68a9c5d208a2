#include "status/addresses.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <optional>

namespace cubelet::status {
namespace {

enum class Family { kIpv4, kIpv6 };

std::optional<Family> FamilyOf(const std::string& text) {
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(text, error);
  if (error) return std::nullopt;
  return address.is_v6() ? Family::kIpv6 : Family::kIpv4;
}

std::vector<std::string> OldIps(const v1::PodStatus& old) {
  std::vector<std::string> ips;
  for (const v1::PodIP& ip : old.podips()) ips.push_back(ip.ip());
  if (ips.empty() && !old.podip().empty()) ips.push_back(old.podip());
  return ips;
}

std::vector<std::string> SandboxIps(const StatusInput& input, const v1::PodStatus& old) {
  if (input.runtime == nullptr || input.runtime->sandboxes.empty()) return OldIps(old);
  const auto& sandboxes = input.runtime->sandboxes;
  if (sandboxes.front().ready) return sandboxes.front().ips;
  const bool any_ready =
      std::any_of(sandboxes.begin(), sandboxes.end(),
                  [](const pleg::SandboxRecord& sandbox) { return sandbox.ready; });
  return any_ready ? std::vector<std::string>() : OldIps(old);
}

void AddHostNetworkIps(const std::vector<std::string>& host_ips, std::vector<std::string>& ips) {
  if (host_ips.empty()) return;
  if (ips.empty()) ips.push_back(host_ips.front());
  if (ips.size() == 1 && host_ips.size() == 2 && FamilyOf(ips.front()) != FamilyOf(host_ips.back()))
    ips.push_back(host_ips.back());
}

}  // namespace

std::vector<std::string> OnePerFamily(const std::vector<std::string>& ips, bool primary_ipv6) {
  std::vector<std::string> chosen;
  const Family first = primary_ipv6 ? Family::kIpv6 : Family::kIpv4;
  const Family second = primary_ipv6 ? Family::kIpv4 : Family::kIpv6;
  for (Family family : {first, second}) {
    const auto ip = std::find_if(ips.begin(), ips.end(), [family](const std::string& text) {
      return FamilyOf(text) == family;
    });
    if (ip != ips.end()) chosen.push_back(*ip);
  }
  return chosen;
}

void SetAddresses(const StatusInput& input, const v1::PodStatus& old, v1::PodStatus& status) {
  for (const std::string& ip : input.host_ips) {
    if (status.hostips_size() < 2) status.add_hostips()->set_ip(ip);
  }
  if (!input.host_ips.empty()) status.set_hostip(input.host_ips.front());
  std::vector<std::string> ips = OnePerFamily(SandboxIps(input, old), input.primary_ipv6);
  if (input.pod->spec().hostnetwork()) AddHostNetworkIps(input.host_ips, ips);
  for (const std::string& ip : ips) status.add_podips()->set_ip(ip);
  if (!ips.empty()) status.set_podip(ips.front());
}

}  // namespace cubelet::status
