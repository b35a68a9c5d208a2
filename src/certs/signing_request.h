// What a kubelet asks the cluster's signers for: the request itself, its name, and when the next
// one is due (node.md 16). Pure but for the randomness of signatures.
#pragma once

#include <openssl/evp.h>

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "certs/certificate.h"

namespace cubelet::certs {

inline constexpr char kClientSigner[] = "kubernetes.io/kube-apiserver-client-kubelet";
inline constexpr char kServingSigner[] = "kubernetes.io/kubelet-serving";

// system:node:<name> of system:nodes.
Subject NodeSubject(const std::string& node_name);

// Of an ECDSA key: "digital signature", "client auth" or "server auth".
std::vector<std::string> ClientUsages();
std::vector<std::string> ServingUsages();

// A PKCS #10 request as PEM, signed by `key`.
absl::StatusOr<std::string> MakeSigningRequest(EVP_PKEY* key, const Subject& subject);

// The name of a request that is found again by a kubelet that was started anew with the same key:
// "node-csr-" and a hash of the key, the subject and the usages.
absl::StatusOr<std::string> SigningRequestName(EVP_PKEY* key, const Subject& subject,
                                               const std::vector<std::string>& usages);

// Whether the PEM request `pem` is for this key and subject (alternative names are not looked at).
// Error: why it is not.
absl::Status CheckSigningRequest(std::string_view pem, EVP_PKEY* key, const Subject& subject);

// Why a certificate cannot serve any longer ("it has expired", "it is not for 10.0.0.7");
// "" when it can. It may have more names than are wanted.
std::string WhyUnfit(const CertificateFacts& facts, const Subject& wanted, absl::Time now);

// When to ask for the next certificate: between 70 % and 90 % of this one's life; `random` is in
// [0, 1).
absl::Time RotationTime(const CertificateFacts& facts, double random);

}  // namespace cubelet::certs
