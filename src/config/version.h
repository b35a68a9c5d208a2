// Which Kubernetes this is, and which version of our own.
#pragma once

namespace cubelet::config {

// What `kubelet --version` names and the Node reports; kubeadm compares it with the control
// plane's.
inline constexpr char kKubernetesVersion[] = "v1.36.2";

// The minor version before: the only one that showHiddenMetricsForVersion may name.
inline constexpr char kPreviousMinorVersion[] = "1.35";

// The version of this project, "0.1.0".
extern const char* const kProjectVersion;

}  // namespace cubelet::config
