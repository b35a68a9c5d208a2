// Where `kubelet status` and the running kubelet meet: a unix socket outside of --root-dir (whose
// tree is shared with other kubelets), open to root alone.
#pragma once

#include <string>

namespace cubelet::server {

inline constexpr char kDefaultStatusSocket[] = "/run/kubelet/status.sock";
inline constexpr char kStatusSocketVariable[] = "KUBELET_STATUS_SOCKET";

// The path both sides use: `flag` (--status-socket) if it is not empty, else the environment's
// KUBELET_STATUS_SOCKET, else /run/kubelet/status.sock.
std::string StatusSocketPath(const std::string& flag);

}  // namespace cubelet::server
