// Waiting for what becomes of a certificate signing request.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "async/loop.h"
#include "async/task.h"
#include "kube/client.h"
#include "kube/resources.h"

namespace cubelet::kubelet {

// The certificate (PEM) of a request that is approved and signed; nullopt: not yet. Errors, all
// FAILED_PRECONDITION: it was denied, it failed, it is another one than `uid`. Pure.
absl::StatusOr<std::optional<std::string>> VerdictOf(
    const certificatesv1::CertificateSigningRequest& request, const std::string& uid);

// Watches the request until it is decided, whatever happens to connections. Errors:
// FAILED_PRECONDITION, there will be no certificate; DEADLINE_EXCEEDED.
async::Task<absl::StatusOr<std::string>> AwaitCertificate(async::Loop* loop, kube::Client* client,
                                                          std::string name, std::string uid,
                                                          absl::Duration timeout);

}  // namespace cubelet::kubelet
