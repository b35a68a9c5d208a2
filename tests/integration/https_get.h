// One GET over TLS, with or without a client certificate. Blocks, bounded in time and size.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "certs/test_pki.h"
#include "e2e/http_get.h"

namespace cubelet::integration {

struct TlsClient {
  std::string ca_file;                               // who may have signed the server's certificate
  const certs::TestCertificate* identity = nullptr;  // null: anonymous
};

// From a server on 127.0.0.1. Errors: nobody listens, the handshake fails, no complete answer.
absl::StatusOr<e2e::HttpAnswer> HttpsGet(const TlsClient& client, uint16_t port,
                                         const std::string& path);

}  // namespace cubelet::integration
