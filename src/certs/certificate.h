// What a certificate says, as values.
#pragma once

#include <openssl/x509.h>

#include <string>
#include <vector>

#include "absl/time/time.h"

namespace cubelet::certs {

struct CertificateFacts {
  std::string common_name;
  std::vector<std::string> organizations;
  std::string issuer_common_name;
  absl::Time not_before;
  absl::Time not_after;
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;  // "10.0.0.1", "fd00::1"
};

CertificateFacts FactsOf(X509* certificate);

}  // namespace cubelet::certs
