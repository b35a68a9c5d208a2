// A pod's resolv.conf: from its DNS policy, the cluster's settings and the host's own file
// (containers.md 2). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "api/types.h"
#include "containers/node_context.h"
#include "cri/types.h"

namespace cubelet::containers {

// The host's file must not be larger.
inline constexpr size_t kMaxResolvConfBytes = 10 << 20;

// What a resolv.conf says.
struct ResolvConf {
  std::vector<std::string> nameservers;
  std::vector<std::string> searches;
  std::vector<std::string> options;
};

// Error: a nameserver line without a value, or a text larger than kMaxResolvConfBytes.
absl::StatusOr<ResolvConf> ParseResolvConf(std::string_view text);

// What the user should be told: a Warning event on the pod, or on the node.
struct Warning {
  std::string reason;
  std::string message;
  bool about_node = false;
};

// `host` is the host's configuration, none when resolvConf is "". What had to be left out or fallen
// back from is added to `warnings`.
criv1::DNSConfig MakeDnsConfig(const v1::Pod& pod, const NodeContext& node,
                               const std::optional<ResolvConf>& host,
                               std::vector<Warning>* warnings);

// What is wrong with the host's file for pods, told once at start (2.7); none when nothing is.
std::optional<Warning> CheckHostResolvConf(std::string_view path, std::string_view text,
                                           const NodeContext& node);

}  // namespace cubelet::containers
