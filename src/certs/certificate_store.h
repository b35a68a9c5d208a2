// Certificates that the cluster's signers gave, on disk as the Go kubelet keeps them, so that
// either takes over from the other:
//
//   <--cert-dir>/<prefix>-<YYYY-MM-DD-hh-mm-ss>.pem   0600  certificates, then their key
//   <--cert-dir>/<prefix>-current.pem                       link to the newest
//   <--cert-dir>/<prefix>.key.tmp                     0600  key of a request that is under way
//
// Blocking: small local files. At any crash the link leads to a whole pair, the old or the new one.
#pragma once

#include <openssl/evp.h>

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "certs/certificate.h"
#include "certs/openssl.h"

namespace cubelet::certs {

inline constexpr char kClientPrefix[] = "kubelet-client";
inline constexpr char kServingPrefix[] = "kubelet-server";

class CertificateStore {
 public:
  CertificateStore(std::string directory, std::string prefix)
      : directory_(std::move(directory)), prefix_(std::move(prefix)) {}

  std::string CurrentPath() const;

  // The current certificate, if there is one. Errors: it cannot be read, or its key is not in the
  // file; `expected "/x-current.pem" to be a symlink but it is a file`.
  absl::StatusOr<std::optional<CertificateFacts>> Current() const;

  // Makes a pair the current one. Errors: `certificates` (PEM) does not begin with one for `key`, a
  // file that cannot be written.
  absl::StatusOr<CertificateFacts> Store(const std::string& certificates, EVP_PKEY* key,
                                         absl::Time now) const;

  // A key that outlives this process until RemovePendingKey: what is asked for with it is found
  // again. Made when there is none, or none that can be read.
  absl::StatusOr<KeyPtr> PendingKey() const;
  absl::Status RemovePendingKey() const;

 private:
  std::string PendingPath() const;
  absl::Status FinishSwitch() const;

  const std::string directory_;
  const std::string prefix_;
};

}  // namespace cubelet::certs
