// What a certificate says, as values.
#pragma once

#include <openssl/x509.h>

#include <string>
#include <vector>

#include "absl/time/time.h"

namespace cubelet::certs {

// Who a certificate, or a request for one, names.
struct Subject {
  std::string common_name;
  std::vector<std::string> organizations;
  std::vector<std::string> dns_names = {};  // alternative names
  std::vector<std::string> ip_addresses = {};

  bool operator==(const Subject&) const = default;
};

// Without alternative names.
Subject SubjectOf(const X509_NAME* name);

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
