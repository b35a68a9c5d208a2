// A certificate that the cluster's signers issue to the node, for its client or for its server:
// asked for when there is none that is good, renewed between 70 % and 90 % of its life, kept in the
// store (node.md 16).
//
//   IssuedCertificate certificate(loop, options, metrics);
//   certificate.SetWanted(certs::NodeSubject("lab"));
//   RETURN_IF_ERROR(certificate.Read());
//   certificate.Start(scope, hooks);
//
// A request that fails, is denied, or is not answered in time is made again, after 2 s and up to
// 32 s.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "async/loop.h"
#include "async/scope.h"
#include "async/signal.h"
#include "async/task.h"
#include "base/metrics.h"
#include "certs/certificate_store.h"
#include "certs/signing_request.h"
#include "kube/client.h"
#include "kube/resources.h"

namespace cubelet::kubelet {

// What tells the two from each other.
struct CertificateKind {
  const char* name;  // in messages
  const char* prefix;
  const char* signer;
  std::vector<std::string> (*usages)();
  const char* ttl_metric;
  const char* errors_metric;
};
inline constexpr CertificateKind kClientCertificate = {
    "client certificate",
    certs::kClientPrefix,
    certs::kClientSigner,
    certs::ClientUsages,
    "kubelet_certificate_manager_client_ttl_seconds",
    "kubelet_certificate_manager_client_expiration_renew_errors"};
inline constexpr CertificateKind kServingCertificate = {
    "serving certificate",
    certs::kServingPrefix,
    certs::kServingSigner,
    certs::ServingUsages,
    "kubelet_certificate_manager_server_ttl_seconds",
    "kubelet_server_expiration_renew_errors"};

struct IssuedCertificateOptions {
  const CertificateKind* kind = &kClientCertificate;
  std::string directory = {};  // --cert-dir
  // Off: one certificate is asked for and no other after it. The request's key is kept on disk and
  // its name follows from the key, so that a kubelet that is started anew finds its request again.
  bool rotate = true;
  // An expired certificate can be replaced by other credentials.
  bool bootstrap = false;
};

class IssuedCertificate {
 public:
  struct Hooks {
    kube::Client* own;              // comes with the certificate; all outlive the scope of Start
    kube::Client* requester;        // asks while there is none that is good
    std::function<void()> changed;  // there is a new one
    // The process is to be started anew: nothing can be done without a certificate. Null where much
    // can.
    std::function<void(absl::Status)> hopeless;
  };

  IssuedCertificate(async::Loop& loop, IssuedCertificateOptions options, Metrics& metrics);

  // Reads the store; blocks. Error: it cannot be used.
  absl::Status Read();

  // Whom it is to name. Nothing is asked for before this is known; a certificate that lacks a name
  // is replaced.
  void SetWanted(certs::Subject wanted);

  // Asks and renews until the scope is closed.
  void Start(async::TaskScope& scope, Hooks hooks);

  // Waits until there is one; with other credentials to ask for it, until there is one that is
  // good.
  async::Task<absl::Status> Ready();

 private:
  void Adopt(certs::CertificateFacts facts);
  std::string WhyUnfit(const certs::CertificateFacts& facts) const;
  bool Good() const { return current_.has_value() && WhyUnfit(*current_).empty(); }
  kube::Client* Asker() const { return Good() ? hooks_.own : hooks_.requester; }
  absl::Duration GuardDelay(absl::Duration begun) const;
  async::Task<void> Run();
  async::Task<void> Guard();
  async::Task<absl::Status> Request(certs::Subject subject);
  async::Task<absl::StatusOr<std::shared_ptr<const certificatesv1::CertificateSigningRequest>>>
  Submit(kube::Client* client, std::shared_ptr<EVP_PKEY> key, certs::Subject subject);
  absl::Status Keep(const std::string& pem, EVP_PKEY* key);

  async::Loop& loop_;
  const IssuedCertificateOptions options_;
  const certs::CertificateStore store_;
  Metrics& metrics_;
  Hooks hooks_;
  std::optional<certs::Subject> wanted_;
  std::optional<certs::CertificateFacts> current_;
  absl::Time due_ = absl::InfinitePast();  // when to ask for the next
  async::Signal changed_;
  async::Wakeup wanted_changed_;
};

}  // namespace cubelet::kubelet
