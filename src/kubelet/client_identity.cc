#include "kubelet/client_identity.h"

#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"
#include "certs/key.h"
#include "certs/openssl.h"
#include "kube/kubeconfig_text.h"
#include "os/files.h"

namespace cubelet::kubelet {
namespace {

using certs::CertificateStore;
using kube::ClusterAccess;
using kube::PemSource;

absl::StatusOr<std::string> ReadPem(const PemSource& source) {
  if (source.file.empty()) return source.data;
  return os::ReadFile(source.file);
}

// The same server, with the store's certificate and nothing else to prove who we are.
ClusterAccess WithStore(const ClusterAccess& from, const CertificateStore& store) {
  ClusterAccess access;
  access.server = from.server;
  access.authority = from.authority;
  access.insecure = from.insecure;
  access.tls_server_name = from.tls_server_name;
  access.proxy_url = from.proxy_url;
  access.disable_compression = from.disable_compression;
  access.client_certificate.file = store.CurrentPath();
  access.client_key.file = store.CurrentPath();
  return access;
}

absl::Status CopyToStore(const ClusterAccess& access, const CertificateStore& store,
                         absl::Time now) {
  ASSIGN_OR_RETURN(const std::string certificates, ReadPem(access.client_certificate));
  ASSIGN_OR_RETURN(std::string key_text, ReadPem(access.client_key));
  const absl::Cleanup forget = [&] { certs::WipeText(key_text); };
  ASSIGN_OR_RETURN(const certs::KeyPtr key, certs::ParsePrivateKey(key_text));
  return store.Store(certificates, key.get(), now).status();
}

// So that rotation begins with the certificate there is.
absl::Status FillStore(const ClusterAccess& access, const CertificateStore& store, absl::Time now) {
  if (access.client_certificate.empty() || access.client_certificate.file == store.CurrentPath())
    return absl::OkStatus();
  ASSIGN_OR_RETURN(const bool filled, os::Exists(store.CurrentPath()));
  if (filled) return absl::OkStatus();
  return Annotate(CopyToStore(access, store, now),
                  StrCat("copy the kubeconfig's client certificate to ", store.CurrentPath()));
}

}  // namespace

std::string WhyBootstrap(const std::string& kubeconfig, absl::Time now) {
  const absl::StatusOr<ClusterAccess> access = kube::LoadKubeconfig(kubeconfig);
  if (!access.ok()) return std::string(Message(access.status()));
  if (access->client_certificate.empty())
    return StrCat("there is no client certificate in ", kubeconfig);
  const absl::StatusOr<std::string> pem = ReadPem(access->client_certificate);
  if (!pem.ok()) return std::string(Message(pem.status()));
  const auto chain = certs::ParseCertificates(*pem);
  if (!chain.ok()) return StrCat(kubeconfig, ": client-certificate: ", Message(chain.status()));
  for (const certs::X509Ptr& certificate : *chain) {
    const absl::Time not_after = certs::FactsOf(certificate.get()).not_after;
    if (now >= not_after)
      return StrCat("a client certificate of ", kubeconfig, " has expired at ",
                    cubelet::FormatTime(not_after));
  }
  return "";
}

absl::StatusOr<ClientIdentity> FindClientIdentity(const IdentityOptions& options, absl::Time now) {
  ClientIdentity identity;
  const CertificateStore store(options.cert_dir, certs::kClientPrefix);
  const std::string why =
      options.bootstrap_kubeconfig.empty() ? "" : WhyBootstrap(options.kubeconfig, now);
  identity.bootstrap = !why.empty();
  identity.managed = identity.bootstrap || options.rotate;
  if (identity.bootstrap)
    LOG_INFO("Joining with the bootstrap kubeconfig",
             {{"bootstrapKubeconfig", options.bootstrap_kubeconfig}, {"because", why}});
  ASSIGN_OR_RETURN(
      ClusterAccess access,
      kube::LoadKubeconfig(identity.bootstrap ? options.bootstrap_kubeconfig : options.kubeconfig));
  if (!identity.managed) {
    identity.access = std::move(access);
    return identity;
  }
  if (!identity.bootstrap) RETURN_IF_ERROR(FillStore(access, store, now));
  identity.access = WithStore(access, store);
  identity.requester = std::move(access);
  return identity;
}

absl::Status WriteKubeconfig(const IdentityOptions& options, const ClusterAccess& access) {
  const CertificateStore store(options.cert_dir, certs::kClientPrefix);
  RETURN_IF_ERROR(os::MakeDirectories(os::DirectoryOf(options.kubeconfig), 0755));
  return Annotate(os::WriteFileAtomic(options.kubeconfig,
                                      kube::KubeconfigText(access, store.CurrentPath()), 0600),
                  "write the kubeconfig");
}

}  // namespace cubelet::kubelet
