#include "node/addresses.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>
#include <limits>
#include <memory>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/status.h"
#include "base/strings.h"
#include "os/files.h"

namespace cubelet::node {
namespace {

using boost::asio::ip::address;

std::optional<address> Parse(std::string_view text) {
  boost::system::error_code error;
  const address ip = boost::asio::ip::make_address(std::string(text), error);
  if (error) return std::nullopt;
  return ip;
}

bool IsLinkLocal(const address& ip) {
  if (ip.is_v6()) return ip.to_v6().is_link_local();
  return (ip.to_v4().to_uint() >> 16) == 0xA9FE;
}

std::string SockaddrText(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes = nullptr;
  if (address->sa_family == AF_INET) {
    bytes = &reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
  } else if (address->sa_family == AF_INET6) {
    bytes = &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  } else {
    return "";
  }
  const char* result = inet_ntop(address->sa_family, bytes, text.data(), text.size());
  return result == nullptr ? "" : result;
}

std::vector<std::string> Resolve(const std::string& name) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(name.c_str(), nullptr, &hints, &found) != 0) return {};
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  std::vector<std::string> ips;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next)
    ips.push_back(SockaddrText(entry->ai_addr));
  return ips;
}

std::string FirstOfFamily(const AddressInput& input, const std::string& interface, bool ipv6) {
  for (const InterfaceAddress& entry : input.addresses) {
    const std::optional<address> ip = Parse(entry.ip);
    if (entry.interface == interface && ip && ip->is_v6() == ipv6 && !IsLinkLocal(*ip))
      return entry.ip;
  }
  return "";
}

}  // namespace

absl::StatusOr<std::vector<InterfaceAddress>> ListInterfaceAddresses() {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return ErrnoError("list network interfaces");
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, &freeifaddrs);
  std::vector<InterfaceAddress> addresses;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || (entry->ifa_flags & IFF_UP) == 0) continue;
    std::string ip = SockaddrText(entry->ifa_addr);
    if (!ip.empty()) addresses.push_back({entry->ifa_name, std::move(ip)});
  }
  return addresses;
}

std::string DefaultRouteInterface(std::string_view text, bool ipv6) {
  std::string best;
  uint64_t best_metric = std::numeric_limits<uint64_t>::max();
  for (absl::string_view line : absl::StrSplit(ToAbsl(text), '\n')) {
    const std::vector<std::string> fields =
        absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    const size_t wanted = ipv6 ? 10 : 8;
    if (fields.size() < wanted) continue;
    const std::string interface = ipv6 ? fields[9] : fields[0];
    const bool is_default =
        ipv6 ? fields[0] == std::string(32, '0') && fields[1] == "00" && interface != "lo"
             : fields[1] == "00000000" && fields[7] == "00000000";
    uint64_t metric = 0;
    if (!is_default ||
        !(ipv6 ? absl::SimpleHexAtoi(fields[5], &metric) : absl::SimpleAtoi(fields[6], &metric)))
      continue;
    if (metric < best_metric) {
      best = interface;
      best_metric = metric;
    }
  }
  return best;
}

absl::StatusOr<NodeIpFlag> ParseNodeIp(std::string_view text) {
  NodeIpFlag flag;
  if (text.empty()) return flag;
  for (absl::string_view part : absl::StrSplit(ToAbsl(text), ',')) {
    const std::string ip(absl::StripAsciiWhitespace(part));
    const std::optional<address> parsed = Parse(ip);
    if (!parsed)
      return absl::InvalidArgumentError(
          StrCat("invalid --node-ip ", GoQuote(text), ": ", GoQuote(ip), " is not an IP address"));
    if (flag.ips.empty()) flag.prefer_ipv6 = parsed->is_v6();
    if (parsed->is_unspecified()) {
      if (text.find(',') != std::string_view::npos)
        return absl::InvalidArgumentError(StrCat("invalid --node-ip ", GoQuote(text),
                                                 ": cannot include ", GoQuote(ip),
                                                 " when specifying multiple IP addresses"));
      return flag;
    }
    flag.ips.push_back(parsed->to_string());
  }
  if (flag.ips.size() > 2 ||
      (flag.ips.size() == 2 && Parse(flag.ips[0])->is_v6() == Parse(flag.ips[1])->is_v6()))
    return absl::InvalidArgumentError(
        StrCat("invalid --node-ip ", GoQuote(text),
               ": must contain either a single IP or a dual-stack pair of IPs"));
  return flag;
}

absl::Status ValidateNodeIp(std::string_view ip, const std::vector<InterfaceAddress>& addresses) {
  auto refuse = [](std::string_view why) {
    return absl::InvalidArgumentError(StrCat("failed to validate nodeIP: ", why));
  };
  const std::optional<address> parsed = Parse(ip);
  if (!parsed) return refuse("nodeIP must be a valid IP address");
  if (parsed->is_loopback()) return refuse("nodeIP can't be loopback address");
  if (parsed->is_multicast()) return refuse("nodeIP can't be a multicast address");
  if (IsLinkLocal(*parsed)) return refuse("nodeIP can't be a link-local unicast address");
  if (parsed->is_unspecified()) return refuse("nodeIP can't be an all zeros address");
  const bool present =
      std::any_of(addresses.begin(), addresses.end(),
                  [&](const InterfaceAddress& entry) { return Parse(entry.ip) == parsed; });
  if (!present)
    return refuse(StrCat("node IP: ", GoQuote(ip), " not found in the host's network interfaces"));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> ChooseNodeIps(const AddressInput& input) {
  for (const std::string& ip : input.flag.ips) RETURN_IF_ERROR(ValidateNodeIp(ip, input.addresses));
  if (!input.flag.ips.empty()) return input.flag.ips;
  if (const std::optional<address> ip = Parse(input.node_name))
    return std::vector<std::string>{ip->to_string()};
  const bool ipv6 = input.flag.prefer_ipv6;
  for (const bool wanted_family : {ipv6, !ipv6}) {
    for (const std::string& ip : input.resolved) {
      const std::optional<address> parsed = Parse(ip);
      if (parsed && parsed->is_v6() == wanted_family && ValidateNodeIp(ip, input.addresses).ok())
        return std::vector<std::string>{ip};
    }
  }
  const std::string ip = FirstOfFamily(
      input, ipv6 ? input.default_ipv6_interface : input.default_ipv4_interface, ipv6);
  if (!ip.empty()) return std::vector<std::string>{ip};
  return absl::NotFoundError(StrCat(
      "can't get ip address of node ", input.node_name,
      ". error: its name does not resolve to an address of this machine, and there is no default "
      "route; give one with --node-ip"));
}

absl::StatusOr<std::vector<std::string>> ReadNodeIps(const std::string& node_name,
                                                     const NodeIpFlag& flag) {
  AddressInput input;
  input.node_name = node_name;
  input.flag = flag;
  ASSIGN_OR_RETURN(input.addresses, ListInterfaceAddresses());
  if (flag.ips.empty()) {
    input.resolved = Resolve(node_name);
    if (auto text = os::ReadFile("/proc/net/route"); text.ok())
      input.default_ipv4_interface = DefaultRouteInterface(*text, false);
    if (auto text = os::ReadFile("/proc/net/ipv6_route"); text.ok())
      input.default_ipv6_interface = DefaultRouteInterface(*text, true);
  }
  return ChooseNodeIps(input);
}

}  // namespace cubelet::node
