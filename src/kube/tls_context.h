// The TLS settings of a connection to an API server.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "kube/dial.h"

namespace cubelet::kube {

// Reads the files that `target` names; blocks. TLS 1.2 at least, HTTP/2 alone. Error: which of them
// cannot be read, or does not fit.
absl::StatusOr<std::shared_ptr<boost::asio::ssl::context>> MakeTlsContext(const DialTarget& target);

// What the handshake is to expect of the server: its name or address. To be called before it.
absl::Status ExpectServer(SSL* session, const DialTarget& target);

// Why a handshake failed, with what OpenSSL found wrong with the certificate.
absl::Status HandshakeError(SSL* session, const boost::system::error_code& error);

// Error: the other side did not agree to HTTP/2.
absl::Status CheckHttp2(SSL* session);

}  // namespace cubelet::kube
