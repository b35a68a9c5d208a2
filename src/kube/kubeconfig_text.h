// The kubeconfig that a kubelet writes for itself once it has joined with a bootstrap kubeconfig.
#pragma once

#include <string>

#include "kube/kubeconfig.h"

namespace cubelet::kube {

// How to reach the server of `access`, with a client certificate and key in the file
// `certificate_path`; none of the other credentials of `access`. YAML, with the names of the Go
// kubelet: cluster default-cluster, user default-auth, context default-context. Pure.
std::string KubeconfigText(const ClusterAccess& access, const std::string& certificate_path);

}  // namespace cubelet::kube
