// The cluster's certificate authority: signs certificates for tests and for CSRs.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "certs/test_pki.h"

namespace cubelet::fakes {

struct KeyPair {
  std::string certificate;  // PEM
  std::string key;
};

class Authority {
 public:
  Authority();

  std::string CertificatePem() const { return root_.CertificatePem(); }

  // A client's pair: `name` is the user, `groups` its groups.
  KeyPair ForClient(const std::string& name, const std::vector<std::string>& groups) const;

  // A server's pair for names such as "DNS:localhost,IP:127.0.0.1".
  KeyPair ForServer(const std::string& names) const;

  // The certificate that a PEM request asks for, valid from five minutes before `now` on. Error:
  // INVALID_ARGUMENT, it is no request or not signed by its own key.
  absl::StatusOr<std::string> Sign(const std::string& request, const std::string& usage,
                                   absl::Time now, absl::Duration lifetime) const;

 private:
  certs::TestCertificate root_;
};

}  // namespace cubelet::fakes
