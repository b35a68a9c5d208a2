// The serving certificate the kubelet makes for itself when it is given none (constants.md 11):
// kubelet.crt (0644: the certificate, then the authority that signed it) and kubelet.key (0600)
// in --cert-dir, for one year.
//
// Three things are better than in the original: the key is ECDSA P-256 (making an RSA key would
// cost the start a good part of a second), the node's addresses stand in the certificate beside
// its name (metrics-server asks by address), and a certificate of a kubelet's making is made anew,
// for the same key, when it is about to expire or lacks a name. What somebody else put there is
// never touched. The key is written once and first, so a crash at any point leaves a usable state.
#pragma once

#include <openssl/evp.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "certs/certificate.h"

namespace cubelet::certs {

struct ServingNames {
  std::string host;              // the node's name, or an address
  std::vector<std::string> dns;  // further names
  std::vector<std::string> ips;  // the node's addresses
};

struct KeyPairPaths {
  std::string certificate;
  std::string key;
};

// A certificate for `key` and the authority that signed it, as PEM, valid from an hour before `now`
// on. Error: `names` has an address that is none.
absl::StatusOr<std::string> MakeSelfSigned(EVP_PKEY* key, const ServingNames& names,
                                           absl::Time now);

// Why this certificate is to be replaced ("it expires in 2h0m0s", "it is not for 10.0.0.7"); ""
// when it is good or was not made by a kubelet for itself. Pure.
std::string WhyReplace(const CertificateFacts& facts, const ServingNames& names, absl::Time now);

// kubelet.crt and kubelet.key in `directory`.
KeyPairPaths SelfSignedPaths(const std::string& directory);

// Makes what is missing of the pair, and the directory (0755), and replaces a certificate that is
// to be replaced. `*made` says why one was made, or "" when the old one is used. Errors: there is a
// certificate without a key, or a file cannot be read or does not hold what it should.
absl::Status EnsureSelfSigned(const std::string& directory, const ServingNames& names,
                              absl::Time now, std::string* made);

}  // namespace cubelet::certs
