// With which credentials the node comes to the API server (node.md 16.2, 16.3), found out once at
// the start: those of --kubeconfig, or a certificate that is asked for and kept in --cert-dir.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "certs/certificate_store.h"
#include "kube/kubeconfig.h"

namespace cubelet::kubelet {

struct IdentityOptions {
  std::string kubeconfig;            // --kubeconfig
  std::string bootstrap_kubeconfig;  // --bootstrap-kubeconfig; "" for none
  std::string cert_dir;              // --cert-dir
  bool rotate = false;               // rotateCertificates
};

struct ClientIdentity {
  kube::ClusterAccess access;  // of all requests
  bool managed = false;        // its certificate is the store's, and asked for when there is none
  bool bootstrap = false;      // there is no good kubeconfig yet
  kube::ClusterAccess requester;  // if managed: asks for a certificate while there is no good one
};

// Blocking. What a good kubeconfig holds as a certificate becomes the store's when that has none
// and is to be rotated. Errors: a kubeconfig that cannot be read, with its name; a store that
// cannot be used.
absl::StatusOr<ClientIdentity> FindClientIdentity(const IdentityOptions& options, absl::Time now);

// Why --kubeconfig is not good enough to do without the bootstrap kubeconfig; "" when it is.
// Blocking.
std::string WhyBootstrap(const std::string& kubeconfig, absl::Time now);

// Writes --kubeconfig (0600) for a certificate of the store. Blocking.
absl::Status WriteKubeconfig(const IdentityOptions& options, const kube::ClusterAccess& access);

}  // namespace cubelet::kubelet
