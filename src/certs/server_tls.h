// The TLS side of the server on port 10250: its certificate, kept fresh, and how it speaks TLS.
//
// Clients are asked for a certificate but need none, and what they send is not judged during the
// handshake: that is authentication's part (ClientCa). Files are looked at before each handshake
// and read again when they have changed; a content that cannot be used leaves the old one in force.
// No session outlives its connection, so a certificate that is no longer trusted cannot return.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "certs/client_ca.h"
#include "certs/file_stamp.h"
#include "certs/self_signed.h"
#include "certs/tls_settings.h"

namespace cubelet::certs {

struct ServerTlsOptions {
  // tlsCertFile and tlsPrivateKeyFile. Both empty: a self-signed pair is kept in
  // `self_signed_directory` (--cert-dir) for `names`.
  std::string certificate_file;
  std::string key_file;
  // The two files come later: until they are there no handshake succeeds.
  bool awaited = false;
  std::string self_signed_directory;
  ServingNames names;

  TlsSettings settings;
  ReloadProblem problem;
};

class ServerTls {
 public:
  // Errors name the field and the file: one of the two files is not given, cannot be read, the key
  // is not the certificate's.
  static absl::StatusOr<std::unique_ptr<ServerTls>> Create(ServerTlsOptions options,
                                                           const Clock& clock);

  // What the next handshake uses. A connection keeps what it began with.
  std::shared_ptr<boost::asio::ssl::context> ForHandshake();

  // When the certificate in use expires; in the infinite future while it is awaited.
  absl::Time expires() const { return expires_; }

  // Why a self-signed certificate was made at creation; "" if none was.
  const std::string& made() const { return made_; }

 private:
  ServerTls(ServerTlsOptions options, const Clock& clock);
  bool self_signed() const { return options_.certificate_file.empty(); }
  absl::Status Read();

  const ServerTlsOptions options_;
  const Clock& clock_;
  const KeyPairPaths paths_;
  std::string made_;
  std::vector<FileStamp> stamps_;
  absl::Time expires_ = absl::InfiniteFuture();
  absl::Time look_for_renewal_;
  std::shared_ptr<boost::asio::ssl::context> context_;
};

}  // namespace cubelet::certs
