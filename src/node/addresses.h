// Which addresses the node has (node.md 2.2.1): --node-ip, the node's name, or the interface of the
// default route.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace cubelet::node {

// One address of an interface of this machine.
struct InterfaceAddress {
  std::string interface;
  std::string ip;
};

// Addresses of the machine's interfaces that are up, as the kernel lists them.
absl::StatusOr<std::vector<InterfaceAddress>> ListInterfaceAddresses();

// The interface of the default route with the lowest metric in /proc/net/route's (`ipv6` false) or
// /proc/net/ipv6_route's text; "" when there is none. Pure.
std::string DefaultRouteInterface(std::string_view text, bool ipv6);

// What --node-ip asks for. Error: names the part that is no address, or two of one family.
struct NodeIpFlag {
  std::vector<std::string> ips;  // specified ones, primary first
  bool prefer_ipv6 = false;      // "::", or a specified IPv6 address first
};
absl::StatusOr<NodeIpFlag> ParseNodeIp(std::string_view text);

// Error: `failed to validate nodeIP: ...`.
absl::Status ValidateNodeIp(std::string_view ip, const std::vector<InterfaceAddress>& addresses);

struct AddressInput {
  std::string node_name;
  NodeIpFlag flag;
  std::vector<InterfaceAddress> addresses;
  std::vector<std::string> resolved;  // what the node's name resolves to
  std::string default_ipv4_interface;
  std::string default_ipv6_interface;
};

// The node's InternalIPs, primary first. Error: `can't get ip address of node %s. error: %v`.
absl::StatusOr<std::vector<std::string>> ChooseNodeIps(const AddressInput& input);

// All of the above from this machine; resolves the name, which blocks.
absl::StatusOr<std::vector<std::string>> ReadNodeIps(const std::string& node_name,
                                                     const NodeIpFlag& flag);

}  // namespace cubelet::node
